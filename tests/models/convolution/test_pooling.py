"""Pooling as we compute it equals XLA's own, values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact.models import create_model
from jaxact.models.convolution import pooling
from jaxact.models.convolution.pooling import max_pool, overlapping_max_pool
from jaxact.models.networks import vgg


def values_and_gradients(shape, *pools):
    """Values and gradients of each pool at the same images, by one program."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal(shape, np.float32)
    weights = rng.standard_normal(jax.eval_shape(pools[0], images).shape, np.float32)

    @jax.jit
    def of_all(images, weights):
        pairs = [jax.vjp(pool, images) for pool in pools]
        return [value for value, _ in pairs], [pull_back(weights)[0] for _, pull_back in pairs]

    return jax.device_get(of_all(images, weights))


@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (2, 7, 9, 3)])
def test_max_pool_equals_flaxs(shape):
    values, gradients = values_and_gradients(
        shape, max_pool, lambda x: nn.max_pool(x, (2, 2), (2, 2))
    )
    np.testing.assert_array_equal(*values)
    np.testing.assert_allclose(*gradients, rtol=1e-6)


def test_max_pool_splits_the_gradient_among_equals():
    images = np.array([[1, 1], [0, 1]], np.float32).reshape(1, 2, 2, 1)
    gradient = jax.jit(jax.grad(lambda x: max_pool(x).sum()))(images)
    np.testing.assert_allclose(np.ravel(gradient), [1 / 3, 1 / 3, 0, 1 / 3], rtol=1e-6)


def stock_pool(images):
    """XLA's: a missing last row or column is filled with -inf."""
    after = [(0, 1 - side % 2) for side in images.shape[1:3]]
    padded = jnp.pad(images, ((0, 0), *after, (0, 0)), constant_values=-jnp.inf)
    return nn.max_pool(padded, (3, 3), (2, 2))


@pytest.mark.parametrize("shape", [(2, 7, 10, 3), (1, 2, 2, 1), (1, 3, 2, 1)])
def test_overlapping_pool_equals_flaxs(shape):
    values, gradients = values_and_gradients(shape, overlapping_max_pool, stock_pool)
    np.testing.assert_array_equal(*values)
    assert values[0].shape == (shape[0], shape[1] // 2, shape[2] // 2, shape[3])
    np.testing.assert_allclose(*gradients, rtol=1e-5, atol=1e-6)


def test_overlapping_pool_splits_the_gradient_among_equals():
    images = np.array([[1, 1, 0], [0, 2, 0], [0, 0, 2]], np.float32).reshape(1, 3, 3, 1)
    gradient = jax.jit(jax.grad(lambda x: overlapping_max_pool(x).sum()))(images)
    np.testing.assert_allclose(np.reshape(gradient, (3, 3)), np.diag([0.0, 0.5, 0.5]))


def test_gradients_stay_finite_where_a_compiler_rounds_in_two_ways(monkeypatch):
    """Unoptimised code computes the squares again for the gradient; then none may be the largest.

    With the derivative of `jnp.max` this network's gradients are NaN.
    """
    monkeypatch.setattr(vgg, "STAGES", ((64,), (64, 64)))
    model = create_model("vgg11", "tanh")
    rng = np.random.default_rng(0)
    images = rng.standard_normal((8, 4, 4, 3), np.float32)
    shapes = jax.eval_shape(lambda key: model.init(key, images, train=False), jax.random.key(1))
    variables = jax.tree.map(lambda leaf: rng.standard_normal(leaf.shape, leaf.dtype), shapes)

    def loss(params):
        changed = {**variables, "params": params}
        return (model.apply(changed, images, train=True, mutable=["batch_stats"])[0] ** 2).sum()

    unoptimized = {
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    }
    gradient = jax.jit(jax.grad(loss), compiler_options=unoptimized)(variables["params"])
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_overlapping_pools_gradient_is_finite_where_no_pixel_equals_the_output():
    images = np.random.default_rng(0).standard_normal((1, 5, 5, 2), np.float32)
    rounded = np.nextafter(jax.jit(overlapping_max_pool)(images), np.float32(np.inf))
    (gradient,) = jax.jit(pooling._backward)((images, rounded), np.ones_like(rounded))
    np.testing.assert_array_equal(gradient, 0)
