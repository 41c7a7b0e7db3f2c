"""A study's file and folders: what is written is read back, what is wrong is told."""

import dataclasses
import json

import pytest

from jaxact.comparison import study as studies
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING
from jaxact.errors import ConfigError
from jaxact.runs.records import record_files
from tests.support.studies import synthetic_study, write_study


def test_a_study_is_read_back_as_it_was(tmp_path):
    study = synthetic_study(
        3,
        2,
        datasets=("mnist", "cifar10"),
        learning_rates=(1e-3, 1e-4),
        diverged={("relu", 0)},
        failed={("tanh", 1)},
        missing={("selu", 1)},
    )
    study.save(tmp_path)
    assert studies.load(tmp_path) == study
    assert len(study.workloads()) == 4
    assert [run.seed for run in study.of(study.workloads()[3], "tanh")] == [0, 1]
    assert {run.activation for run in study.with_status(FAILED)} == {"tanh"}
    assert [path.name for path in tmp_path.iterdir()] == ["study.json"]


def test_a_run_is_replaced_by_its_newer_reading():
    study = synthetic_study(2, 2, missing={("tanh", 1)})
    newer = synthetic_study(2, 2).runs[2]
    changed = study.with_run(newer)
    assert [run.status for run in study.runs] == [DONE, DONE, MISSING, DONE]
    assert changed.runs == (*study.runs[:2], newer, study.runs[3])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "holds no study.json"),
        ("{", "cannot be read"),
        ("[]", "not a comparison's"),
        ('{"format": 99}', "has format 99"),
        ('{"format": 1, "plan": {}}', "not a comparison's"),
        ('{"format": 1, "plan": {"config": {"what": 1}}}', "not a comparison's"),
    ],
)
def test_what_is_no_study_is_refused_in_a_line(tmp_path, text, told):
    if text is not None:
        (tmp_path / "study.json").write_text(text)
    with pytest.raises(ConfigError) as refused:
        studies.load(tmp_path)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_without_its_study_is_read_from_its_runs(tmp_path):
    study = synthetic_study(2, 2)
    write_study(study, tmp_path)
    for run, config in zip(study.runs, study.plan.runs(), strict=True):
        folder = tmp_path / study.plan.folder(config)
        assert studies.read_run(tmp_path, study.plan, config) == run
        assert folder.is_dir()


def test_a_run_with_fewer_epochs_than_asked_for_is_to_go_on(tmp_path):
    study = write_study(synthetic_study(1, 1, 5), tmp_path)
    longer = synthetic_study(1, 1, 6).plan
    (config,) = longer.runs()
    run = studies.read_run(study, longer, config)
    assert run.status == MISSING
    assert run.summary == {}
    assert len(run.metrics) == 5


def test_a_line_that_a_kill_cut_off_is_no_row(tmp_path):
    study = synthetic_study(1, 1)
    write_study(study, tmp_path)
    (config,) = study.plan.runs()
    path = tmp_path / study.plan.folder(config) / record_files.METRICS
    path.write_text(path.read_text() + '{"epoch": 11, "st')
    assert studies.read_run(tmp_path, study.plan, config).metrics == study.runs[0].metrics


def test_what_diverged_is_not_made_again_and_what_failed_is(tmp_path):
    study = synthetic_study(2, 1, diverged={("relu", 0)}, failed={("tanh", 0)})
    study.save(tmp_path)
    again = studies.begin(tmp_path, study.plan)
    assert [run.status for run in again.runs] == [DIVERGED, MISSING]
    assert again.runs[0] == study.runs[0]


def test_the_file_is_plain_json(tmp_path):
    synthetic_study(1, 1).save(tmp_path)
    value = json.loads((tmp_path / "study.json").read_text())
    assert value["format"] == studies.FORMAT
    assert value["plan"]["activations"] == ["relu"]
    assert value["runs"][0]["status"] == "done"


def test_where_a_machine_keeps_its_data_stays_with_it(tmp_path):
    study = synthetic_study(2, 1)
    own = dataclasses.replace(study.plan.config, data_dir="/home/someone/data")
    plan = dataclasses.replace(study.plan, config=own)
    dataclasses.replace(study, plan=plan).save(tmp_path)
    assert "someone" not in (tmp_path / "study.json").read_text()
    loaded = studies.load(tmp_path).plan
    assert not plan.differences(loaded)
    assert loaded == study.plan
