"""The table's figures against the runs they are made of, its marks, and its forms."""

import csv
import io
import json
import math
import statistics as plain

import pytest
from rich.console import Console

from jaxact.comparison.analysis import sweep
from jaxact.comparison.output import study_table
from jaxact.presentation.columns import Column, mark_best
from tests.support.studies import synthetic_study


def measured(study):
    table = study_table.rows(study, study.workloads()[0])
    return {row["activation"]: row for row in table if row["source"] == study_table.MEASURED}


def shown(study, width=100):
    written = io.StringIO()
    console = Console(width=width, file=written, highlight=False)
    console.print(study_table.as_rich(study, study.workloads()[0]))
    return written.getvalue()


def test_figures_are_medians_and_a_mean_of_the_runs():
    study = synthetic_study(3, 5)
    row = measured(study)["relu"]
    runs = study.of(study.workloads()[0], "relu")
    for name in ("seconds_to_target", "train_seconds"):
        assert row[name] == plain.median(run.summary[name] for run in runs)
    assert row["latency_ms"] == plain.median(run.summary["latency_ms"]["mean"] for run in runs)
    assert row["error_percent"] == pytest.approx(
        plain.mean(run.summary["error_percent"] for run in runs)
    )
    first = study.runs[0].summary
    assert row["step_ms"] == pytest.approx(row["train_seconds"] / (100 * 10) * 1000, rel=0.01)
    assert first["images_per_second"] * row["step_ms"] / 1000 == pytest.approx(128, rel=0.01)
    for column in study_table.COLUMNS:
        if column.has_interval:
            low, high = row[f"{column.name}_low"], row[f"{column.name}_high"]
            assert low <= row[column.name] <= high
    assert row["error_percent_low"] < row["error_percent_high"]


def test_a_miss_counts_as_infinite():
    study = synthetic_study(("relu", "elu"), 3, diverged={("relu", 0), ("elu", 0), ("elu", 1)})
    rows = measured(study)
    assert rows["relu"]["reached"] == "2/3 (1 diverged)"
    assert rows["relu"]["seconds_to_target"] is not None
    assert rows["relu"]["seconds_to_target_high"] == math.inf
    assert rows["elu"]["seconds_to_target"] is None
    assert rows["elu"]["error_percent"] is not None  # of the run that came to its end
    assert rows["elu"]["error_percent_low"] is None
    assert "never]" in study_table.as_markdown(study)


def test_what_is_not_made_yet_is_no_miss():
    study = synthetic_study(("relu",), 3, missing={("relu", 2)}, failed={("relu", 1)})
    assert measured(study)["relu"]["reached"] == "1/2 (1 failed, 1 to do)"
    assert "relu, seed 1 failed: OSError: the disk was full" in study_table.as_markdown(study)


LOST = {(name, seed) for name in ("relu", "tanh") for seed in range(2)}


@pytest.mark.parametrize(
    "study",
    [
        synthetic_study(("relu", "tanh"), 2, diverged=LOST),
        synthetic_study(("relu", "tanh"), 2, failed=LOST),
        synthetic_study(("relu", "tanh"), 2, missing=LOST),
    ],
    ids=["diverged", "failed", "missing"],
)
def test_a_study_without_a_finished_run_has_a_table(study):
    for row in measured(study).values():
        assert row["error_percent"] is None
        assert row["best"] == []
    assert "N/A" in study_table.as_markdown(study)
    assert "N/A" in shown(study)


def test_tests_are_against_the_baseline():
    study = synthetic_study(("relu", "elu", "tanh"), 8, baseline="elu")
    rows = measured(study)
    assert rows["elu"]["error_p_value"] is None
    assert rows["elu"]["is_baseline"]
    # tanh is clearly worse; Holm over two comparisons of eight pairs: 2 * 2 / 2**8
    assert rows["tanh"]["error_p_value"] == pytest.approx(4 / 256)
    assert rows["tanh"]["seconds_p_value"] is None  # it never reached the target
    assert 0 < rows["relu"]["seconds_p_value"] <= 4 / 256
    few = measured(synthetic_study(("relu", "elu"), 4))
    assert few["elu"]["error_p_value"] is None


def test_without_the_baseline_s_runs_nothing_is_tested():
    lost = {("relu", seed) for seed in range(6)}
    rows = measured(synthetic_study(("relu", "elu"), 6, diverged=lost))
    assert rows["elu"]["seconds_p_value"] is None


