"""Optimizers at few and many epochs: their plans and rates, the findings on planted runs, a run."""

import dataclasses
import math

import numpy as np
import pytest
from matplotlib.text import Annotation

from experiments.common import headlines
from experiments.common.findings import REFUTED, SUPPORTED, UNDECIDED
from experiments.optimizers import experiment, findings
from jaxact.errors import ConfigError
from tests.support.experiments import Planted, drawn, perform
from tests.support.studies import synthetic_study

SGD = "sgd(momentum=0.9, nesterov=True)"
SMALL = ("--train_examples=60", "--batch_size=20", "--activations=relu,tanh")
FEW, MANY = 2, 101


def plans(*words):
    return experiment.plans_of(experiment.COMMAND.parse(words))


def test_each_optimizer_has_rates_of_its_own_at_each_number_of_epochs():
    made = plans("--epochs=3,7")
    assert [*made] == [("adam", 3), (SGD, 3), ("adam", 7), (SGD, 7)]
    for (optimizer, epochs), plan in made.items():
        assert (plan.config.optimizer, plan.config.epochs) == (optimizer, epochs)
        assert plan.config.learning_rate_schedule == "cosine"
        assert plan.config.eval_split == "validation"
        assert len(plan.activations) == 6
        assert plan.only_own_rates
    assert made["adam", 3].learning_rates == (0.001, 0.003, 0.01)
    assert made[SGD, 7].learning_rates == (0.01, 0.03, 0.1)
    told = plans("--optimizers=lion,sgd", "--learning_rates=1e-4;0.1,0.2", "--epochs=3")
    assert told["lion", 3].learning_rates == (1e-4,)
    assert told["sgd", 3].learning_rates == (0.1, 0.2)
    assert {tuple(plan.shown_seeds) for plan in told.values()} == {tuple(range(1, 9))}


def test_where_to_look_for_the_rates_of_an_optimizer_is_told_where_it_is_not_known(monkeypatch):
    monkeypatch.delitem(experiment.RATES, "lion")
    with pytest.raises(ConfigError, match="--learning_rates must be given for lion"):
        plans("--optimizers=adam,lion")


def cells(planted, seeds=8, specs=("relu", "tanh")):
    """Made-up comparisons that end in errors by optimizer and epochs, seeds and specs apart."""

    def study(optimizer, epochs):
        made = synthetic_study(specs, seeds, 1, eval_split="validation")
        config = dataclasses.replace(made.plan.config, optimizer=optimizer, epochs=epochs)
        luck = [0.01 * ((7 * run.seed + len(optimizer)) % 5) for run in made.runs]
        ends = [
            dataclasses.replace(
                run,
                status="done" if planted[optimizer, epochs] else "diverged",
                summary={**run.summary, "error_percent": (planted[optimizer, epochs] or 0) + noise},
            )
            for run, noise in zip(made.runs, luck, strict=True)
        ]
        plan = dataclasses.replace(made.plan, config=config)
        return dataclasses.replace(made, plan=plan, runs=tuple(ends))

    return {key: study(*key) for key in planted}


def errors(adam_few, sgd_few, adam_many, sgd_many, many=MANY):
    return {
        ("adam", FEW): adam_few,
        (SGD, FEW): sgd_few,
        ("adam", many): adam_many,
        (SGD, many): sgd_many,
    }


@pytest.mark.parametrize(
    ("planted", "seeds", "expected"),
    [
        (errors(5, 7, 3, 2), 8, [SUPPORTED, SUPPORTED]),
        (errors(7, 5, 2, 3), 8, [REFUTED, REFUTED]),
        (errors(5, 5, 3, 3), 8, [REFUTED, REFUTED]),  # as good within 0.2 points
        (errors(5, None, 3, 2), 8, [SUPPORTED, SUPPORTED]),  # it diverged
        (errors(5, 7, 3, 2), 4, [UNDECIDED, UNDECIDED]),
        (errors(5, 7, 3, 2, many=100), 8, [SUPPORTED, UNDECIDED]),
    ],
)
def test_the_claims_are_tested_on_means_over_activations(planted, seeds, expected):
    few, many = findings.of_claim(cells(planted, seeds))
    assert [few.verdict, many.verdict] == expected
    assert ("4 seeds decide nothing" in few.evidence) is (seeds == 4)
    assert ("more than 100 epochs" in many.evidence) is (("adam", 100) in planted)
    assert "adam has the lower mean with" in few.evidence


