"""The optimizer and its learning rates against their formulas in NumPy, step by step."""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxact import models
from jaxact.runs.setup import prepare
from jaxact.training.optimizer import SCHEDULES, create_optimizer
from tests.support.tiny import TINY
from tests.support.variables import drawn

PEAK, RISE = 0.01, 0.3


def cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def one_cycle(step: int, steps: int) -> float:
    """The share of the peak: from 1/25 to 1 over 30 % of the steps, then down to 1/250,000."""
    top = int(RISE * steps)
    if step < top:
        return cosine(1 / 25, 1, step / top)
    return cosine(1, 1 / 25e4, (step - top) / (steps - top))


SHARES = {
    "constant": lambda step, steps: 1.0,
    "cosine": lambda step, steps: cosine(1, 0, step / steps),
    "one_cycle": one_cycle,
}


@pytest.mark.parametrize("steps", [10, 97])
@pytest.mark.parametrize("name", SCHEDULES)
def test_each_step_has_the_rate_of_the_formula(name, steps):
    """With the same gradient in each step Adam moves a parameter by the rate."""
    optimizer: Any = create_optimizer(PEAK, name, 0.0, steps)
    params = {"bias": np.zeros(1, np.float32)}

    def step(carry, _):
        params, state = carry
        changes, state = optimizer.update({"bias": np.ones(1, np.float32)}, state, params)
        return (optax.apply_updates(params, changes), state), -changes["bias"][0]

    start = params, optimizer.init(params)
    rates = jax.jit(lambda start: jax.lax.scan(step, start, length=steps + 1))(start)[1]
    expected = [PEAK * SHARES[name](k, steps) for k in range(steps + 1)]
    np.testing.assert_allclose(rates, expected, rtol=1e-4, atol=1e-5 * PEAK)


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_a_schedule_ends_with_the_training(schedule):
    setup = prepare(dataclasses.replace(TINY, learning_rate_schedule=schedule))
    assert setup.recipe.total_steps == setup.total_steps == TINY.epochs * (300 // 64)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_three_steps_are_adams(weight_decay):
    """Gradients differ in size and direction; with decay of kernels it is AdamW."""
    rng = np.random.default_rng(0)
    params = {"kernel": rng.normal(size=(3, 2)), "bias": rng.normal(size=2)}
    gradients = [
        {name: scale * rng.normal(size=leaf.shape) for name, leaf in params.items()}
        for scale in (1.0, 10.0, 0.1)
    ]

    @jax.jit
    def train(params, gradients):
        optimizer = create_optimizer(PEAK, "constant", weight_decay, 3)
        state = optimizer.init(params)
        for gradient in gradients:
            changes, state = optimizer.update(gradient, state, params)
            params = optax.apply_updates(params, changes)
        return params

    actual = train(*jax.tree.map(np.float32, (params, gradients)))
    for name, leaf in params.items():
        decay = weight_decay if name == "kernel" else 0.0
        first, second = np.zeros_like(leaf), np.zeros_like(leaf)
        for k, gradient in enumerate(gradients, 1):
            first = 0.9 * first + 0.1 * gradient[name]
            second = 0.999 * second + 0.001 * gradient[name] ** 2
            unbiased = first / (1 - 0.9**k), second / (1 - 0.999**k)
            leaf = leaf - PEAK * (unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8) + decay * leaf)
        np.testing.assert_allclose(actual[name], leaf, rtol=1e-5)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_peak_at_the_learning_rate(name):
    schedule = SCHEDULES[name](1e-2, 1000)
    rates = np.asarray(jax.jit(jax.vmap(schedule))(np.arange(1001)))
    assert rates.max() == pytest.approx(1e-2)
    assert rates.min() >= 0
    assert (rates[-1] == pytest.approx(1e-2)) == (name == "constant")


def test_weight_decay_shrinks_kernels_alone():
    params = drawn(models.create_model("small_cnn", "prelu"), 28, 28, 1)["params"]
    optimizer = create_optimizer(1e-3, "constant", 0.1, 100)

    @jax.jit
    def step(params):
        nothing = jax.tree.map(jnp.zeros_like, params)
        changes, _ = optimizer.update(nothing, optimizer.init(params), params)
        return optax.apply_updates(params, changes)

    after: Any = jax.device_get(step(params))
    for layer, before in params.items():
        for name, leaf in before.items():
            factor = 1 - 1e-3 * 0.1 if name == "kernel" else 1.0
            np.testing.assert_allclose(after[layer][name], leaf * factor, rtol=1e-6)
            assert name in ("kernel", "bias", "alpha")
