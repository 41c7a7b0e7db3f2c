"""Networks trained in memory are those that a run trains."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.common import training_options, trials
from jaxact.command import Command
from jaxact.compilation.clock import Clock
from jaxact.runs import setup as setups
from jaxact.training.state import Totals
from tests.support.tiny import TINY

CONFIG = dataclasses.replace(TINY, health_examples=64)


@pytest.fixture(scope="module")
def prepared():
    return trials.prepare(CONFIG)


def largest_difference(one, other):
    return max(
        float(jnp.abs(a - b).max())
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    )


def test_a_trial_ends_where_a_run_with_its_seed_and_rate_does(prepared):
    setup = setups.prepare(dataclasses.replace(CONFIG, seed=3, learning_rate=2e-3))
    clock, keys = Clock(), setup.keys
    state = setups.initial_state(setup, clock)
    totals = Totals.zero()
    for epoch in range(CONFIG.epochs):
        order = setup.program.order.prepare(clock, keys.order, jnp.int32(epoch), setup.train.labels)
        arguments = (order(keys.order, jnp.int32(epoch), setup.train.labels), setup.train, keys)
        steps, totals = jnp.int32(setup.steps_per_epoch), Totals.zero()
        train = setup.program.train.prepare(clock, steps, state, totals, *arguments)
        state, totals = train(steps, state, totals, *arguments)
    trial = prepared.run(3, 2e-3)
    assert int(trial.final.step) == CONFIG.epochs * setup.steps_per_epoch == 8
    assert largest_difference(trial.final.params, state.params) < 1e-5
    assert trial.train_accuracy == pytest.approx(totals.means()[1])
    assert trial.is_finite
    assert largest_difference(trial.final.params, prepared.run(4, 2e-3).final.params) > 1e-3


def test_the_rate_counts_and_by_default_is_the_configurations(prepared):
    same = prepared.run(0), prepared.run(0, CONFIG.learning_rate)
    assert largest_difference(same[0].final.params, same[1].final.params) == 0
    assert largest_difference(same[0].final.params, prepared.run(0, 0.1).final.params) > 0.1


def test_biases_start_where_they_are_told_and_kernels_as_ever(prepared):
    plain, told = prepared.run(0), prepared.run(0, bias_init=0.01)
    for name, leaves in told.initial.params.items():
        np.testing.assert_array_equal(leaves["bias"], np.float32(0.01))
        np.testing.assert_array_equal(leaves["kernel"], plain.initial.params[name]["kernel"])


def test_numbers_that_are_not_finite_are_told(prepared):
    assert not prepared.run(0, 1e30).is_finite


def test_networks_are_looked_into_on_as_many_images_as_there_are():
    command = Command("try", "", training_options.shared(train_examples=None))
    few, all_of_them = command.parse(["--train_examples=64"]), command.parse([])
    assert trials.config_of(few, 256, activation="prelu").health_examples == 64
    assert trials.config_of(all_of_them, 256).health_examples == 256
