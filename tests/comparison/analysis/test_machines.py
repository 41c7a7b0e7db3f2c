"""Seconds that are shown and not ranked: of other kinds of machines, of runs made at once."""

import dataclasses

import pytest

from jaxact.comparison import answers
from jaxact.comparison.analysis import machines, measures
from jaxact.comparison.output import dawnbench
from jaxact.comparison.output.tables import rows, study_table
from tests.support.studies import synthetic_study

OTHER = {"cpu_model": "Another processor"}


def study_with(changes, places=(), seeds=12):
    """A study some of whose runs, by their places, or all, were made in other surroundings."""
    study = synthetic_study(("relu", "tanh", "selu"), seeds)
    runs = tuple(
        dataclasses.replace(run, environment={**run.environment, **changes})
        if not places or place in places
        else run
        for place, run in enumerate(study.runs)
    )
    return dataclasses.replace(study, runs=runs)


RESUMED = {"resumed": [{"step": 3, "before": {"cpu_model": "Another processor"}}]}


@pytest.mark.parametrize(
    ("changes", "places", "told"),
    [
        ({"runs_at_once": 2}, (), "of 36 of 36 runs were taken while 2 runs were made at once on"),
        (OTHER, (1, 2), "runs were made on 2 kinds of machines, whose seconds are shown, and not"),
        ({"usable_cpus": 1}, (1,), ""),  # the others' records do not tell
        (RESUMED, (4,), "of 1 of 36 runs were taken on machines of more than one kind each"),
        ({"runs_at_once": 1}, (), ""),
        ({"runs_at_once": 8, "platform": "gpu"}, (), ""),  # each had one of its own
    ],
)
def test_seconds_are_shown_and_ranked_only_where_machines_are_alike(changes, places, told):
    study = study_with(changes, places)
    (workload,) = study.workloads()
    table = {row["activation"]: row for row in rows.rows(study, workload)}
    assert all(row["seconds_to_target"] for name, row in table.items() if name != "tanh")
    notes = [note for note in study_table.notes(study) if "ranked" in note]
    text = answers.answer(study, workload)
    times = {"seconds_to_target", "train_seconds", "latency_ms", "step_ms"}
    marked = times & {name for row in table.values() for name in row["best"]}
    if told:
        (note,) = notes
        assert told in note
        assert measures.time_axis(study, workload) is measures.EPOCHS
        assert "s of training" not in text
        assert " epochs" in text
        assert table["selu"]["seconds_verdict"] is None
        assert not marked
        assert note in study_table.as_markdown(study)
    else:
        assert not notes
        assert measures.time_axis(study, workload) is measures.SECONDS
        assert "s of training" in text
        assert table["selu"]["seconds_verdict"] is not None
        assert marked


def test_errors_are_ranked_wherever_they_were_made():
    alike, apart = (
        [row["error_p_value"] for row in rows.rows(study, study.workloads()[0])]
        for study in (study_with({}), study_with(OTHER, (1, 2)))
    )
    assert alike == apart


def test_a_profile_of_times_needs_machines_alike():
    study = synthetic_study(("relu", "selu"), 3, datasets=("mnist", "digits"))
    assert measures.performance_profile(study) is not None
    runs = tuple(
        dataclasses.replace(run, environment={**run.environment, "runs_at_once": 4})
        for run in study.runs
    )
    assert measures.performance_profile(dataclasses.replace(study, runs=runs)) is None


def test_kinds_are_counted_in_words():
    study = study_with({**OTHER, "usable_cpus": 4}, (0, 1))
    (note,) = machines.notes(study)
    assert note.endswith("(Made-up processor, ? cores: 34; Another processor, 4 cores: 2)")


def test_runs_made_at_once_are_no_entries_of_dawnbench(tmp_path):
    study = study_with({"runs_at_once": 2}, (0,), seeds=1)
    lines = dawnbench.exported(study, tmp_path, dawnbench.Author("Ada", "a@b"))
    assert lines[0].startswith("DAWNBench entries: 2 in")
    assert "of 1 of 3 runs" in lines[1]
