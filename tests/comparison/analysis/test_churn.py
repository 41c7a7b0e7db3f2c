"""Churn: pairs of seeds that predict other classes, from a run's folder to the tables."""

import csv
import dataclasses
import io
import itertools
import json

import numpy as np
import pytest

from jaxact.comparison import study as studies
from jaxact.comparison.analysis import churn
from jaxact.comparison.output import files, report
from jaxact.comparison.output.tables import study_table
from jaxact.errors import ConfigError
from jaxact.runs.records import record_files
from tests.support.studies import synthetic_study, write_study

IMAGES = 200


def predictions(study, workdir, lacking=()):
    """Writes made-up predictions into the runs' folders, and gives them by activation and seed."""
    random, found = np.random.default_rng(0), {}
    for config in study.plan.runs():
        key = (config.activation, config.seed)
        found[key] = random.integers(0, 10, IMAGES).astype(np.uint8)
        found[key][: IMAGES // 2] = 1  # which all agree on
        folder = workdir / study.plan.folder(config)
        if key not in lacking and folder.exists():
            record_files.write_classes(folder / record_files.PREDICTIONS, found[key])
    return found


@pytest.fixture
def study(tmp_path):
    study = synthetic_study(("relu", "tanh"), 3, 2)
    write_study(study, tmp_path)
    return study


def test_it_is_the_mean_over_pairs_with_the_range(study, tmp_path):
    classes = predictions(study, tmp_path)
    measured = churn.with_churn(study, tmp_path)
    for name in study.plan.activations:
        shares = [
            100 * sum(a != b for a, b in zip(classes[name, i], classes[name, j], strict=True)) / 200
            for i, j in itertools.combinations(range(3), 2)
        ]
        value = churn.percent(measured, study.workloads()[0], name)
        assert value == pytest.approx((sum(shares) / 3, min(shares), max(shares)))
        assert 30 < value.value < 50


def test_it_is_in_the_tables_and_the_report_and_can_be_drawn_from_study_json_alone(study, tmp_path):
    predictions(study, tmp_path)
    measured = churn.with_churn(study, tmp_path)
    elsewhere = tmp_path / "copy"
    elsewhere.mkdir()
    measured.save(elsewhere)
    drawn = studies.load(elsewhere)
    assert churn.with_churn(drawn, elsewhere) == drawn
    files.write_tables(drawn, elsewhere)
    value, low, high = churn.percent(measured, study.workloads()[0], "relu")
    text = f"{value:.2f} ({low:.2f} to {high:.2f})"
    assert text in (elsewhere / "table.md").read_text()
    line = next(csv.DictReader(io.StringIO((elsewhere / "table.csv").read_text())))
    assert float(line["churn_percent"]) == value
    assert float(line["churn_percent_high"]) == high
    page = report.page(drawn)
    assert f'{value:.2f}<span class="interval">({low:.2f} to {high:.2f})</span>' in page
    assert "share of test images on which two seeds disagree" in page


def test_without_predictions_nothing_is_shown(study, tmp_path):
    assert churn.with_churn(study, tmp_path) == study
    assert "churn" not in study_table.as_markdown(study) + study_table.as_csv(study)
    assert "churn" not in json.loads((tmp_path / studies.STUDY).read_text())
    assert ">churn %<" not in report.page(study)


@pytest.mark.parametrize(
    ("lacking", "pairs"),
    [
        ({("relu", 1)}, {"relu": 1, "tanh": 3}),
        ({("relu", 0), ("relu", 1)}, {"relu": 0, "tanh": 3}),
    ],
)
def test_runs_of_before_are_left_out(study, tmp_path, lacking, pairs):
    predictions(study, tmp_path, lacking)
    measured = churn.with_churn(study, tmp_path)
    assert {record["activation"]: len(record["pairs"]) for record in measured.churn} == pairs
    value, low, _ = churn.percent(measured, study.workloads()[0], "relu")
    assert np.isnan(value) == (pairs["relu"] == 0)
    assert np.isnan(low)  # no range of one pair
    assert "N/A" in study_table.as_markdown(measured) or pairs["relu"]


def test_runs_that_are_not_done_have_no_part(tmp_path):
    study = synthetic_study(("relu",), 3, 2, diverged={("relu", 0)}, missing={("relu", 2)})
    write_study(study, tmp_path)
    predictions(study, tmp_path)
    (record,) = churn.with_churn(study, tmp_path).churn
    assert record["pairs"] == []


def test_what_a_folder_lacks_stands_as_it_was(study, tmp_path):
    stored = {
        "dataset": "mnist",
        "learning_rate": 1e-3,
        "pairs": [{"seeds": [0, 1], "disagreement": 0.5}],
    }
    both = ({**stored, "activation": "relu"}, {**stored, "activation": "tanh"})
    predictions(study, tmp_path, {("tanh", seed) for seed in range(3)})
    measured = churn.with_churn(dataclasses.replace(study, churn=both), tmp_path)
    workload = study.workloads()[0]
    assert churn.percent(measured, workload, "tanh").value == 50
    assert churn.percent(measured, workload, "relu").value != 50


def test_predictions_of_other_images_are_told(study, tmp_path):
    predictions(study, tmp_path)
    path = tmp_path / "relu" / "seed1" / record_files.PREDICTIONS
    record_files.write_classes(path, np.zeros(7, np.uint8))
    with pytest.raises(ConfigError, match=r"seed1/predictions\.npy holds 7 predictions, and .*200"):
        churn.with_churn(study, tmp_path)


def test_a_damaged_record_is_told(study, tmp_path):
    predictions(study, tmp_path)
    churn.with_churn(study, tmp_path).save(tmp_path)
    value = json.loads((tmp_path / studies.STUDY).read_text())
    value["churn"][0]["pairs"][1]["disagreement"] = None
    (tmp_path / studies.STUDY).write_text(json.dumps(value))
    told = r"churn\[0\]\.pairs\[1\]\.disagreement=None is no number"
    with pytest.raises(ConfigError, match=told):
        studies.load(tmp_path)
