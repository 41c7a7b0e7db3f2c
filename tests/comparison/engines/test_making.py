"""`study.json` while runs are made: as often as pays, and whatever is nowhere else at once."""

import json

import pytest

from jaxact.comparison import study as studies
from jaxact.comparison.engines.making import SPARING, Saved
from jaxact.comparison.study import DONE
from tests.support.studies import synthetic_study


class Clock:
    """A clock on which writing takes a second."""

    def __init__(self):
        self.seconds, self.writings = 100.0, 0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock(monkeypatch):
    clock, save = Clock(), studies.Study.save

    def slow(study, workdir):
        clock.seconds += 1.0
        clock.writings += 1
        save(study, workdir)

    monkeypatch.setattr(studies.Study, "save", slow)
    return clock


def done(workdir):
    runs = json.loads((workdir / "study.json").read_text())["runs"]
    return sum(run["status"] == DONE for run in runs)


def test_writing_takes_a_small_share_of_the_time_and_nothing_is_left_out(clock, tmp_path):
    whole = synthetic_study(2, 10)
    study = synthetic_study(2, 10, missing={(run.activation, run.seed) for run in whole.runs})
    with Saved(study, tmp_path, clock) as saved:
        for run in whole.runs:
            clock.seconds += 2.0
            study = study.with_run(run)
            saved.update(study, is_only_here=False)
        assert done(tmp_path) < len(whole.runs)
        assert clock.writings == 1 + (2 * len(whole.runs) - 2) // int(SPARING + 2)
    assert done(tmp_path) == len(whole.runs)


def test_what_no_folder_tells_is_written_at_once(clock, tmp_path):
    study = synthetic_study(2, 2)
    with Saved(study, tmp_path, clock) as saved:
        for count in (1, 2, 3):
            saved.update(study, is_only_here=True)
            assert clock.writings == count
    assert clock.writings == 3


def test_an_error_loses_nothing(clock, tmp_path):
    study = synthetic_study(2, 2)

    def interrupted():
        with Saved(study, tmp_path, clock) as saved:
            saved.update(study, is_only_here=False)
            (tmp_path / "study.json").unlink()
            saved.update(study, is_only_here=False)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done(tmp_path) == len(study.runs)
