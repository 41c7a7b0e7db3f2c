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
from jaxact.errors import ConfigError
from jaxact.runs.setup import prepare
from jaxact.training.optimizer import OPTIMIZERS, SCHEDULES, canonical, create_optimizer
from tests.support.networks import SHAPES
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
    "steps": lambda step, steps: 0.1 ** ((step >= steps // 2) + (step >= 3 * steps // 4)),
}


def rise(name: str, step: int, steps: int, warmup: int) -> float:
    """The share of the peak with a warm-up, which counts among the steps."""
    if step < warmup:
        return (step + 1) / warmup * SHARES[name](0, steps - warmup)
    return SHARES[name](step - warmup, steps - warmup)


@pytest.mark.parametrize(("steps", "warmup"), [(97, 0), (60, 1), (60, 20)])
@pytest.mark.parametrize("name", SCHEDULES)
def test_each_step_has_the_rate_of_the_formula(name, steps, warmup):
    """With the same gradient in each step Adam moves a parameter by the rate."""
    optimizer: Any = create_optimizer(PEAK, name, 0.0, steps, warmup_steps=warmup)
    params = {"bias": np.zeros(1, np.float32)}

    def step(carry, _):
        params, state = carry
        changes, state = optimizer.update({"bias": np.ones(1, np.float32)}, state, params)
        return (optax.apply_updates(params, changes), state), -changes["bias"][0]

    start = params, optimizer.init(params)
    rates = jax.jit(lambda start: jax.lax.scan(step, start, length=steps + 1))(start)[1]
    expected = [PEAK * rise(name, k, steps, warmup) for k in range(steps + 1)]
    np.testing.assert_allclose(rates, expected, rtol=1e-4, atol=1e-5 * PEAK)


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "steps"])
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


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("model", ["mobilenet_v2", "convnext"])
def test_weight_decay_shrinks_kernels_alone(model):
    params = drawn(models.create_model(model, "prelu"), *SHAPES[model])["params"]
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
            assert name in ("kernel", "bias", "alpha", "scale")


def sgd(momentum=0.0, nesterov=False):
    """Three steps of it in NumPy; decay is part of the gradient."""

    def steps(w, gradients, decay):
        velocity = np.zeros_like(w)
        for gradient in gradients:
            gradient = gradient + decay * w
            velocity = momentum * velocity + gradient
            w = w - PEAK * (gradient + momentum * velocity if nesterov else velocity)
        return w

    return steps


def rmsprop(w, gradients, decay):
    second = np.zeros_like(w)
    for gradient in gradients:
        gradient = gradient + decay * w
        second = 0.9 * second + 0.1 * gradient**2
        w = w - PEAK * gradient / np.sqrt(second + 1e-8)
    return w


def lion(w, gradients, decay):
    first = np.zeros_like(w)
    for gradient in gradients:
        w = w - PEAK * (np.sign(0.9 * first + 0.1 * gradient) + decay * w)
        first = 0.99 * first + 0.01 * gradient
    return w


FORMULAS = {
    "sgd": sgd(),
    "sgd(momentum=0.9)": sgd(0.9),
    "sgd(momentum=0.8, nesterov=True)": sgd(0.8, nesterov=True),
    "rmsprop": rmsprop,
    "lion": lion,
}


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("spec", FORMULAS)
def test_three_steps_are_those_of_the_formula(spec, weight_decay):
    rng = np.random.default_rng(0)
    params = {"kernel": rng.normal(size=(3, 2)), "bias": rng.normal(size=2)}
    gradients = {
        name: [scale * rng.normal(size=leaf.shape) for scale in (1.0, 10.0, 0.1)]
        for name, leaf in params.items()
    }
    actual = after_steps(params, gradients, PEAK, "constant", weight_decay, 3, spec=spec)
    for name, leaf in params.items():
        decay = weight_decay if name == "kernel" else 0.0
        expected = FORMULAS[spec](leaf, gradients[name], decay)
        np.testing.assert_allclose(actual[name], expected, rtol=2e-5, atol=1e-7)


def after_steps(params, gradients, *arguments, **options):
    """Parameters after the steps of an optimizer: of each, as many gradients."""

    @jax.jit
    def train(params, gradients):
        optimizer = create_optimizer(*arguments, **options)
        state = optimizer.init(params)
        for k in range(len(gradients["bias"])):
            gradient = {name: steps[k] for name, steps in gradients.items()}
            changes, state = optimizer.update(gradient, state, params)
            params = optax.apply_updates(params, changes)
        return params

    return jax.device_get(train(*jax.tree.map(np.float32, (params, gradients))))


