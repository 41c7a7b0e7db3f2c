"""Losses against loops over classes, penalties against sums by hand, and runs that use them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxact import models
from jaxact.compilation.clock import Clock
from jaxact.runs.setup import initial_state, prepare
from jaxact.training import steps
from jaxact.training.losses import LOSSES, PLAIN, Objective, cross_entropy, kernels
from jaxact.training.state import create_state
from tests.support import networks

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 2, (7, 5)).astype(np.float32)
LABELS = RNG.integers(0, 5, 7, np.int32)


def margins(scores, label):
    """`s_j - s_y + 1` of every wrong class."""
    return [scores[j] - scores[label] + 1 for j in range(len(scores)) if j != label]


REFERENCES = {
    "cross_entropy": lambda s, y: np.log(np.exp(s).sum()) - s[y],
    "hinge": lambda s, y: sum(max(0.0, margin) for margin in margins(s, y)),
    "hinge_max": lambda s, y: max(0.0, *margins(s, y)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_equal_loops_over_classes(name):
    expected = [REFERENCES[name](s, y) for s, y in zip(LOGITS, LABELS, strict=True)]
    actual = jax.jit(Objective(name).losses)(LOGITS, LABELS)
    assert actual.shape == (7,)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_a_soft_label_weighs_the_losses_of_its_classes(name):
    soft = RNG.dirichlet(np.ones(5), 7).astype(np.float32)
    expected = [
        sum(p * REFERENCES[name](s, y) for y, p in enumerate(weights))
        for s, weights in zip(LOGITS, soft, strict=True)
    ]
    actual = jax.jit(Objective(name).losses)(LOGITS, soft)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["hinge", "hinge_max"])
def test_a_hinge_is_zero_and_flat_beyond_the_margin(name):
    losses = jax.jit(jax.value_and_grad(lambda s: LOSSES[name](s, jnp.array([0])).sum()))
    loss, gradient = losses(np.array([[3.0, 1.9, -5.0]], np.float32))
    assert loss == 0
    np.testing.assert_array_equal(gradient, 0)
    assert losses(np.array([[3.0, 2.5, -5.0]], np.float32))[0] == pytest.approx(0.5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_score_that_is_nan_is_not_hidden(name):
    logits = np.array([[0.0, np.nan, 1.0]], np.float32)
    assert np.isnan(jax.jit(LOSSES[name])(logits, np.array([2])))[0]


PARAMS = {
    "Conv_0": {"kernel": np.array([[1.0, -2.0]]), "bias": np.array([5.0, 5.0])},
    "BatchNorm_0": {"scale": np.array([7.0]), "bias": np.array([7.0])},
    "ActivationLayer_0": {"alpha": np.array(9.0)},
    "Dense_0": {"kernel": np.array([[-0.5], [0.0]]), "bias": np.array([5.0])},
}


@pytest.mark.parametrize(
    ("l1", "l2", "expected"),
    [(0, 0, 0), (1, 0, 3.5), (0, 1, 5.25), (0.1, 0, 0.35), (0.1, 0.01, 0.35 + 0.0525)],
)
def test_penalties_are_sums_over_kernels(l1, l2, expected):
    penalized = jax.jit(Objective(l1=l1, l2=l2).penalized)
    assert penalized(np.float32(2), PARAMS) == pytest.approx(2 + expected)


def test_the_gradient_of_a_penalty_is_that_of_kernels_alone():
    penalized = Objective(l1=0.1, l2=0.01).penalized
    gradient = jax.jit(jax.grad(penalized, argnums=1))(np.float32(0), PARAMS)
    for layer, leaves in PARAMS.items():
        for name, leaf in leaves.items():
            expected = 0.1 * np.sign(leaf) + 0.02 * leaf if name == "kernel" else 0 * leaf
            np.testing.assert_allclose(gradient[layer][name], expected, rtol=1e-6)


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", networks.PUBLISHED)
def test_every_model_has_kernels_to_penalize(name):
    model = models.create_model(name, "prelu")
    images = jnp.zeros((1, model.input_size, model.input_size, 1))
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), images, train=False))["params"]
    penalized = kernels(params)
    assert len(penalized) == sum("kernel" in leaves for leaves in params.values()) > 1
    assert all(leaf.ndim in (2, 4) for leaf in penalized)


def test_a_step_descends_on_the_loss_and_the_penalties():
    model, optimizer = models.create_model("thin_cnn", "prelu"), optax.sgd(0.5)
    objectives = {
        "plain": PLAIN,
        "elastic": Objective(l1=1e-3, l2=1e-2),
        "smoothed": Objective(smoothing=0.3),
    }
    images = jnp.asarray(np.random.default_rng(1).normal(size=(4, 8, 8, 1)), jnp.float32)
    labels, key = jnp.array([0, 1, 2, 3]), jax.random.key(2)

    @jax.jit
    def before_and_after():
        state = create_state(model, optimizer, jax.random.key(0), images)
        arguments = model, optimizer, state, images, labels, key
        return state.params, {
            name: steps.train_step(*arguments, objective) for name, objective in objectives.items()
        }

    params, after = jax.device_get(before_and_after())
    plain, elastic, smoothed = (after[name] for name in objectives)
    assert plain[1] == elastic[1] == smoothed[1]  # what is recorded is the loss alone
    # The gradient of the logits' bias is the mean of softmax less the labels' weights.
    moved = plain[0].params["Dense_0"]["bias"] - smoothed[0].params["Dense_0"]["bias"]
    weights = np.eye(10)[np.arange(4)].mean(0)
    np.testing.assert_allclose(moved, 0.5 * 0.3 * (weights - 0.1), atol=1e-6)
    for layer, leaves in params.items():
        for name, leaf in leaves.items():
            change = plain[0].params[layer][name] - elastic[0].params[layer][name]
            penalty = 1e-3 * np.sign(leaf) + 2e-2 * leaf if name == "kernel" else 0 * leaf
            np.testing.assert_allclose(change, 0.5 * penalty, atol=1e-6)


def test_a_run_is_evaluated_and_probed_with_its_own_loss(tiny):
    name = "hinge"
    setup = prepare(dataclasses.replace(tiny, loss=name, test_examples=20, dropout="elements"))
    assert setup.model.dropout == "elements"  # pyright: ignore[reportAttributeAccessIssue]
    clock = Clock()
    state = initial_state(setup, clock)
    batches = setup.evaluations["test"]
    pixels = setup.data.test_images.astype(np.float32) / 255
    images = (pixels - np.asarray(batches.mean)) / np.asarray(batches.std)
    predict = jax.jit(models.predict, static_argnums=0)
    logits = np.asarray(predict(setup.model, state.variables, images))
    labels = np.asarray(batches.labels).reshape(-1)
    expected = np.mean([REFERENCES[name](s, y) for s, y in zip(logits, labels, strict=True)])
    evaluate = setup.program.evaluate.prepare(clock, state, batches)
    assert evaluate(state, batches).means()[0] == pytest.approx(expected, rel=1e-5)
    assert setup.probe is not None
    norms = {}
    for loss in (name, "cross_entropy"):
        program = prepare(dataclasses.replace(tiny, loss=loss, dropout="elements")).program
        layers = program.health.prepare(clock, state, setup.probe)(state, setup.probe)
        norms[loss] = float(layers[-1].gradient_norm)
    assert norms[name] != pytest.approx(norms["cross_entropy"], rel=0.01)


@pytest.mark.parametrize("name", LOSSES)
def test_smoothed_labels_are_a_mixture(name):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(5, 4)).astype(np.float32)
    labels = np.array([0, 3, 1, 1, 2], np.int32)
    weights = np.float32(0.8) * np.eye(4)[labels] + 0.2 / 4
    each = [[REFERENCES[name](s, y) for y in range(4)] for s in logits]
    objective = Objective(name, smoothing=0.2)

    @jax.jit
    def plain_and_smoothed(logits, labels):
        losses = objective.losses(logits, labels)
        return losses, objective.smoothed(losses, logits)

    losses, smoothed = plain_and_smoothed(logits, labels)
    np.testing.assert_allclose(smoothed, (weights * each).sum(-1), rtol=1e-5)
    np.testing.assert_allclose(losses, np.asarray(each)[range(5), labels], rtol=1e-5)


# The last test: what comes after it in this file is compiled with optimisations, too.
@pytest.mark.usefixtures("optimized")
def test_cross_entropy_is_optax_s_bit_for_bit():
    logits = LOGITS.copy()
    logits[0] = [1e4, -1e4, 0, 3e38, -3e38]  # and where exp overflows

    def both(loss):
        return jax.jit(jax.value_and_grad(lambda s: loss(s, jnp.asarray(LABELS)).sum()))(logits)

    theirs, ours = (
        both(f) for f in (optax.softmax_cross_entropy_with_integer_labels, cross_entropy)
    )
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)
