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


def _probabilities(x: Array, axis: int) -> Array:
    weights = _weights(x.astype(computing_dtype(x)), axis)
    return weights / jnp.sum(weights, axis, keepdims=True)


def _is_largest(y: Array, axis: int) -> Array:
    """True at the (first) largest: the one y for which 1 - y may cancel."""
    return jax.nn.one_hot(jnp.argmax(y, axis), y.shape[axis], axis=axis, dtype=bool)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _softmax(x: Array, axis: int) -> Array:
    return _probabilities(x, axis).astype(x.dtype)


@_softmax.defjvp
def _softmax_jvp(axis: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    """J t = y (t - sum y t), with t taken relative to that of the largest y, lest it cancels."""
    y = _probabilities(primals[0], axis)
    largest = _is_largest(y, axis)
    t = tangents[0].astype(y.dtype)
    t = jnp.where(largest, 0, t - jnp.sum(jnp.where(largest, t, 0), axis, keepdims=True))
    tangent = y * (t - jnp.sum(y * t, axis, keepdims=True))
    dtype = primals[0].dtype
    return y.astype(dtype), tangent.astype(dtype)


@functools.partial(jax.jit, static_argnames="axis")
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


@functools.partial(jax.jit, static_argnames="axis")
def softmax_derivative(x: Array, axis: int = -1) -> Array:
    """Diagonal of the Jacobian of `softmax`, d y_i / d x_i = y_i (1 - y_i), shape of `x`."""
    x = floating("softmax_derivative", x)
    y = _probabilities(x, axis)
    largest = _is_largest(y, axis)
    others = jnp.sum(jnp.where(largest, 0, y), axis, keepdims=True)
    return (y * jnp.where(largest, others, 1 - y)).astype(x.dtype)