def test_a_claim_of_what_is_not_compared_is_undecided():
    planted = errors(5, 7, 3, 2)
    [one] = findings.of_claim(cells({key: planted[key] for key in planted if key[1] == FEW}))
    assert (one.claim, one.verdict) == (findings.CLAIMS["few"], SUPPORTED)
    alone = findings.of_claim(cells({key: planted[key] for key in planted if key[0] == "adam"}))
    assert [finding.verdict for finding in alone] == [UNDECIDED, UNDECIDED]
    assert "not both compared" in alone[0].evidence


def test_what_was_found_is_told_and_drawn(tmp_path, monkeypatch):
    planted = errors(5, 7, 3, 2)
    seeds = 7

    def error(config):
        name = findings.name_of(config.optimizer)
        if name == "sgd" and config.activation == "tanh" and config.epochs == MANY:
            return math.nan
        rates = {"adam": [0.003, 0.01], "sgd": [0.03, 0.1, 0.3]}[name]
        worse = abs(rates.index(config.learning_rate) - (name == "sgd"))
        return planted[config.optimizer, config.epochs] + worse + 0.01 * (config.seed % 3)

    train = Planted(monkeypatch, error, lambda config: 1 if config.epochs > FEW else None)
    monkeypatch.setattr(experiment, "COMPILE_AHEAD", 0)
    words = (f"--workdir={tmp_path / 'x'}", f"--seeds={seeds}", f"--epochs={FEW},{MANY}")
    told = perform(experiment, *SMALL, *words, "--learning_rates=0.003,0.01;0.03,0.1,0.3")
    assert len(train.calls) == 2 * 2 * (2 + 3 + 2 * seeds)
    rows = {(row["activation"], row["epochs"], row["optimizer"]): row for row in told.rows}
    assert len(rows) == 8
    assert rows["tanh", "2", SGD]["points more, p"] == "+2.00, 0.031"
    assert rows["tanh", "2", SGD]["learning rate"] == 0.1
    assert rows["tanh", "2", SGD]["edge"] is None
    assert rows["relu", "2", "adam"]["points more, p"] is None
    assert rows["relu", "2", "adam"]["edge"] == "lowest"
    assert rows["relu", "101", "adam"]["reached"] == "7/7"
    assert rows["relu", "2", "adam"]["epochs to target"] is None
    assert rows["tanh", "101", SGD]["test error %"] is None
    assert rows["tanh", "101", SGD]["points more, p"].startswith("diverged")
    assert [finding.verdict for finding in told.findings] == [SUPPORTED, REFUTED]
    assert "Against adam, by corrected tests: worse for relu, tanh" in told.answer
    assert "adam, 2 epochs (relu, tanh: best at the lowest rate tried" in told.answer
    figures = drawn(experiment, told)
    assert set(figures) == {"learning", "loss", "errors"}
    panels = [ax for ax in figures["learning"].axes if ax.axison]
    cell = told.details["runs"][0]
    shown = np.asarray(panels[0].lines[0].get_ydata(), float)
    np.testing.assert_allclose(shown, np.median(cell["test_errors"]["relu"]))
    finding, rows_of = headlines.told(figures["errors"]), ["relu", "tanh"]
    assert finding == ". ".join(f"{one.claim}: {one.verdict}" for one in told.findings)
    few, many = (
        {
            rows_of[int(text.xy[1])]: text.get_text()
            for text in ax.texts
            if isinstance(text, Annotation)
        }
        for ax in figures["errors"].axes
    )
    assert few == {"relu": "sgd higher", "tanh": "sgd higher"}
    assert many == {"relu": "sgd lower", "tanh": "sgd higher"}  # it diverged
    assert len(panels) == 4
    assert cell["validation_errors_by_rate"]["relu"] == pytest.approx({"0.003": 5, "0.01": 6})
    assert (tmp_path / "x" / "adam" / "epochs=2" / "study.json").exists()
