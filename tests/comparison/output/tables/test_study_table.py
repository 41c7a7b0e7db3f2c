"""The table's figures against the runs they are made of, its marks, and its forms."""

import csv
import dataclasses
import html
import io
import json
import math
import statistics as plain

import pytest
from rich.console import Console

from jaxact.comparison.output.tables import rows as table_rows, study_table
from tests.support.studies import synthetic_study


def measured(study):
    table = table_rows.rows(study, study.workloads()[0])
    return {row["activation"]: row for row in table if row["source"] == table_rows.MEASURED}


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
    for column in table_rows.COLUMNS:
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
    # it never reached the target: ranks alone
    assert rows["tanh"]["seconds_p_value"] == pytest.approx(4 / 256)
    assert rows["tanh"]["seconds_verdict"] == "worse"
    assert 0 < rows["relu"]["seconds_p_value"] <= 4 / 256
    few = measured(synthetic_study(("relu", "elu"), 4))
    assert few["elu"]["error_p_value"] is None


def test_what_always_diverged_is_worse_than_all_else():
    lost = {("relu", seed) for seed in range(6)}
    rows = measured(synthetic_study(("relu", "elu"), 6, diverged=lost))
    assert rows["elu"]["error_verdict"] == rows["elu"]["seconds_verdict"] == "better"


BEST = {
    "epoch_to_target": "low",
    "seconds_to_target": "low",
    "train_seconds": "low",
    "latency_ms": "low",
    "error_percent": "low",
    "step_ms": "low",
}


def apart(seeds, floor=0.0):
    """A study of three in which each figure is lower the earlier an activation stands."""
    study = synthetic_study(3, seeds, never_reach=())
    runs = []
    for run in study.runs:
        place = study.plan.activations.index(run.activation)
        noise = 0.01 * math.sin(7 * run.seed + place)
        figures = dict.fromkeys(
            ("seconds_to_target", "epoch_to_target", "train_seconds", "error_percent"),
            10 + place + noise,
        )
        latency = {"mean": 10 + place + noise, "dispatch_floor_p50": floor}
        rate = 1e6 / (10 + place + noise)
        summary = {**run.summary, **figures, "latency_ms": latency, "images_per_second": rate}
        runs.append(dataclasses.replace(run, summary=summary))
    return dataclasses.replace(study, runs=tuple(runs))


def test_the_end_that_is_best_is_marked_in_each_column():
    """Three pairs of two measures, corrected together: ten seeds show them."""
    first, *others = measured(apart(10)).values()
    named = [column.name for column in table_rows.COLUMNS if column.best]
    assert named == [name for name in (c.name for c in table_rows.COLUMNS) if name in BEST]
    assert first["best"] == named, f"BEST in {__file__} says which end of a column is best"
    assert all(row["best"] == [] for row in others)


def test_those_not_shown_to_be_worse_are_marked_with_the_best():
    study = apart(10)
    runs = tuple(
        dataclasses.replace(run, summary={**run.summary, "error_percent": value})
        for run in study.runs
        for value in [
            9.99 + (0.02 if run.seed % 2 else -0.02)
            if run.activation == "tanh"
            else run.summary["error_percent"]
        ]
    )
    rows = measured(dataclasses.replace(study, runs=runs))
    marked = {name for name, row in rows.items() if "error_percent" in row["best"]}
    assert marked == {"relu", "tanh"}


def test_nothing_is_marked_where_nothing_is_shown():
    assert all(row["best"] == [] for row in measured(apart(4)).values())  # too few seeds
    alike = apart(10)
    same = tuple(dataclasses.replace(run, summary=alike.runs[0].summary) for run in alike.runs)
    assert all(
        row["best"] == [] for row in measured(dataclasses.replace(alike, runs=same)).values()
    )


def test_latencies_within_the_floor_of_a_dispatch_are_ties():
    by_floor = {
        floor: {
            name for name, row in measured(apart(10, floor)).items() if "latency_ms" in row["best"]
        }
        for floor in (0.5, 1.5, 2.5)
    }
    assert by_floor == {0.5: {"relu"}, 1.5: {"relu", "tanh"}, 2.5: set()}


def test_a_second_name_is_neither_tested_nor_marked():
    study = apart(10)
    plan = dataclasses.replace(study.plan, twins=(("tanh", "relu"),))
    rows = measured(dataclasses.replace(study, plan=plan))
    assert rows["tanh"]["error_verdict"] == "= relu"
    assert rows["tanh"]["error_p_value"] is None
    assert rows["tanh"]["best"] == []
    assert rows["selu"]["error_verdict"] == "worse"


def test_the_verdicts_stand_in_every_form():
    study = apart(10)
    text = study_table.as_markdown(study)
    assert "| worse |" in text
    assert "| base | base | base |" in text
    assert "All pairs, error, points" in text
    assert "-1, 10/0/0, p = 0.012, better" in text.replace("-1.00", "-1").replace("-1.01", "-1")
    pairs = study_table.as_json(study)["workloads"][0]["pairs"]
    assert len(pairs) == 2 * 3
    assert {(p["name"], p["baseline"], p["verdict"]) for p in pairs} == {
        ("relu", "tanh", "better"), ("relu", "selu", "better"), ("tanh", "selu", "better")
    }  # fmt: skip
    assert "against relu" in shown(study)
    assert shown(study).count("worse") == 4
    assert "All pairs" not in study_table.as_markdown(apart(4))