def marks(values, tie=0.0, form="{:.2f}", best="low"):
    table = [{"x": value, "best": []} for value in values]
    mark_best(table, [Column("x", "x", form, best)], {"x": tie})
    return ["x" in row["best"] for row in table]


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        ([1.0, 2.0, 3.0], {}, [True, False, False]),
        ([1.0, 2.0, 3.0], {"best": "high"}, [False, False, True]),
        ([1.0, 2.0], {"best": ""}, [False, False]),
        ([1.001, 1.002, 3.0], {}, [True, True, False]),  # shown alike
        ([1.0, 1.0, 1.0], {}, [False, False, False]),
        ([1.0], {}, [False]),
        ([1.0, None], {}, [True, False]),  # the other never got there
        ([None, None], {}, [False, False]),
        ([1.0, 1.4, 2.0], {"tie": 0.5}, [True, True, False]),
        ([1.0, 1.4], {"tie": 0.5}, [False, False]),
    ],
)
def test_the_best_is_marked_where_a_difference_shows(values, options, expected):
    assert marks(values, **options) == expected


BEST = {
    "reached": "high",
    "epoch_to_target": "low",
    "seconds_to_target": "low",
    "train_seconds": "low",
    "latency_ms": "low",
    "error_percent": "low",
    "step_ms": "low",
    "train_memory_mib": "low",
    "best_seconds_to_target": "low",
    "best_error_percent": "low",
}


@pytest.mark.parametrize("columns", [study_table.COLUMNS, sweep.COLUMNS])
def test_the_end_that_is_best_is_marked_in_each_column(columns):
    names = [column.name for column in columns]
    low, high = ({**dict.fromkeys([*names, "reached_share"], x), "best": []} for x in (1.0, 2.0))
    mark_best([low, high], columns, {})
    for row, end in ((low, "low"), (high, "high")):
        expected = [name for name in names if BEST.get(name) == end]
        assert row["best"] == expected, f"BEST in {__file__} says which end of a column is best"


def test_latencies_within_the_floor_of_a_dispatch_are_ties():
    # the made-up ones differ by 0.004 ms each, and the floor is 0.05 ms
    assert not any("latency_ms" in row["best"] for row in measured(synthetic_study(6, 3)).values())
    many = measured(synthetic_study(20, 2))
    best = [name for name, row in many.items() if "latency_ms" in row["best"]]
    assert 1 < len(best) < 20


def test_the_paper_s_row_stands_below_ours():
    study = synthetic_study(("relu", "mish", "tanh"), 2)
    names = [row["activation"] for row in study_table.rows(study, study.workloads()[0])]
    assert names == ["relu", "relu (paper)", "mish", "tanh", "tanh (paper)"]
    text = study_table.as_markdown(study)
    assert "| relu (paper) | 1/1 | 9 | 98.00 | 108.00 | 0.1497 | 1.73 |" in text
    assert "| tanh (paper) | 0/1 | N/A | N/A | 110.00 | 0.1528 | 2.09 |" in text
    assert "Table 3" in text
    other = synthetic_study(("relu",), 2, datasets=("fashion_mnist",))
    assert "paper" not in study_table.as_markdown(other)


def test_the_terminal_marks_the_best_and_fits():
    study = synthetic_study(6, 5)
    text = shown(study, width=80)
    assert "5/5*" in text
    assert "…" not in text, "full at 80 columns: a new row of COLUMNS names none of the `tables`"
    assert text.count("base") == 2  # tests of error and of time
    for row in measured(study).values():
        assert f"{row['error_percent']:.2f}" in text
        assert f"[{row['error_percent_low']:.2f}, {row['error_percent_high']:.2f}]" in text


def test_markdown_marks_the_best_and_is_square():
    lines = study_table.as_markdown(synthetic_study(6, 5)).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table} == {len(study_table.COLUMNS) + 1}
    relu = next(line for line in table if line.startswith("| relu |"))
    assert "| **5/5** |" in relu


def test_csv_is_unrounded_and_read_back():
    study = synthetic_study(2, 5, datasets=("mnist", "fashion_mnist"))
    read = list(csv.DictReader(io.StringIO(study_table.as_csv(study))))
    for workload in study.workloads():
        for row in study_table.rows(study, workload):
            (line,) = (
                line
                for line in read
                if (line["dataset"], line["activation"]) == (workload.dataset, row["activation"])
            )
            for name in ("error_percent", "seconds_to_target", "train_seconds_high"):
                assert line[name] == ("" if row[name] is None else str(row[name]))
    assert {line["source"] for line in read} == {study_table.MEASURED, study_table.PAPER}


def test_json_holds_no_infinity():
    study = synthetic_study(3, 3, diverged={("relu", 0)}, learning_rates=(1e-3, 1e-4))
    value = json.loads(json.dumps(study_table.as_json(study), allow_nan=False))
    assert [w["learning_rate"] for w in value["workloads"]] == [1e-3, 1e-4]
    first = value["workloads"][0]["rows"][0]
    assert first["activation"] == "relu"
    assert first["seconds_to_target_high"] is None
    assert value["not_done"] == [
        f"relu, seed 0, learning rate {rate} diverged: the loss became NaN or infinite at epoch 6, "
        "step 7"
        for rate in ("0.001", "0.0001")
    ]
    assert len(value["sweeps"]["mnist"]) == 3
