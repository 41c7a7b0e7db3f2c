"""Steps against hand-made references: one Adam step, many steps in one dispatch, evaluation."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from jaxact import activations, data, models
from jaxact.compilation.clock import Clock
from jaxact.config import Config
from jaxact.models.layers.conv_net import ConvNet
from jaxact.runs.setup import initial_state, prepare
from jaxact.training import health, steps
from jaxact.training.losses import PLAIN
from jaxact.training.optimizer import create_optimizer
from jaxact.training.state import Totals, create_state
from tests.support import networks
from tests.support.variables import drawn, state_of

BATCH = 8


def no_augmentation(key, images, labels, colors):
    del key, colors
    return images, labels


@pytest.fixture(scope="module")
def problem():
    model = networks.ThinCNN(activations.get("prelu"))
    optimizer = create_optimizer(1e-3, "constant", 0.0, 100)
    rng = np.random.default_rng(0)
    examples = steps.Examples(
        images=jnp.asarray(rng.integers(0, 256, (44, 8, 8, 1), np.uint8)),
        labels=jnp.asarray(rng.integers(0, 10, 44, np.int32)),
        mean=jnp.array([0.5], jnp.float32),
        std=jnp.array([0.25], jnp.float32),
    )
    keys = steps.Keys.from_seed(0)
    create = jax.jit(functools.partial(create_state, model, optimizer))
    return model, optimizer, examples, keys, create(keys.init, np.zeros((1, 8, 8, 1), np.float32))


def normalized(examples, count):
    """The first images of examples, as `data.normalize` has them."""
    examples = jax.device_get(examples)
    return (examples.images[:count] / np.float32(255) - examples.mean) / examples.std


def run(problem, count, state, totals, augment=no_augmentation, order=None):
    """Steps in one dispatch; of `count` an int, their number is a constant of the program."""
    model, optimizer, examples, keys, _ = problem
    if order is None:
        order = steps.epoch_order(keys.order, jnp.int32(0), 44)
    return steps.train_many(
        model,
        optimizer,
        augment,
        data.normalize,
        BATCH,
        count,
        state,
        totals,
        order,
        examples,
        keys,
    )


@pytest.fixture(scope="module")
def many(problem):
    """`run`, compiled once whatever the count, as a training run has it."""
    return jax.jit(lambda count, state, totals: run(problem, count, state, totals))


@pytest.fixture(scope="module")
def step(problem):
    """One step of the first images, compiled once for each kind of labels."""
    model, optimizer, examples, _, state = problem
    images = normalized(examples, BATCH)

    @jax.jit
    def step(labels):
        return steps.train_step(model, optimizer, state, images, labels, jax.random.key(3))

    return lambda labels: jax.device_get(step(labels))


def assert_equal(first, second):
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_a_length_that_xla_knows_changes_rounding_alone(problem, many):
    state = problem[-1]
    known = jax.jit(lambda state, totals: run(problem, 4, state, totals))(state, Totals.zero())
    assert int(known[0].step) == 4
    assert_close = functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6)
    jax.tree.map(assert_close, known, many(jnp.int32(4), state, Totals.zero()))


def test_one_step_is_adam_on_the_mean_cross_entropy(problem, step):
    model, _, examples, _, state = problem
    images, labels = normalized(examples, BATCH), np.asarray(examples.labels)[:BATCH]

    @jax.jit
    @jax.value_and_grad
    def loss_of(params):
        rngs = {"dropout": jax.random.key(3)}
        logits = model.apply({"params": params}, images, train=True, rngs=rngs)
        return -jax.nn.log_softmax(logits)[jnp.arange(BATCH), labels].mean()

    loss, gradients = jax.device_get(loss_of(state.params))
    # Adam's first step, bias-corrected: m = g, v = g^2.
    expected = jax.tree.map(
        lambda p, g: np.asarray(p) - 1e-3 * g / (np.abs(g) + 1e-8), state.params, gradients
    )
    after, actual_loss, correct = step(labels)
    np.testing.assert_allclose(actual_loss, loss, rtol=1e-6)
    jax.tree.map(
        functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), after.params, expected
    )
    assert after.step == 1
    assert 0 <= correct <= BATCH


def test_soft_labels_weigh_the_cross_entropies_of_their_classes(problem, step):
    labels = np.asarray(problem[2].labels)
    logits = np.random.default_rng(1).normal(0, 2, (BATCH, 10)).astype(np.float32)
    one, other = labels[:BATCH], labels[BATCH : 2 * BATCH]
    one_hot = np.eye(10, dtype=np.float32)
    soft = np.float32(0.7) * one_hot[one] + np.float32(0.3) * one_hot[other]
    losses = jax.jit(PLAIN.losses)
    expected = 0.7 * np.asarray(losses(logits, one)) + 0.3 * np.asarray(losses(logits, other))
    np.testing.assert_allclose(losses(logits, soft), expected, rtol=1e-5)

    hard, as_soft = step(one), step(one_hot[one])
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), as_soft, hard)
    # The class with the larger share is the right one.
    assert step(soft)[2] == hard[2]


def test_training_on_mixed_examples_sees_soft_labels(problem):
    """With weights of about one half, no example is classified wholly rightly or wrongly."""
    augment = functools.partial(data.augment_examples, "mixup(amount=100)", 10)
    train = jax.jit(lambda state, totals: run(problem, 5, state, totals, augment))
    state, totals = train(problem[-1], Totals.zero())
    assert int(state.step) == 5
    loss, accuracy = totals.means()
    # Labels of two classes, half and half: log 2 is the least that the loss can be.
    assert loss > np.log(2)
    assert 0 <= accuracy <= 1


def test_the_preprocessing_is_the_same_in_training_health_evaluation_and_latency():
    """All of them whiten: logits of an image agree wherever it passes."""
    config = dataclasses.replace(
        Config(),
        model="thin_cnn",
        train_examples=64,
        test_examples=20,
        batch_size=32,
        preprocessing="zca_whitening",
        dropout_rate=0.0,
        steps_per_dispatch=1,
        latency_samples=0,
    )
    setup = prepare(config)
    state = initial_state(setup, Clock())
    fitted = data.fit_preprocessing("zca_whitening", np.asarray(setup.train.images))
    jax.tree.map(np.testing.assert_array_equal, tuple(fitted), setup.train.preprocessing)
    normalize = jax.jit(data.normalize)
    pixels = normalize(setup.data.test_images, *fitted)
    expected = jax.jit(models.predict, static_argnums=0)(setup.model, state.variables, pixels)

    classifier, fold = setup.program.classifier, setup.program.fold
    images = setup.data.test_images
    logits = classifier.logits(fold(state, images, *setup.train.preprocessing), images)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)

    test = setup.evaluations["test"]
    totals = setup.program.evaluate.prepare(Clock(), state, test)(state, test)
    labels = np.asarray(test.labels)
    losses = np.asarray(jax.jit(PLAIN.losses)(expected, labels[labels >= 0]))
    assert totals.means()[0] == pytest.approx(losses.mean(), rel=1e-4)

    probe = setup.probe
    assert probe is not None

    @jax.jit
    def seen_by_health(state, probe):
        seen = []

        def spy(images, *preprocessing):
            seen.append(data.normalize(images, *preprocessing))
            return seen[-1]

        health.measure(setup.recipe.model, spy, state, probe)
        return seen[0]

    np.testing.assert_array_equal(seen_by_health(state, probe), normalize(probe.images, *fitted))


def test_many_steps_equal_single_ones_however_they_are_dispatched(problem, many):
    state, totals = problem[-1], Totals.zero()
    expected = many(5, state, totals)
    first = many(3, state, totals)
    assert_equal(many(2, *first), expected)
    assert int(expected[0].step) == 5
    assert int(expected[1].examples) == 5 * BATCH


def test_an_epoch_visits_each_image_once_and_the_next_in_another_order():
    key = jax.random.key(0)
    first, second = (np.asarray(steps.epoch_order(key, jnp.int32(e), 44)) for e in range(2))
    np.testing.assert_array_equal(np.sort(first), np.arange(44))
    np.testing.assert_array_equal(np.sort(second), np.arange(44))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, steps.epoch_order(key, jnp.int32(0), 44))


def test_a_step_takes_the_images_whose_turn_it_is(problem):
    seen = []

    def spy(key, images, labels, colors):
        del key, colors
        jax.debug.callback(lambda batch: seen.append(np.asarray(batch)), images)
        return images, labels

    _, _, examples, keys, state = problem
    order = np.asarray(steps.epoch_order(keys.order, jnp.int32(0), 44))
    train = jax.jit(lambda state, totals: run(problem, 5, state, totals, spy, order))
    jax.block_until_ready(train(state, Totals.zero()))
    jax.effects_barrier()
    np.testing.assert_array_equal(
        np.concatenate(seen), np.asarray(examples.images)[order[: 5 * BATCH]]
    )


class Telling(ConvNet):
    """A network that tells the key that its dropout would draw from."""

    tell: Callable[[Any], None] = print

    @nn.compact
    def __call__(self, images, *, train):
        if train:
            jax.debug.callback(self.tell, jax.random.key_data(self.make_rng("dropout")))
        return nn.Dense(10)(images.mean((1, 2)))


def test_each_step_draws_from_keys_of_its_own(problem):
    """Keys are `fold_in(key, step)`, however many steps a dispatch has."""
    seen = {"dropout": set(), "augmentation": set()}

    def tell(stream):
        return lambda data: seen[stream].add(tuple(np.asarray(data).tolist()))

    def augment(key, images, labels, colors):
        del colors
        jax.debug.callback(tell("augmentation"), jax.random.key_data(key))
        return images, labels

    _, optimizer, examples, keys, _ = problem
    model, images = Telling(activations.get("relu"), tell=tell("dropout")), normalized(examples, 1)
    telling = model, optimizer, examples, keys, None
    state = create_state(model, optimizer, keys.init, images)
    train = jax.jit(lambda count, state: run(telling, count, state, Totals.zero(), augment))
    for count in (2, 1, 4):
        state, _ = train(jnp.int32(count), state)
    jax.effects_barrier()
    drawn_by_steps = {stream: set(found) for stream, found in seen.items()}

    seen["dropout"].clear()
    for step in range(7):
        rngs = {"dropout": jax.random.fold_in(keys.dropout, step)}
        model.apply(state.variables, images, train=True, rngs=rngs)
    jax.effects_barrier()
    assert len(seen["dropout"]) == 7
    assert drawn_by_steps["dropout"] == seen["dropout"]
    of_augmentation = [jax.random.fold_in(keys.augmentation, step) for step in range(7)]
    expected = {tuple(jax.random.key_data(key).tolist()) for key in of_augmentation}
    assert drawn_by_steps["augmentation"] == expected


@pytest.mark.usefixtures("thin_networks")
def test_a_step_keeps_the_statistics_that_its_batch_gave():
    model = models.create_model("vgg11")
    variables = drawn(model, 32, 32, 3)
    rng = np.random.default_rng(0)
    images = jnp.asarray(rng.normal(size=(BATCH, 32, 32, 3)), jnp.float32)
    labels = jnp.arange(BATCH, dtype=jnp.int32)
    optimizer = optax.sgd(0.1)
    state = state_of(variables, optimizer.init)

    @jax.jit
    def statistics(state):
        key = jax.random.key(0)
        after, *_ = steps.train_step(model, optimizer, state, images, labels, key)
        call = functools.partial(model.apply, train=True, rngs={"dropout": key})
        _, updates = call(state.variables, images, mutable=["batch_stats"])
        return after.collections["batch_stats"], updates["batch_stats"]

    after, expected = jax.device_get(statistics(state))
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-5), after, expected)
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), after, variables["batch_stats"])
    assert len(jax.tree.leaves(moved)) == 2 * networks.THIN["vgg11"]
    assert min(jax.tree.leaves(moved)) > 1e-3


def test_keys_depend_on_the_seed_alone_and_differ_by_purpose():
    first, again, other = (steps.Keys.from_seed(seed) for seed in (0, 0, 1))
    data_of = lambda keys: [jax.random.key_data(key).tolist() for key in jax.tree.leaves(keys)]  # noqa: E731
    assert data_of(first) == data_of(again)
    assert data_of(first) != data_of(other)
    assert len({tuple(key) for key in data_of(first)}) == 4


def test_the_first_step_with_a_loss_that_is_not_finite_is_recorded(problem, many):
    state = problem[-1]
    for before in (0, 2):
        totals = Totals.zero()
        if before:
            state, totals = many(before, state, totals)
        assert int(totals.nonfinite_step) == -1
        nans = jax.tree.map(lambda x: np.full_like(x, np.nan) if x.ndim else x, state.params)
        _, totals = many(2, dataclasses.replace(state, params=nans), totals)
        assert int(totals.nonfinite_step) == before


def test_evaluation_equals_numpy_and_ignores_padding(problem):
    model, _, examples, _, state = problem
    images, labels = np.asarray(examples.images)[:10], np.asarray(examples.labels)[:10]
    padded = jnp.asarray(np.where(np.arange(10) < 8, labels, -1).reshape(2, 5))
    batches = steps.Examples(
        jnp.asarray(images.reshape(2, 5, 8, 8, 1)), padded, *examples.preprocessing
    )
    found = jax.jit(functools.partial(steps.evaluate, model, data.normalize))(state, batches)
    predict = jax.jit(models.predict, static_argnums=0)
    logits = np.asarray(predict(model, state.variables, normalized(examples, 8)), np.float64)
    log_probabilities = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    real = labels[:8]
    loss, accuracy = found.means()
    assert loss == pytest.approx(-log_probabilities[np.arange(8), real].mean(), rel=1e-5)
    assert accuracy == (logits.argmax(-1) == real).mean()
    assert int(found.totals.examples) == 8
    np.testing.assert_array_equal(np.ravel(found.classes)[:8], logits.argmax(-1))


def test_an_average_of_the_variables_follows_them():
    variables = {"params": {"w": jnp.float32(0)}, "counts": {"n": jnp.int32(0)}}
    average = variables
    seen = []
    for step in range(40):
        variables = {"params": {"w": jnp.float32(1)}, "counts": {"n": jnp.int32(step)}}
        average = steps.averaged(average, variables, jnp.int32(step), 0.75)
        seen.append(float(average["params"]["w"]))
    expected, mean = [], 0.0
    for step in range(40):
        d = min(0.75, (1 + step) / (10 + step))
        mean = d * mean + (1 - d)
        expected.append(mean)
    np.testing.assert_allclose(seen, expected, rtol=1e-5)
    assert int(average["counts"]["n"]) == 39


def test_the_average_is_what_is_evaluated(problem):
    model, optimizer, examples, keys, _ = problem
    images = normalized(examples, 8)
    create = functools.partial(create_state, model, optimizer, has_average=True)
    state = jax.jit(create)(keys.init, images)
    jax.tree.map(np.testing.assert_array_equal, state.average, state.variables)
    labels = examples.labels[:8]
    after, *_ = jax.jit(
        lambda state: steps.train_step(model, optimizer, state, images, labels, keys.init, ema=0.5)
    )(state)
    expected = steps.averaged(state.average, after.variables, state.step, 0.5)
    jax.tree.map(
        functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-7),
        after.evaluated,
        expected,
    )
    assert after.evaluated is after.average
    changed = jax.tree.map(jnp.zeros_like, after.variables)
    assert after.evaluating(changed).evaluated is not after.average
    jax.tree.map(np.testing.assert_array_equal, after.evaluating(changed).params, after.params)
    batches = steps.Examples(images[None] * 0, labels[None], examples.mean, examples.std)
    shifted = after.evaluating(jax.tree.map(lambda leaf: leaf + 1, after.variables))

    evaluate = jax.jit(functools.partial(steps.evaluate, model, lambda x, *_: x + 1))

    def loss(state):
        return evaluate(state, batches).means()[0]

    assert loss(shifted) != loss(after)
    assert loss(shifted) == loss(dataclasses.replace(shifted, params=state.params))
