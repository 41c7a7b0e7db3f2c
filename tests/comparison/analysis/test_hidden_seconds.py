"""Runs made beside other work: no output shows their seconds, and none ranks by them."""

import dataclasses
import io
import math
import re

import pytest
from rich.console import Console

from jaxact import statistics
from jaxact.comparison import answers, compare, live, redraw, study as studies
from jaxact.comparison.analysis import measures
from jaxact.comparison.analysis.hidden_seconds import notes, without_seconds
from jaxact.comparison.output import dawnbench, files, report, row_figures
from jaxact.comparison.output.tables import study_table
from jaxact.comparison.price import Price
from jaxact.presentation import drawing, numbers
from jaxact.presentation.chart import Points
from tests.support.studies import swept_study, synthetic_study, write_study

SPECS = ("relu", "tanh", "elu")
PLANTED = 7654321.0  # of every figure that is a time, or follows from one
# As tables have it, with the digits of charts, and in words.
SEEN = re.compile(rf"76543\d\d|{numbers.duration(PLANTED)}")
TIMES = re.compile("second|_ms$")


def planted(record):
    """A record with the same number as each of its times."""
    if isinstance(record, dict):
        return {
            name: PLANTED
            if TIMES.search(name) and isinstance(value, float)
            else {**value, "mean": PLANTED, "p50": PLANTED}
            if name == "latency_ms"
            else value
            for name, value in record.items()
        }
    return tuple(map(planted, record))


def marked_study(marked, seeds=2, **options):
    """A study whose runs `marked` has, all of whose times are PLANTED."""
    study = synthetic_study(SPECS, seeds, 9, never_reach=(), **options)
    runs = [
        dataclasses.replace(
            run,
            summary=planted(run.summary),
            metrics=planted(run.metrics),
            environment={
                **run.environment,
                "shared_machine": (run.activation, run.seed) in marked,
            },
        )
        for run in study.runs
    ]
    return dataclasses.replace(study, runs=tuple(runs))


def every(seeds=2):
    return {(name, seed) for name in SPECS for seed in range(seeds)}


def drawn_in(workdir):
    """The texts that a reader finds in a folder, by the names of the files."""
    names = ("table.md", "table.csv", "table.json", "report.html")
    return {name: (workdir / name).read_text() for name in names}


def test_no_file_holds_a_second_that_is_not_to_be_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "DPI", 30)
    study = marked_study((), 1, health=False)
    write_study(study, tmp_path)
    before = (tmp_path / studies.STUDY).read_bytes()
    latency = tmp_path / "figures" / "error_against_latency.png"
    latency.parent.mkdir()
    latency.touch()  # as it was drawn before
    files.write_tables(study, tmp_path)
    report.write_report(study, tmp_path)
    assert all("7654321" in text for text in drawn_in(tmp_path).values())
    words = [str(tmp_path), "--price_per_hour=3600", "--without_seconds"]  # a cost is its seconds
    assert redraw.COMMAND.run(redraw.redraw, words) == 0
    for name, text in drawn_in(tmp_path).items():
        assert not SEEN.search(text), name
        assert ("o seconds are shown, as" in text) is (name != "table.csv"), name
    assert {path.stem for path in latency.parent.iterdir()} == {
        *("accuracy", "loss", "time_to_accuracy", "error")
    }
    assert (tmp_path / studies.STUDY).read_bytes() == before


def test_no_file_holds_a_second_of_a_marked_run(tmp_path):
    drawn = without_seconds(dataclasses.replace(marked_study(every()), price=Price(3600, "USD")))
    files.write_tables(drawn, tmp_path)
    report.write_report(drawn, tmp_path)
    for name, text in drawn_in(tmp_path).items():
        assert not SEEN.search(text), name
        assert ("o seconds are shown of 6 of 6 runs" in text) is (name != "table.csv"), name


