"""The command: what it refuses, what it says, and how it follows a study that is being made."""

import json
import os
import shutil
import signal
import sys

import pytest

from jaxact.comparison.study import MISSING, STUDY
from jaxact.runs.records import record_files
from jaxact.tracking import command, identity
from jaxact.tracking.source import REPORT, TABLE
from jaxact.tracking.tracker import TrackingError
from tests.support.tracking import stages
from tests.support.tracking.recording import Recording


@pytest.fixture(autouse=True)
def nice(monkeypatch):
    """The priority of this process stays; what it was asked to be is kept."""
    asked = []
    monkeypatch.setattr(os, "nice", lambda step: asked.append(step) or 0)
    return asked


@pytest.fixture
def tracker(monkeypatch):
    """A tracker in memory, whatever is asked for."""
    recording = Recording()
    monkeypatch.setattr(command, "create", lambda *where: recording)
    return recording


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A study of two activations, a seed and two epochs."""
    return stages.drawn(tmp_path_factory.mktemp("drawn"), 2, ("relu", "tanh"), 1)


@pytest.fixture
def folder(drawn, tmp_path):
    return shutil.copytree(drawn, tmp_path / "mine")


def run(*words):
    return command.COMMAND.run(command.track, [*map(str, words)])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--to is not given; it must be one of mlflow, wandb, trackio"),
        (["--to=tensorboard"], "mlflow"),
        (["--to=mlflow", "--entity=me"], "--entity=me is of --to=wandb; leave it out"),
        (["--to=mlflow", "--every_seconds=0.5"], "every_seconds"),
    ],
)
def test_a_wrong_option_is_one_line(folder, capsys, words, said):
    assert run(folder, *words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "holds neither study.json nor config.json: give the --workdir"),
        (lambda folder: (folder / STUDY).write_text("{"), "cannot be read"),
        (lambda folder: (folder / "config.json").write_text("{}"), "is missing; give another"),
    ],
)
def test_a_folder_without_runs_is_told(tmp_path, capsys, tracker, make, said):
    make(tmp_path)
    assert run(tmp_path, "--to=mlflow") == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not tracker.pages


@pytest.mark.parametrize("content", ["{}", '{"id": 5}', '{"id": "../../x"}', "["])
def test_a_damaged_id_is_told(folder, capsys, tracker, content):
    path = folder / "relu" / "seed0" / identity.FILE
    path.write_text(content)
    assert run(folder, "--to=mlflow") == 2
    error = capsys.readouterr().err
    assert str(path) in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("name", command.TRACKERS)
def test_a_library_that_is_missing_is_told_with_its_extra(folder, capsys, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    assert run(folder, f"--to={name}") == 2
    error = capsys.readouterr().err
    assert f'pip install "jaxact[{name}]"' in error
    assert error.count("\n") == 1


def test_it_says_what_it_added_and_gives_way_to_what_trains(folder, capsys, tracker, nice):
    assert run(folder, "--to=mlflow") == 0
    said = capsys.readouterr().out
    assert "4 epochs and" in said
    assert "added to 3 pages, 3 of them new: memory" in said
    assert run(folder, "--to=mlflow") == 0
    assert "all of it is there already: memory" in capsys.readouterr().out
    assert nice == [0, command.LOWEST_PRIORITY] * 2
    assert not any(kept.is_open for kept in tracker.pages.values())


class Study:
    """A study that goes on by a step each time that the command sleeps."""

    def __init__(self, folder, steps):
        self.folder, self.steps, self.slept = folder, steps, []

    def sleep(self, seconds):
        self.slept.append(seconds)
        assert self.steps, "it looks on when all is there"
        self.steps.pop(0)()


def test_it_follows_until_the_report_is_there(folder, capsys, tracker, monkeypatch):
    whole = (folder / STUDY).read_text()
    run_folder = folder / "tanh" / "seed0"
    rows = record_files.read_rows(run_folder / record_files.METRICS)
    (run_folder / record_files.SUMMARY).unlink()
    (run_folder / record_files.METRICS).unlink()
    value = json.loads(whole)
    value["runs"][1] |= {"status": MISSING, "summary": {}, "metrics": [], "health": []}
    record_files.write_json(folder / STUDY, value)
    study = Study(
        folder,
        [
            lambda: record_files.append_row(run_folder / record_files.METRICS, rows[0]),
            lambda: record_files.append_row(run_folder / record_files.METRICS, rows[1]),
            lambda: (folder / STUDY).write_text(whole),
            lambda: None,  # the figures take their time
            lambda: [(folder / name).touch() for name in (TABLE, REPORT)],
        ],
    )
    monkeypatch.setattr(command.time, "sleep", study.sleep)
    assert run(folder, "--to=mlflow", "--follow", "--every_seconds=7") == 0
    assert study.slept == [7.0] * 5
    assert tracker.opened == 3
    shown = tracker.by_name()
    assert [epoch.number for epoch in shown["tanh/seed0"].epochs] == [1, 2]
    assert {kept.status for kept in shown.values()} == {"done"}
    assert "report.html" in shown["mine"].files
    assert len(capsys.readouterr().out.splitlines()) == 5  # nothing at the look that saw nothing


def test_a_report_that_comes_while_it_writes_is_not_left_out(folder, tracker, monkeypatch):
    (folder / STUDY).touch()  # newer than its report
    held = tracker.held

    def drawing(page):
        (folder / REPORT).touch()
        return held(page)

    monkeypatch.setattr(tracker, "held", drawing)
    study = Study(folder, [lambda: None])
    monkeypatch.setattr(command.time, "sleep", study.sleep)
    assert run(folder, "--to=mlflow", "--follow") == 0
    assert tracker.by_name()["mine"].status == "done"
    assert "report.html" in tracker.by_name()["mine"].files


def test_a_tracker_that_is_away_for_a_while_is_tried_again(folder, capsys, tracker, monkeypatch):
    with monkeypatch.context() as patch:

        def away(page):
            raise TrackingError("MLflow cannot be used")

        patch.setattr(tracker, "held", away)
        study = Study(folder, [patch.undo])
        monkeypatch.setattr(command.time, "sleep", study.sleep)
        assert run(folder, "--to=mlflow", "--follow") == 0
    assert capsys.readouterr().err == "tried again in 30 s: MLflow cannot be used\n"
    assert len(tracker.pages) == 3


def test_a_signal_ends_it_between_two_looks(folder, capsys, tracker, monkeypatch):
    value = json.loads((folder / STUDY).read_text())
    value["runs"][1] |= {"status": MISSING, "summary": {}, "metrics": [], "health": []}
    record_files.write_json(folder / STUDY, value)
    (folder / "tanh" / "seed0" / record_files.SUMMARY).unlink()
    monkeypatch.setattr(command.time, "sleep", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    assert run(folder, "--to=mlflow", "--follow") == 75
    assert "stopped by SIGTERM; what was tracked stays" in capsys.readouterr().err
    assert not any(kept.is_open for kept in tracker.pages.values())
    kept = tracker.by_name()["tanh/seed0"]
    assert (kept.status, len(kept.epochs)) == ("running", 2)
