"""Dead units: planted ones are counted, high rates kill more, and what is said is what was seen."""

import dataclasses
import math
from types import SimpleNamespace

import jax.numpy as jnp
import pytest

from experiments.common import trials
from experiments.dead_relu import cells, experiment, figures
from experiments.dead_relu.cells import Cell
from tests.support.experiments import drawn, perform
from tests.support.variables import drawn as variables_of, state_of

WORDS = ["--model=thin_cnn", "--seeds=1", "--epochs=2", "--train_examples=256"]
SMALL = trials.config_of(experiment.COMMAND.parse(WORDS), experiment.PROBE, activation="relu")


@pytest.fixture(scope="module")
def relu():
    """One program for any seed, rate and start of the biases, here and of the experiment."""
    return trials.prepare(SMALL)


@pytest.mark.parametrize(("bias", "share"), [(-1000.0, 1.0), (1000.0, 0.0)])
def test_biases_far_from_zero_kill_all_units_or_none(relu, bias, share):
    """A rate of 1e-9 leaves the start as it is."""
    cell = cells.measure(relu, 1, 1e-9, bias)
    assert cell.dead == [share]
    assert cell.dead_by_layer == [[share]]


def test_the_share_is_that_of_units_not_of_layers(monkeypatch):
    of = trials.prepare(dataclasses.replace(SMALL, model="small_cnn"))
    variables = variables_of(of.setup.model, *of.setup.train.images.shape[1:])
    states = state_of(variables), state_of(variables, step=8)
    trial = trials.Trial(*states, 0.5, 0.5, is_finite=True)
    assert cells.units_of_layers(of, trial).tolist() == [10, 20, 50]
    dead = {8: (1.0, 0.5, 0.0), 0: (0.0, 0.0, 0.0)}  # after the last step, and before the first
    monkeypatch.setattr(of, "run", lambda *_: trial)
    monkeypatch.setattr(
        of, "health", lambda state: [SimpleNamespace(dead=one) for one in dead[int(state.step)]]
    )
    assert cells.measure(of, 1, 0.1, 0.0).dead == [(10 + 20 / 2) / 80]


def test_what_diverges_is_counted_apart(relu):
    cell = cells.measure(relu, 1, 1e30, 0.0)
    assert cell.diverged == 1
    assert math.isnan(cell.dead[0])
    assert experiment.row(cell)["dead (%)"] is None


def test_dead_units_stay_dead(relu):
    """No gradient reaches their weights: Adam leaves them where they are."""
    trial = relu.run(0, 0.1, -1000.0)
    kernel, start = (s.params["Conv_0"]["kernel"] for s in (trial.final, trial.initial))
    assert jnp.array_equal(kernel, start)


def cells_of(spec, shares_by_bias, rates=(0.001, 0.1)):
    return [
        Cell(spec, bias, rate, [share], [[share]], [0.9], int(math.isnan(share)))
        for bias, shares in shares_by_bias.items()
        for rate, share in zip(rates, shares, strict=True)
    ]


def test_the_answer_is_what_was_measured():
    said = experiment.answer(cells_of("relu", {0.0: [0.02, 0.6], 0.01: [0.04, 0.5]}))
    assert "bias 0: 2 % dead at 0.001, 60 % dead at 0.1, half or more from 0.1 on" in said
    assert "biases of 0.01 instead of 0 change the share by -10 to +2 points" in said
    said = experiment.answer(cells_of("elu", {0.0: [0.0, 0.0]}))
    assert said == "elu, bias 0: 0 % dead at 0.001, 0 % dead at 0.1."
    said = experiment.answer(cells_of("relu", {0.0: [0.0, math.nan], 0.01: [math.nan, math.nan]}))
    assert said == "relu, bias 0: 0 % dead at 0.001; bias 0.01: diverged at either end."


def test_the_headline_is_what_was_measured():
    told = figures.headline(cells_of("relu", {0.0: [0.02, 0.6], 0.01: [0.04, 0.5]}))
    assert told == (
        "Half of the units of relu or more are dead from a rate of 0.1 on; biases of 0.01 instead "
        "of 0 change that by -10 to +2 points"
    )
    told = figures.headline(cells_of("elu", {0.0: [0.0, 0.04]}))
    assert told == "At most 4 % of the units of elu are dead"
    told = figures.headline(cells_of("elu", {0.0: [math.nan, math.nan]}))
    assert told == "Training diverged at every rate"


def test_every_rate_meets_every_bias():
    outcome = perform(experiment, *WORDS, "--learning_rates=0.01,0.001", "--biases=0,1000")
    cells = outcome.details["cells"]
    assert [cell["learning_rate"] for cell in cells] == [0.001, 0.01] * 2
    assert [cell["bias"] for cell in cells] == [0, 0, 1000, 1000]
    assert all(cell["dead"] == [0] for cell in cells[2:])
    assert set(drawn(experiment, outcome)) == {"dead_relu"}