def test_brackets_are_named_by_what_they_hold():
    assert "the range of 3 seeds" in study_table.as_markdown(synthetic_study(3, 3))
    text = study_table.as_markdown(synthetic_study(3, 8))
    assert "holds the median in 99 % and the mean of normal values in 94 % of studies of 8" in text
    sequential = synthetic_study(3, 8)
    plan = dataclasses.replace(sequential.plan, until="decided")
    text = study_table.as_markdown(dataclasses.replace(sequential, plan=plan))
    assert "8 seeds, added until decided" in text
    assert "All tests allow for seeds having been added by what they showed" in text


def test_brackets_are_named_by_the_seeds_that_are_there():
    to_do = {(spec, seed) for spec in ("relu", "tanh") for seed in range(2, 10)}
    text = shown(synthetic_study(("relu", "tanh"), 10, missing=to_do))
    assert "an interval" not in text
    assert "the range of 2 seeds" in text


def test_the_paper_s_row_stands_below_ours():
    study = synthetic_study(("relu", "mish", "tanh"), 2, target=0.98)
    names = [row["activation"] for row in table_rows.rows(study, study.workloads()[0])]
    assert names == ["relu", "relu (paper)", "mish", "tanh", "tanh (paper)"]
    text = study_table.as_markdown(study)
    assert "| relu (paper) | 1/1 | 9 | 98.00 | 108.00 | 0.1497 | 1.73 |" in text
    assert "| tanh (paper) | 0/1 | N/A | N/A | 110.00 | 0.1528 | 2.09 |" in text
    assert "Table 3" in text
    for other in ({"datasets": ("fashion_mnist",)}, {"epochs": 9}, {"target": 0.97}):
        study = synthetic_study(("relu",), 2, **{"target": 0.98, **other})
        assert "paper)" not in study_table.as_markdown(study), other
    study = synthetic_study(("relu",), 2, target=0.98)
    config = dataclasses.replace(study.plan.config, optimizer="sgd(momentum=0.9)")
    study = dataclasses.replace(study, plan=dataclasses.replace(study.plan, config=config))
    assert "paper)" not in study_table.as_markdown(study)


def test_the_terminal_marks_the_best_and_fits():
    study = synthetic_study(6, 5)
    text = shown(study, width=80)
    assert "*" not in text
    assert "*" in shown(synthetic_study(6, 12), width=80)
    assert "…" not in text, "full at 80 columns: a new row of COLUMNS names none of the `tables`"
    assert text.count("base") == 6  # p, verdict and P(better) of error and of time
    for row in measured(study).values():
        assert f"{row['error_percent']:.2f}" in text
        assert f"[{row['error_percent_low']:.2f}, {row['error_percent_high']:.2f}]" in text


def test_markdown_marks_the_best_and_is_square():
    lines = study_table.as_markdown(synthetic_study(6, 12)).split("## All pairs")[0].splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table} == {len(table_rows.COLUMNS) + 1}
    relu = next(line for line in table if line.startswith("| relu |"))
    assert "| **" in relu


def test_csv_is_unrounded_and_read_back():
    study = synthetic_study(2, 5, datasets=("mnist", "fashion_mnist"), target=0.98)
    read = list(csv.DictReader(io.StringIO(study_table.as_csv(study))))
    for workload in study.workloads():
        for row in table_rows.rows(study, workload):
            (line,) = (
                line
                for line in read
                if (line["dataset"], line["activation"]) == (workload.dataset, row["activation"])
            )
            for name in ("error_percent", "seconds_to_target", "train_seconds_high"):
                assert line[name] == ("" if row[name] is None else str(row[name]))
    assert {line["source"] for line in read} == {table_rows.MEASURED, table_rows.PAPER}


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
    assert value["sweeps"] == {}  # all rates have all seeds: none is chosen


@pytest.mark.parametrize(("seeds", "is_tested"), [(2, False), (12, True)])
def test_a_notebooks_table_has_verdicts_where_there_are_any(seeds, is_tested):
    study = synthetic_study(("relu", "elu"), seeds=seeds)
    page = study_table.as_html(study)
    assert page.count("<tr>") == 3
    assert ("<th>error is</th>" in page) == is_tested
    assert html.escape(study_table.title(study, study.workloads()[0])) in page


def with_relu(study, parameters):
    """The study whose runs know how many parameters there are with ReLU; None: they do not."""
    known = {} if parameters is None else {"parameters_with_relu": parameters}
    runs = [
        dataclasses.replace(run, summary={**run.summary, "parameters": 3000, **known})
        for run in study.runs
    ]
    return dataclasses.replace(study, runs=tuple(runs))


def test_the_ratio_of_parameters_is_shown_where_it_is_not_1():
    study = synthetic_study(("relu", "swiglu"), 2, 3)
    for parameters, is_shown in ((None, False), (3000, False), (2999, False), (2000, True)):
        changed = with_relu(study, parameters)
        columns = [column.heading for column in table_rows.columns_of(changed)]
        assert ("/ReLU" in columns) == is_shown, parameters
        assert ("1.50" in shown(changed)) == is_shown
        assert ("parameters_ratio" in study_table.as_csv(changed)) == is_shown
