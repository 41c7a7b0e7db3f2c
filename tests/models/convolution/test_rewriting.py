"""Convolutions and pooling of any program are computed as jaxact's own."""

import functools
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax

from jaxact.models.convolution import lowering
from jaxact.models.convolution.rewriting import equations, holds_slow_convolution, lowered

X = np.random.default_rng(0).permutation(2 * 9 * 10 * 4).reshape(2, 9, 10, 4) / 100
X = jnp.asarray(X - X.mean(), jnp.float32)
K = jnp.asarray(np.random.default_rng(1).normal(size=(3, 3, 4, 4)), jnp.float32)


def conv(x, kernel=K, **options):
    options = {"window_strides": (1, 1), "padding": "SAME"} | options
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, dimension_numbers=numbers, **options)


def looped(x):
    return lax.scan(lambda x, _: (jnp.tanh(conv(x)), None), x, None, length=3)[0]


def branching(x):
    return lax.cond(x.sum() > -1e9, conv, lambda x: x, x)


PROGRAMS: dict[str, Any] = {
    "convolution": conv,
    "strided": functools.partial(conv, window_strides=(2, 1), padding=((1, 0), (0, 2))),
    "in jit": lambda x: jax.jit(conv)(x) + 1,
    "in remat": jax.checkpoint(lambda x: jnp.sin(conv(x))),
    "in scan": looped,
    "in cond": branching,
    "beside a custom derivative": lambda x: jax.nn.relu(conv(x)),
    "under vmap": lambda x: jax.vmap(conv)(x[None])[0],
    "max pool 2x2": lambda x: nn.max_pool(x, (2, 2), (2, 2)),
    "max pool 3x3 of 2": lambda x: nn.max_pool(x, (3, 3), (2, 2), "SAME"),
    "max pool 2x3 of 1": lambda x: nn.max_pool(x, (2, 3), (1, 1)),
    "max pool with padding": lambda x: nn.max_pool(x, (3, 3), (3, 2), cast(Any, ((1, 0), (1, 1)))),
}
FAST = {
    "dilated": functools.partial(conv, rhs_dilation=(2, 1)),
    "dilated and strided": functools.partial(
        conv, rhs_dilation=(2, 2), window_strides=(2, 1), padding=((1, 0), (0, 2))
    ),
    "depthwise": functools.partial(conv, kernel=K[:, :, :1], feature_group_count=4),
    "grouped": functools.partial(conv, kernel=K[:, :, :2], feature_group_count=2),
}
LEFT = {
    "transposed": functools.partial(conv, lhs_dilation=(2, 2), padding=((1, 2), (2, 1))),
    "NCHW": lambda x: lax.conv(x.transpose(0, 3, 1, 2), K.transpose(3, 2, 0, 1), (1, 1), "SAME"),
    "large window": lambda x: nn.max_pool(x, (9, 10)),
    "over channels": lambda x: lax.reduce_window(
        x, -jnp.inf, lax.max, (1, 1, 1, 2), (1, 1, 1, 2), "VALID"
    ),
}


@pytest.mark.parametrize("name", [*PROGRAMS, *FAST, *LEFT])
def test_values_and_gradients_are_those_of_the_program(name):
    program = (PROGRAMS | FAST | LEFT)[name]

    def value_and_gradient(function):
        weights = np.cos(np.arange(jax.eval_shape(function, X).size, dtype=np.float32))
        loss = lambda x: (function(x).ravel() * weights).sum()  # noqa: E731
        return lambda x: (function(x), jax.grad(loss)(x))

    both = [value_and_gradient(one) for one in (lowered(program), program)]
    ours, theirs = jax.jit(lambda x: [of(x) for of in both])(X)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_is_left_to_xla(name):
    with lowering.traced_for("cpu"):
        program = jax.make_jaxpr(lowered(PROGRAMS[name]))(X)
    names = {equation.primitive.name for equation in equations(program)}
    assert names.isdisjoint({"conv_general_dilated", "reduce_window_max"})
    gradient = jax.grad(lambda x: PROGRAMS[name](x).sum())
    assert holds_slow_convolution(jax.make_jaxpr(gradient)(X)) == ("pool" not in name)


@pytest.mark.parametrize("name", [*FAST, "transposed", "NCHW"])
def test_gradients_are_told_that_loops_make_slow(name):
    program = (FAST | LEFT)[name]
    with lowering.traced_for("cpu"):
        gradient = jax.make_jaxpr(jax.grad(lambda x: lowered(program)(x).sum()))(X)
    assert holds_slow_convolution(gradient) == (name not in FAST)


def test_accelerators_keep_their_own():
    with lowering.traced_for("cuda"):
        assert "conv_general_dilated" in str(jax.make_jaxpr(lowered(conv))(X))


def test_one_within_another_is_left_to_that():
    seen = []

    def program(x):
        seen.append(x)
        return lowered(conv)(x)

    lowered(program)(X)
    assert len(seen) == 1