def test_the_terminal_shows_epochs_and_errors(capsys):
    study = without_seconds(marked_study(every()))
    compare.show(study)
    printed = capsys.readouterr().out
    assert "7654321" not in printed
    assert "no seconds are shown of 6 of 6 runs: 6 were made" in printed
    assert "s of training" not in printed
    errors = [measures.error_percent(run) for run in study.of(study.workloads()[0], "elu")]
    assert f"{statistics.mean(errors).value:.2f}" in printed


def test_the_answer_speaks_of_epochs():
    study = synthetic_study(SPECS, 5, 10)
    workload = study.workloads()[0]
    told = answers.answer(without_seconds(study, everywhere=True), workload)
    assert re.match(r"relu reached 95 % soonest, after \d+ epochs \[.* in the median", told)
    assert "s of training" not in told
    alone = synthetic_study(("relu",), 3, 10)
    told = answers.answer(without_seconds(alone, everywhere=True), workload)
    assert re.search(r"in 3 of 3 runs, after \d+ epochs \[", told)
    missed = without_seconds(synthetic_study(("tanh", "relu"), 3, 1), everywhere=True)
    assert "o activation reached 95 % in 1 epoch." in answers.answer(missed, workload)


def test_hidden_is_no_miss_and_a_miss_among_hidden_ones_is_no_figure():
    study = synthetic_study(SPECS, 3, 10, diverged={("elu", 1)})
    workload = study.workloads()[0]
    hidden = without_seconds(study, everywhere=True)
    for name in SPECS:
        for run in hidden.of(workload, name):
            assert math.isnan(measures.seconds_to_target(run))
            assert math.isnan(measures.train_seconds(run))
    assert measures.epoch_to_target(hidden.of(workload, "tanh")[0]) == math.inf
    row = next(r for r in study_table.rows(hidden, workload) if r["activation"] == "tanh")
    assert row["seconds_to_target"] is None
    assert row["seconds_to_target_high"] is None  # not "never"
    assert not {"seconds_to_target", "train_seconds", "latency_ms"} & set(row["best"])


@pytest.mark.parametrize(
    ("marked", "timed_seeds"),
    [
        ({("relu", 0)}, {1, 2}),
        ({("tanh", seed) for seed in range(3)}, set()),
        ({(name, 2) for name in SPECS}, {0, 1}),
        (set(), {0, 1, 2}),
    ],
)
def test_marked_and_unmarked_runs_are_not_ranked_together(marked, timed_seeds):
    study = marked_study(marked, seeds=3)
    workload = study.workloads()[0]
    drawn = without_seconds(study)
    assert without_seconds(drawn) == drawn
    for name in SPECS:
        runs = drawn.of(workload, name)
        assert {run.seed for run in runs if run.is_timed} == timed_seeds
        times = [measures.seconds_to_target(run) for run in runs]
        assert {k for k, time in enumerate(times) if not math.isnan(time)} == timed_seeds
    axis = measures.SECONDS if timed_seeds else measures.EPOCHS
    assert measures.time_axis(drawn, workload) is axis
    chart = row_figures.times(drawn, workload)
    assert chart is not None
    rows = [mark for mark in chart.marks if isinstance(mark, Points)]
    assert [len(row.x) for row in rows] == [len(timed_seeds) or 3] * 3
    lines = notes(drawn)
    assert bool(lines) is bool(marked)
    if marked:
        assert f"of {3 * (3 - len(timed_seeds))} of 9 runs: {len(marked)} were made" in lines[0]
        assert ("those of the same seed" in lines[0]) is (len(marked) < 3 * (3 - len(timed_seeds)))


def test_a_seed_loses_its_seconds_at_all_rates_where_each_has_its_own():
    study = swept_study({"relu": 1e-3, "tanh": 1e-2})
    environment = {**study.runs[0].environment, "shared_machine": True}
    marked = dataclasses.replace(study.of(study.workloads()[0], "relu")[2], environment=environment)
    drawn = without_seconds(study.with_run(marked))
    for workload in drawn.workloads():
        for spec in ("relu", "tanh"):
            timed = [run.is_timed for run in drawn.of(workload, spec)]
            assert timed == [True, True, False, True, True]


