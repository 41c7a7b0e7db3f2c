"""Estimates of comparisons: only what is missing, each program measured once, nothing written."""

import dataclasses
from collections import Counter

import pytest

from jaxact.comparison import compare, study as studies
from jaxact.comparison.engines import dry_run
from jaxact.comparison.price import Price
from jaxact.errors import ConfigError
from jaxact.runs import estimate
from jaxact.runs.estimate import Span
from tests.runs.test_dry_run import COST
from tests.support.studies import swept_study, synthetic_study, write_study
from tests.support.tiny import words


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """The configurations that were measured; costs are known, and data need not be there."""
    asked = []
    monkeypatch.setattr(dry_run, "check_before_training", lambda *arguments: None)
    monkeypatch.setattr(estimate, "measure", lambda config: asked.append(config) or COST)
    return asked


def test_only_missing_runs_count_and_each_program_is_measured_once(measured, tmp_path):
    missing = {("relu", 1), ("relu", 2), ("tanh", 2)}
    study = synthetic_study(
        ("relu", "tanh", "selu"), 3, 10, datasets=("mnist", "digits"), missing=missing
    )
    found = dry_run.of_study(study, tmp_path)
    pairs = Counter((config.dataset, config.activation) for config in measured)
    assert pairs == {(d, a): 1 for d in ("mnist", "digits") for a in ("relu", "tanh")}
    runs, programs = COST.seconds(10) * 6, COST.compilation * 4
    assert found.seconds.likely == pytest.approx(
        (runs + programs + dry_run.drawing_seconds(study)).likely
    )
    assert (found.more_runs, found.more_seconds) == (0, Span())


def test_a_run_that_was_stopped_has_the_rest_of_its_epochs(tmp_path):
    study = synthetic_study(("relu",), 1, 10, missing={("relu", 0)})
    begun = dataclasses.replace(study.runs[0], metrics=({"epoch": 1},) * 4)
    whole = dry_run.of_study(study, tmp_path).seconds
    left = dry_run.of_study(study.with_run(begun), tmp_path).seconds
    assert whole.likely - left.likely == pytest.approx(4 * (10 * COST.step.likely + 1.0))


def test_further_learning_rates_are_compiled_anew(tmp_path):
    one = synthetic_study(("relu",), 1, 10, missing={("relu", 0)})
    three = synthetic_study(
        ("relu",), 1, 10, learning_rates=(1e-3, 1e-2, 1e-1), missing={("relu", 0)}
    )
    seconds = [dry_run.of_study(study, tmp_path).seconds for study in (one, three)]
    drawing = [dry_run.drawing_seconds(study).likely for study in (one, three)]
    added = 2 * (COST.seconds(10).likely + COST.cold_compilation.likely)
    assert seconds[1].likely - seconds[0].likely == pytest.approx(added + drawing[1] - drawing[0])


def test_seeds_that_may_be_added_are_told_apart(tmp_path):
    study = synthetic_study(("relu", "tanh"), 5, 10, missing={("relu", 4), ("tanh", 4)})
    found = dry_run.of_study(study, tmp_path, most_seeds=8)
    assert found.more_runs == 2 * 3
    assert found.more_seconds == COST.seconds(10) * 3 + COST.seconds(10) * 3


@pytest.mark.parametrize(
    ("own", "more"),
    [
        ({"relu": None, "tanh": None}, {"relu": 5, "tanh": 5}),
        ({"relu": 1e-3, "tanh": 1e-2}, {}),  # of relu the common one; of tanh another, planned
    ],
)
def test_rates_of_an_activations_own_are_runs_that_may_be_added(own, more):
    assert dry_run.possible_runs(swept_study(own), None) == {
        ("mnist", k): n for k, n in more.items()
    }


def test_an_activation_that_fails_is_named_and_the_others_count(monkeypatch, tmp_path, capsys):
    def measure(config):
        if config.activation == "tanh":
            raise TypeError("no such attribute")
        return COST

    monkeypatch.setattr(estimate, "measure", measure)
    study = synthetic_study(("relu", "tanh"), 1, 10, missing={("relu", 0), ("tanh", 0)})
    dry_run.show(dry_run.of_study(study, tmp_path), tmp_path, Price(36.0, "EUR"))
    printed = capsys.readouterr().out
    assert "tanh on mnist will fail, and the others go on: TypeError: no such" in printed
    seconds = COST.seconds(10) + COST.compilation + dry_run.drawing_seconds(study)
    assert f"price: about {seconds.likely / 100:.2f} EUR, from {seconds.low / 100:.2f}" in printed


def test_what_no_run_can_do_without_ends_it(monkeypatch, tmp_path):
    def measure(config):
        raise ConfigError("too large")

    monkeypatch.setattr(estimate, "measure", measure)
    study = synthetic_study(("relu",), 1, 10, missing={("relu", 0)})
    with pytest.raises(ConfigError, match="too large"):
        dry_run.of_study(study, tmp_path)


def test_the_command_estimates_what_a_folder_lacks_and_leaves_it_as_it_is(tmp_path, capsys):
    options = compare.COMMAND.parse(
        [
            *words(),
            "--activations=relu,tanh",
            "--seeds=2",
            f"--workdir={tmp_path / 'c'}",
            "--dry_run",
        ]
    )
    compare.compare(options)
    printed = capsys.readouterr().out
    assert (
        "thin_cnn on digits; 2 activations; seeds 0 to 1; learning rate 0.001; 2 epochs" in printed
    )
    assert "runs: 4, of which 0 are done, and 4 to be made" in printed
    assert not (tmp_path / "c").exists()
    options.until, options.max_seeds = "decided", 6
    compare.compare(options)
    assert "runs: 10, of which 0 are done" in (printed := capsys.readouterr().out)
    assert "at most 2 runs more, by what these show" in printed


def test_of_a_comparison_that_is_there_nothing_is_to_be_made(measured, tmp_path, capsys):
    folder = write_study(synthetic_study(("relu", "tanh"), 2, 10), tmp_path / "c")
    study = studies.load(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    dry_run.show(dry_run.of_study(study, folder), folder)
    assert "runs: 4, of which 4 are done, and 0 to be made" in capsys.readouterr().out
    assert measured == []
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
