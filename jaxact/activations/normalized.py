"""Activations that normalise along an axis."""

import functools

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations.numerics import computing_dtype, floating
from jaxact.activations.precision import exact_sum


def _weights(x: Array, axis: int) -> Array:
    """e^(x - max x), at least relative precision: the rounding of the difference is put back."""
    x = jnp.clip(x, jnp.finfo(x.dtype).min, jnp.finfo(x.dtype).max)
    difference, error = exact_sum(x, -jnp.max(x, axis, keepdims=True))
    # Where the weight underflows, the error may be that of an overflow: inf or NaN.
    error = jnp.where(difference > -1e3, error, 0)
    return jnp.exp(difference) * (1 + error)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _softmax(x: Array, axis: int) -> Array:
    wide = x.astype(computing_dtype(x))
    weights = _weights(wide, axis)
    return (weights / jnp.sum(weights, axis, keepdims=True)).astype(x.dtype)


@_softmax.defjvp
def _softmax_jvp(axis: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    y = _softmax(primals[0], axis)
    scaled = y * tangents[0]
    return y, scaled - y * jnp.sum(scaled, axis, keepdims=True)


def softmax(x: Array, axis: int = -1) -> Array:
    """Softmax: e^x_i / sum_j e^x_j along `axis`.

    Args:
        x: floating-point array with at least one axis, `[..., classes]`.
        axis: the axis that sums to 1.

    Returns:
        Array of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not floating-point.

    Source: Bridle 1990.
    """
    return _softmax(floating("softmax", x), axis)


def softmax_derivative(x: Array, axis: int = -1) -> Array:
    """Diagonal of the Jacobian of `softmax`, d y_i / d x_i = y_i (1 - y_i), shape of `x`."""
    x = floating("softmax_derivative", x)
    weights = _weights(x.astype(computing_dtype(x)), axis)
    total = jnp.sum(weights, axis, keepdims=True)
    # 1 - y cancels only for the largest y: there the others are summed by themselves.
    largest = jnp.arange(x.shape[axis]) == jnp.expand_dims(jnp.argmax(x, axis), -1)
    largest = jnp.moveaxis(largest, -1, axis)
    others = jnp.sum(jnp.where(largest, 0, weights), axis, keepdims=True)
    rest = jnp.where(largest, others, total - weights)
    return (weights * rest / (total * total)).astype(x.dtype)