def test_a_study_without_seconds_is_not_saved(tmp_path):
    with pytest.raises(AssertionError, match="not saved"):
        without_seconds(marked_study(every())).save(tmp_path)


def test_marked_runs_are_no_entries_of_dawnbench(tmp_path):
    study = marked_study({("relu", 0), ("elu", 1)})
    lines = dawnbench.exported(study, tmp_path, dawnbench.Author("Ada", "a@b"))
    written = {path.stem.split("_")[1] for path in tmp_path.rglob("*.json")}
    assert written == {
        f"small-cnn-{name}-seed-{seed}"
        for name, seed in (("tanh", 0), ("elu", 0), ("relu", 1), ("tanh", 1))
    }
    assert lines[0].startswith("DAWNBench entries: 4 in")
    assert "of 2 of 6 runs, made on a machine with other work (JAXACT_SHARED_MACHINE)" in lines[1]
    (line,) = dawnbench.exported(marked_study(()), tmp_path, dawnbench.Author("Ada", "a@b"))
    assert "6 in" in line


@pytest.mark.parametrize("marked", [True, False])
def test_what_is_seen_meanwhile_is_without_seconds(marked, monkeypatch):
    monkeypatch.setenv("JAXACT_SHARED_MACHINE", "1" if marked else "")
    study = marked_study(every() if marked else ())
    run = study.runs[0]
    assert ("7654321" in live.outcome(run)) is not marked
    assert f"epoch {run.summary['epoch_to_target']}" in live.outcome(run)
    written = io.StringIO()
    console = Console(file=written, width=100)
    view = live.StudyView(study, console)
    followed = view.begin_run(next(study.plan.runs()))(9, 10, 0)
    followed.after_dispatch(3, 1.5, 900.0)
    figures = view._run.tasks[0].fields["figures"]
    assert figures == ("loss 1.5000" if marked else "900 images/s  loss 1.5000")
    view.end_run(study, run)
    console.print(view._picture())
    text = written.getvalue()
    assert ("7654321" in text) is not marked
    assert bool(re.search(r"soonest at 0\.95: \w+, \d+ epochs; lowest error: ", text)) is marked


def test_a_workload_without_seconds_has_epochs_in_its_figure_and_no_profile(tmp_path):
    study = synthetic_study(SPECS, 2, 10, datasets=("mnist", "fashion_mnist"), health=False)
    assert measures.performance_profile(study) is not None
    hidden = without_seconds(study, everywhere=True)
    assert measures.performance_profile(hidden) is None
    at, share = measures.reached_over_time(hidden.of(study.workloads()[0], "tanh"), measures.EPOCHS)
    assert (at[-1], share[-1]) == (10, 0)  # a miss: for as long as it was trained
    files.write_tables(hidden, tmp_path)
    assert "N/A" in (tmp_path / "table.md").read_text()


def test_runs_trained_at_once_lose_theirs_and_say_why():
    study = synthetic_study(SPECS, 2, 3)
    runs = [
        dataclasses.replace(run, environment={**run.environment, "seeds_at_once": [0, 1]})
        if run.activation == "relu"
        else run
        for run in study.runs
    ]
    drawn = without_seconds(dataclasses.replace(study, runs=tuple(runs)))
    assert not any(run.is_timed for run in drawn.runs)
    assert notes(drawn) == [
        "no seconds are shown of 6 of 6 runs: 2 were trained several seeds at once; those of the "
        "same seed go with them"
    ]
    assert measures.time_axis(drawn, drawn.workloads()[0]) is measures.EPOCHS


def test_what_is_left_takes_the_share_of_one_of_several():
    study = synthetic_study(SPECS, 2, 3, missing={("relu", 1)})
    alone = live.Pace(study).seconds_left()
    runs = [
        dataclasses.replace(run, environment={"seeds_at_once": [0, 1, 2, 3]}) for run in study.runs
    ]
    together = live.Pace(dataclasses.replace(study, runs=tuple(runs))).seconds_left()
    assert alone
    assert together == pytest.approx(alone / 4)
