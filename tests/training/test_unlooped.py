"""A network with a convolution of XLA's is trained and evaluated without a loop, alike."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.compilation.clock import Clock
from jaxact.models import create_model
from jaxact.models.convolution import lowering
from jaxact.models.convolution.rewriting import equations, holds_slow_convolution
from jaxact.runs import dispatch
from jaxact.runs.setup import initial_state, prepare
from jaxact.training import program, steps
from jaxact.training.state import Totals
from jaxact.training.unlooped import BatchByBatch, StepByStep
from tests.support.networks import SHAPES
from tests.support.tiny import TINY
from tests.support.variables import drawn


@pytest.fixture(scope="module")
def setup():
    return prepare(TINY)


@pytest.fixture(scope="module")
def unlooped(setup):
    model = setup.model.clone()
    object.__setattr__(model, "is_lowered", False)
    return program.assemble(setup.recipe._replace(model=model), setup.program.optimizer)


def test_steps_and_batches_one_by_one_are_those_of_a_loop(setup, unlooped):
    assert isinstance(unlooped.train, StepByStep)
    assert isinstance(unlooped.evaluate, BatchByBatch)
    split = setup.evaluations["test"]
    batches = dataclasses.replace(
        split,
        images=split.images.reshape(2, -1, *split.images.shape[2:]),
        labels=split.labels.reshape(2, -1),
    )
    results = []
    for compiled in (setup.program, unlooped):
        clock, order = Clock(), jnp.arange(len(setup.train.labels))
        state = initial_state(setup, clock)
        arguments = dispatch.argument(3), state, Totals.zero(), order, setup.train, setup.keys
        state, totals = compiled.train.prepare(clock, *arguments)(*arguments)
        evaluation = compiled.evaluate.prepare(clock, state, batches)(state, batches)
        results.append(jax.device_get((state, totals, evaluation)))
        assert clock.compile_seconds > 0
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5), *results)
    assert int(results[1][0].step) == 3


def test_its_programs_have_no_loop(setup, unlooped):
    state = initial_state(setup, Clock())
    order = jax.ShapeDtypeStruct(setup.train.labels.shape, jnp.int32)
    traced = jax.make_jaxpr(
        functools.partial(
            steps.train_many, setup.model, setup.program.optimizer, lambda k, x, y, c: (x, y),
            lambda x, *_: x.astype(jnp.float32), 64, 1,
        )
    )(state, jax.eval_shape(Totals.zero), order, setup.train, setup.keys)  # fmt: skip
    assert {"while", "scan"}.isdisjoint(e.primitive.name for e in equations(traced))


# None of them has a convolution of XLA's on a CPU: `test_accelerator_programs.py`.
@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", ["small_cnn", "convnext"])
def test_no_network_of_jaxacts_has_a_convolution_that_loops_make_slow(name):
    model = create_model(name)
    side, channels = SHAPES[name][0], SHAPES[name][2]
    variables = drawn(model, side, side, channels)
    images = jax.ShapeDtypeStruct((2, side, side, channels), jnp.float32)

    def loss(params, images, key):
        return model.forward({**variables, "params": params}, images, key)[0].sum()

    with lowering.traced_for("cpu"):
        traced = jax.make_jaxpr(jax.grad(loss))(variables["params"], images, jax.random.key(0))
    assert not holds_slow_convolution(traced)