@pytest.mark.parametrize("shape", [(12, 5), (3, 3, 4, 6)])
def test_muon_turns_kernels_into_matrices_and_leaves_the_rest_to_adam(shape):
    rng = np.random.default_rng(0)
    params = {"kernel": np.zeros(shape), "bias": np.zeros(2)}
    uneven = rng.normal(size=shape) * np.geomspace(10, 1, shape[-1])
    gradients = {"kernel": [uneven], "bias": [np.array([3.0, -0.2])]}
    after = after_steps(params, gradients, PEAK, "constant", 0.0, 1, spec="muon(nesterov=False)")
    moved = after["kernel"].reshape(-1, shape[-1])
    values = np.linalg.svd(moved, compute_uv=False)
    given = np.linalg.svd(uneven.reshape(-1, shape[-1]), compute_uv=False)
    assert given.max() > 8 * given.min()
    assert values.max() < 2 * values.min()  # five iterations bring them near to each other
    np.testing.assert_allclose(after["bias"], [-PEAK, PEAK], rtol=1e-4)


def test_gradients_are_scaled_down_together():
    params = {"kernel": np.zeros((1, 2)), "bias": np.zeros(1)}
    gradients = {"kernel": [[[3.0, 0.0]], [[0.3, 0.0]]], "bias": [[4.0], [0.4]]}
    gradients = {name: [np.array(step) for step in steps] for name, steps in gradients.items()}
    after = after_steps(params, gradients, 1.0, "constant", 0.0, 2, spec="sgd", clip_norm=1.0)
    np.testing.assert_allclose(after["kernel"], [[-0.6 - 0.3, 0.0]], rtol=1e-6)
    np.testing.assert_allclose(after["bias"], [-0.8 - 0.4], rtol=1e-6)


@pytest.mark.parametrize("spec", OPTIMIZERS)
def test_every_optimizer_trains_every_kind_of_parameter(spec):
    params = drawn(models.create_model("thin_cnn", "prelu"), 8, 8, 1)["params"]
    optimizer = create_optimizer(1e-3, "constant", 0.1, 10, spec=spec)

    @jax.jit
    def step(params):
        gradients = jax.tree.map(jnp.ones_like, params)
        changes, _ = optimizer.update(gradients, optimizer.init(params), params)
        return optax.apply_updates(params, changes)

    for before, after in zip(
        jax.tree.leaves(params), jax.tree.leaves(jax.device_get(step(params))), strict=True
    ):
        assert np.isfinite(after).all()
        assert (after != before).any()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sgdd", "did you mean sgd"),
        ("sgd(momentum=1)", "momentum must be a number from 0, below 1, not 1"),
        ("sgd(nesterov=1)", "nesterov must be True or False"),
        ("sgd(nesterov=True)", "needs a momentum"),
        ("adam(eps=0)", "eps must be a number above 0"),
        ("adam(b1=True)", "b1 must be a number"),
        ("adam(beta=0.9)", "takes b1, b2, eps"),
        ("adam(", "is no spec"),
    ],
)
def test_a_wrong_spec_is_told_in_a_line(spec, message):
    with pytest.raises(ConfigError, match=message):
        canonical(spec)


@pytest.mark.parametrize(
    ("spec", "decay", "text"),
    [
        ("optax:sgd(learning_rate=0.1)", 0.0, "its learning_rate is config.learning_rate: leave"),
        ("optax:adamw(weight_decay=0.1)", 0.2, "its weight_decay is config.weight_decay: leave"),
    ],
)
def test_what_the_configuration_says_is_not_said_in_brackets_too(spec, decay, text):
    with pytest.raises(ConfigError, match=text):
        create_optimizer(0.1, "constant", decay, 10, spec=spec)


@pytest.mark.parametrize(
    ("spec", "shrinks"),
    [("optax:adamw", ["kernel"]), ("optax:adamw(mask=None)", ["bias", "kernel"])],
)
def test_a_mask_of_ones_own_stays(spec, shrinks):
    optimizer = create_optimizer(0.1, "constant", 0.5, 10, spec=spec)
    params: Any = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}
    changes: Any
    none = jax.tree.map(jnp.zeros_like, params)
    changes, _ = optimizer.update(none, optimizer.init(params), params)
    assert [name for name in sorted(changes) if (changes[name] < 0).all()] == shrinks


def test_a_run_is_trained_as_its_configuration_says():
    """A gradient of norm 5 in the first of two steps of warm-up, by descent without momentum."""
    asked = {"optimizer": "sgd", "warmup_epochs": 0.5, "clip_norm": 2.0, "learning_rate": PEAK}
    setup = prepare(dataclasses.replace(TINY, **asked, label_smoothing=0.1))
    assert setup.recipe.objective.smoothing == 0.1
    assert setup.steps_per_epoch == 4
    params = {"bias": np.zeros(2, np.float32)}
    optimizer = setup.program.optimizer
    gradient = {"bias": np.array([3.0, 4.0], np.float32)}
    changes, _ = jax.jit(lambda g: optimizer.update(g, optimizer.init(params), params))(gradient)
    np.testing.assert_allclose(changes["bias"], -PEAK / 2 * np.array([1.2, 1.6]), rtol=1e-5)
