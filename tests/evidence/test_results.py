"""The published results: gathered from studies as their tables have them, and read as frames."""

import dataclasses
import json
import math

import pandas
import pytest

import jaxact
from jaxact import statistics
from jaxact.errors import ConfigError
from jaxact.evidence import gathering, reading
from jaxact.runs.process import shared_machine
from jaxact.statistics import BETTER, WORSE
from tests.support.paths import python
from tests.support.studies import ENVIRONMENT, synthetic_study

EXPERIMENT = {
    "command": "python -m experiments.dead_relu",
    "environment": ENVIRONMENT,
    "claim": "a high rate kills ReLUs",
    "source": "CS231n",
    "answer": "It kills 3 of 4.",
    "settings": {"dataset": "digits", "model": "small_cnn"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two studies and an experiment: the second study was made beside other work."""
    folder = tmp_path_factory.mktemp("results")
    study = synthetic_study(3, 12, 10, health=False, diverged=[("tanh", 5)])
    (folder / "alone").mkdir()
    study.save(folder / "alone")
    marked = {**ENVIRONMENT, shared_machine.FIELD: True}
    runs = tuple(dataclasses.replace(run, environment=marked) for run in study.runs)
    (folder / "beside").mkdir()
    dataclasses.replace(study, runs=runs).save(folder / "beside")
    (folder / "experiment").mkdir()
    (folder / "experiment" / "result.json").write_text(json.dumps(EXPERIMENT))
    return folder


def test_an_activation_has_the_figures_and_verdicts_of_its_study(folder):
    frame = jaxact.results(study="alone", folder=folder).set_index("activation")
    study = jaxact.Study.load(folder / "alone")
    assert [*frame.index] == ["relu", "tanh", "selu"]
    for name in frame.index:
        errors = [error for error in study[name].error_percent if not math.isnan(error)]
        assert frame.error_percent[name] == pytest.approx(statistics.mean(errors).value, rel=1e-5)
        epochs = [math.inf if math.isnan(e) else e for e in study[name].epoch_to_target]
        middle = statistics.median(epochs).value
        shown = middle if math.isfinite(middle) else math.nan
        assert frame.epoch_to_target[name] == pytest.approx(shown, nan_ok=True)
        assert frame.reached[name] == sum(map(math.isfinite, epochs))
        assert frame.seeds[name] == 12
    assert frame.reached["tanh"] == 0
    verdicts = {frame.time_verdict[name] for name in ("tanh", "selu")}
    assert verdicts == {WORSE}  # the synthetic ones are the later the later they are named
    assert pandas.isna(frame.time_verdict["relu"])
    assert [*frame.is_best_time] == [True, False, False]
    assert BETTER not in {*frame.error_verdict}


def test_seconds_of_a_machine_with_other_work_are_left_out(folder):
    alone, beside = (jaxact.results(study=name, folder=folder) for name in ("alone", "beside"))
    timed = [name for name in alone if "second" in name or "latency" in name]
    assert alone[timed].notna().to_numpy().any()
    assert not beside[timed].notna().to_numpy().any()
    assert [*beside.epoch_to_target.dropna()] == [*alone.epoch_to_target.dropna()]
    studies = jaxact.results(kind="studies", folder=folder)
    assert dict(zip(studies.study, studies.is_quiet, strict=True)) == {
        "alone": True,
        "beside": False,
    }


def test_a_run_has_its_own_figures(folder):
    frame = jaxact.results(study="alone", activation="tanh", kind="runs", folder=folder)
    assert [*frame.seed] == [*range(12)]
    assert frame.status[5] == "diverged"
    assert pandas.isna(frame.error_percent[5])
    study = jaxact.Study.load(folder / "alone")
    assert [*frame.error_percent.dropna()] == pytest.approx(
        [error for error in study["tanh"].error_percent if not math.isnan(error)], rel=1e-5
    )


def test_claims_are_those_of_the_experiments_and_the_findings_of_the_paper(folder):
    frame = jaxact.results(kind="claims", folder=folder)
    own = frame[frame.study == "experiment"]
    assert [*own.claim], [*own.evidence] == (["a high rate kills ReLUs"], ["It kills 3 of 4."])
    assert own.verdict.isna().all()
    paper = frame[frame.study == "alone"]
    assert {*paper.source} == {gathering.PAPER}
    assert len(paper) == 5


def test_the_folder_of_one_study_will_do(folder):
    frame = jaxact.results(folder=folder / "alone")
    assert {*frame.study} == {"alone"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"dataset": "mnits"}, "no results of dataset='mnits'; did you mean mnist"),
        ({"kind": "run"}, "kind='run' is unknown; did you mean runs"),
        ({"kind": "claims", "activation": "relu"}, "leave it out"),
    ],
)
def test_a_wrong_question_is_told(folder, asked, said):
    with pytest.raises(ConfigError, match=said):
        jaxact.results(**asked, folder=folder)


def test_a_folder_without_results_is_told(tmp_path):
    with pytest.raises(ConfigError, match="holds no results: give a folder"):
        jaxact.results(folder=tmp_path)
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"result\.json is no result of an experiment"):
        jaxact.results(folder=tmp_path)


def test_numbers_have_six_digits_and_whole_ones_are_whole():
    kept = gathering.kept
    assert [kept(1 / 3), kept(9231114.0), kept(math.inf), kept("a")] == [
        0.333333,
        9231114,
        None,
        "a",
    ]
    assert isinstance(kept(20.0), int)


def test_the_published_ones_are_small_and_of_all_columns():
    assert reading.PUBLISHED.stat().st_size < 500_000
    data = reading.published()
    assert data["format"] == gathering.FORMAT
    for kind, columns in gathering.COLUMNS.items():
        assert tuple(data[kind]["columns"]) == columns
        assert data[kind]["rows"]


def test_reading_them_needs_no_jax():
    code = (
        "import sys, jaxact; frame = jaxact.results('mnist', model='small_cnn');"
        "assert len(frame) >= 6; print('jax' in sys.modules)"
    )
    assert python("-c", code) == "False\n"
