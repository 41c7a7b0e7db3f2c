"""The optimizer and its learning rates against their formulas in NumPy, step by step."""

import dataclasses
import math
from typing import Any

import jax
import numpy as np
import optax
import pytest

from jaxact.training.optimizer import SCHEDULES, create_optimizer
from jaxact.training.setup import prepare
from tests.support.tiny import TINY

PEAK, RISE = 0.01, 0.3


def cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def one_cycle(step: int, steps: int) -> float:
    """From 1/25 up to 1 over 30 % of the steps, and down to a ten-thousandth of where it began."""
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
    """Adam's, or AdamW's where kernels decay, of gradients that differ in size and direction."""
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
