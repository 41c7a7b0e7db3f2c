"""What is seen of a comparison while it runs: lines without a terminal, a view on one."""

import dataclasses
import io

import pytest
from rich.console import Console

from jaxact.comparison import live
from jaxact.comparison.live import StudyView
from jaxact.comparison.study import MISSING
from tests.support.studies import synthetic_study

MISSES = {("selu", 0), ("relu", 1), ("tanh", 1), ("selu", 1)}


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def row(epoch):
    return {"epoch": epoch, "test_accuracy": 0.5}


def follow(study, terminal=False):
    """Shows one run of a study and returns what was printed."""
    clock = Clock()
    written = io.StringIO()
    console = Console(
        file=written, force_terminal=terminal, width=100, highlight=False, color_system=None
    )
    config = next(
        config
        for config, run in zip(study.plan.runs(), study.runs, strict=True)
        if run.status == MISSING
    )
    whole = synthetic_study(study.plan.activations, study.plan.seeds)
    run = next(r for r in whole.runs if (r.activation, r.seed) == (config.activation, config.seed))
    with StudyView(study, console, clock) as view:
        with view.begin_run(config)(10, 4, 0) as followed:
            for epoch in range(1, 11):
                clock.seconds += 4
                followed.after_dispatch(4 * epoch, 1.25, 1000.0)
                followed.after_epoch(row(epoch), "test")
        view.end_run(study.with_run(run), run)
    return written.getvalue()


def test_without_a_terminal_there_are_plain_lines():
    text = follow(synthetic_study(3, 2, missing=MISSES))
    lines = text.splitlines()
    assert "\x1b" not in text
    # one about an epoch each ten seconds at most, and one at the end
    assert lines[:-1] == [f"selu, seed 0: epoch {epoch}/10  test 50.00%" for epoch in (3, 6, 9)]
    assert lines[-1].startswith("3/6  selu, seed 0: 0.95 after ")
    assert lines[-1].endswith(" left")


def test_on_a_terminal_the_view_is_live():
    text = follow(synthetic_study(3, 2, missing=MISSES), terminal=True)
    assert "3/6 runs" in text
    assert "epoch 10/10" in text
    assert "1,000 images/s  loss 1.2500  test 50.00%" in text
    assert "soonest at 0.95: relu" in text
    assert "3/6  selu, seed 0: 0.95 after " in text


def test_time_left_is_that_of_runs_alike():
    study = synthetic_study(3, 2, missing=MISSES)
    (relu, tanh), done = (r.summary["wall_seconds"] for r in study.runs[:2]), study.runs[:2]
    assert all(run.summary for run in done)
    # selu has no run yet: it may take what the others took on average
    assert live.Pace(study).seconds_left() == pytest.approx(relu + tanh + 2 * (relu + tanh) / 2)
    assert live.Pace(synthetic_study(1, 1, missing={("relu", 0)})).seconds_left() is None
    assert live.Pace(synthetic_study(1, 1)).seconds_left() == 0
    assert live.clock_text(3723.4) == "1:02:03"


def test_time_left_as_runs_end_is_that_of_the_study_then():
    study, whole = (
        synthetic_study(3, 2, missing=MISSES),
        synthetic_study(3, 2, diverged={("selu", 1)}),
    )
    pace = live.Pace(study)
    for before, run in zip(study.runs, whole.runs, strict=True):
        if before.status == MISSING:
            study = study.with_run(run)
            pace.end(run)
            expected = live.Pace(study)
            assert pace.missing == expected.missing == len(study.with_status(MISSING))
            assert pace.seconds_left() == pytest.approx(expected.seconds_left())


def test_outcomes_are_a_line():
    study = synthetic_study(
        ("relu", "tanh"), 2, diverged={("relu", 1)}, failed={("tanh", 1)}, never_reach=("tanh",)
    )
    reached, missed, failed, diverged = map(live.outcome, study.runs)
    assert reached.startswith("0.95 after ")
    assert missed.startswith("0.95 not reached in ")
    assert diverged.startswith("diverged: the loss became NaN")
    assert failed == "failed: OSError: the disk was full"


def test_the_best_so_far_counts_what_is_done():
    study = synthetic_study(("tanh", "relu"), 2, diverged={("relu", 0), ("relu", 1)})
    assert live.best_so_far(study, study.workloads()[0]).startswith(
        "none at 0.95 yet; lowest error: tanh"
    )
    nothing = dataclasses.replace(
        study, runs=tuple(dataclasses.replace(r, status=MISSING) for r in study.runs)
    )
    assert live.best_so_far(nothing, study.workloads()[0]) == ""


def test_runs_made_at_once_have_a_row_each_and_share_the_time_left():
    study = synthetic_study(3, 2, missing=MISSES)
    whole = synthetic_study(3, 2)
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    configs = [c for c, r in zip(study.plan.runs(), study.runs, strict=True) if not r.summary]
    with StudyView(study, console, Clock()) as view:
        alone = view.seconds_left()
        assert alone is not None
        first, second = (view.begin_run(config)(10, 4, 0) for config in configs[:2])
        first.after_dispatch(8, 1.25, 1000.0)
        second.after_dispatch(12, 1.5, 900.0)
        assert view.seconds_left() == pytest.approx(alone / 2)
        with console.capture() as shown:
            console.print(view._picture())
        picture = shown.get()
        assert "selu, seed 0 epoch 2/10" in picture
        assert "epoch 3/10" in picture
        run = next(r for r in whole.runs if (r.activation, r.seed) == ("selu", 0))
        view.end_run(study.with_run(run), run)
        view.begin_run(configs[2])  # in the row of the one that has ended
        with console.capture() as shown:
            console.print(view._picture())
        assert "selu, seed 0" not in shown.get()
        assert shown.get().count("\n") == picture.count("\n")


def test_time_left_takes_no_longer_with_many_runs(monkeypatch):
    study = synthetic_study(3, 40, missing={("relu", k) for k in range(20)})
    looks = []
    mean = live.statistics.fmean
    monkeypatch.setattr(live.statistics, "fmean", lambda v: looks.append(len(v)) or mean(v))
    assert live.Pace(study).seconds_left()
    assert sum(looks) <= 3 * len(study.runs)  # each done run is looked at once for each likeness
