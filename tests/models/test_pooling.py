"""Pooling as we compute it equals XLA's own, values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact.models import create_model, pooling, vgg
from jaxact.models.pooling import max_pool, overlapping_max_pool


@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (2, 7, 9, 3), (1, 5, 5, 2)])
@pytest.mark.parametrize("window", [2, 3])
def test_max_pool_equals_flaxs(shape, window):
    images = jax.random.normal(jax.random.key(0), shape)
    pools = [
        lambda x: max_pool(x, window),
        lambda x: nn.max_pool(x, (window, window), (window, window)),
    ]
    values = [pool(images) for pool in pools]
    np.testing.assert_array_equal(*values)
    weights = jax.random.normal(jax.random.key(1), values[0].shape)
    gradients = [jax.grad(lambda x, p=pool: (p(x) * weights).sum())(images) for pool in pools]
    np.testing.assert_allclose(*gradients, rtol=1e-6)


def test_max_pool_splits_the_gradient_among_equals():
    images = jnp.array([[1.0, 1.0], [0.0, 1.0]]).reshape(1, 2, 2, 1)
    gradient = jax.grad(lambda x: max_pool(x).sum())(images)
    np.testing.assert_allclose(gradient.ravel(), [1 / 3, 1 / 3, 0, 1 / 3], rtol=1e-6)


def stock_pool(images):
    """XLA's: a missing last row or column is filled with -inf."""
    after = [(0, 1 - side % 2) for side in images.shape[1:3]]
    padded = jnp.pad(images, ((0, 0), *after, (0, 0)), constant_values=-jnp.inf)
    return nn.max_pool(padded, (3, 3), (2, 2))


@pytest.mark.parametrize(
    "shape", [(2, 7, 7, 3), (2, 8, 8, 3), (1, 5, 10, 2), (1, 2, 2, 1), (1, 3, 2, 1)]
)
def test_overlapping_pool_equals_flaxs(shape):
    images = jax.random.normal(jax.random.key(0), shape)
    expected = stock_pool(images)
    np.testing.assert_array_equal(overlapping_max_pool(images), expected)
    assert expected.shape == (shape[0], shape[1] // 2, shape[2] // 2, shape[3])
    weights = jax.random.normal(jax.random.key(1), expected.shape)
    gradients = [
        jax.grad(lambda x, p=pool: (p(x) * weights).sum())(images)
        for pool in (overlapping_max_pool, stock_pool)
    ]
    np.testing.assert_allclose(*gradients, rtol=1e-5, atol=1e-6)


def test_overlapping_pool_splits_the_gradient_among_equals():
    images = jnp.asarray([[1.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]).reshape(1, 3, 3, 1)
    gradient = jax.grad(lambda x: overlapping_max_pool(x).sum())(images)
    np.testing.assert_allclose(gradient.reshape(3, 3), np.diag([0.0, 0.5, 0.5]))


def test_gradients_stay_finite_where_a_compiler_rounds_in_two_ways(monkeypatch, optimized):
    """Unoptimised code computes the squares again for the gradient; then none may be the largest.

    With the derivative of `jnp.max` this network's gradients are NaN.
    """
    monkeypatch.setattr(vgg, "STAGES", ((64,), (64, 64)))
    model = create_model("vgg11", "tanh")
    images = jax.random.normal(jax.random.key(0), (8, 4, 4, 3))
    variables = model.init(jax.random.key(1), images, train=False)

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
    images = jax.random.normal(jax.random.key(0), (1, 5, 5, 2))
    rounded = jnp.nextafter(overlapping_max_pool(images), jnp.inf)
    (gradient,) = pooling._backward((images, rounded), jnp.ones_like(rounded))
    np.testing.assert_array_equal(gradient, 0)
