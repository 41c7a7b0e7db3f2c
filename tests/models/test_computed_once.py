"""What costs more than to be read is computed once on a CPU, and is what it was."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import activations
from jaxact.models.convolution import lowering
from jaxact.models.convolution.pooling import max_pool
from jaxact.models.layers.activation_layer import activated
from jaxact.models.layers.computed_once import MOST_REPEATED, operations

MARK = r"0\.308537\d*"  # a coefficient of GELU's polynomial near 0; its derivative has another


def pooled(x):
    return max_pool(activated(activations.get("gelu"), x, {}, "layer")).sum()


def read_often(x):
    y = activated(activations.get("gelu"), x, {}, "layer")
    return jnp.concatenate([y[:, i : i + 5, j : j + 5] for i in range(3) for j in range(3)], -1)


@pytest.mark.usefixtures("optimized")
@pytest.mark.skipif(jax.default_backend() != "cpu", reason="of XLA's CPU compiler")
@pytest.mark.parametrize("program", [jax.grad(pooled), read_often])
def test_a_costly_value_is_computed_once(program):
    x = jax.random.normal(jax.random.key(0), (2, 8, 8, 4))

    def count(platform):
        with lowering.traced_for(platform):
            text = jax.jit(lambda x: program(x)).lower(x).compile().as_text()
        return len(re.findall(MARK, text or ""))

    assert count("cpu") == 1
    assert count("any") > 1


def test_values_and_gradients_stay_as_they_were():
    x = jax.random.normal(jax.random.key(0), (2, 8, 8, 4))
    act = activations.get("gelu")
    found = jax.value_and_grad(lambda x: activated(act, x, {}, "layer").sum())(x)
    expected = jax.value_and_grad(lambda x: act(x).sum())(x)
    for mine, plain in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, plain)
    tangent = jnp.ones_like(x)
    along = jax.jvp(lambda x: activated(act, x, {}, "layer"), (x,), (tangent,))[1]
    np.testing.assert_array_equal(along, jax.jvp(act, (x,), (tangent,))[1])


@pytest.mark.parametrize("spec", ["relu", "leaky_relu", "hard_swish", "relu6", "prelu"])
def test_what_is_cheap_is_not_kept(spec):
    assert operations(activations.get(spec)) <= MOST_REPEATED
    program = jax.make_jaxpr(lambda x: activated(activations.get(spec), x, {}, "layer"))
    assert "optimization_barrier" not in str(program(jnp.ones((2, 3))))
