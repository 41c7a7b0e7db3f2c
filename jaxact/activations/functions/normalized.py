"""Activations that normalise along an axis."""

import functools

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations.numerics import computing_dtype, floating
from jaxact.activations.precision import exact_sum
from jaxact.activations.registry import INTEGER, activation


def _weights(x: Array, axis: int) -> Array:
    """e^(x - max x), at least relative precision: the rounding of the difference is put back."""
    info = jnp.finfo(x.dtype)
    largest = jnp.clip(jnp.max(x, axis, keepdims=True), info.min, info.max)
    # Farther below, where the weight is 0, the rounding error may be that of an overflow.
    lowest = jnp.maximum(largest - 1e3 - 0.01 * jnp.abs(largest), info.min)
    difference, error = exact_sum(jnp.clip(x, lowest, largest), -largest)
    return jnp.exp(difference) * (1 + error)


def _probabilities(x: Array, axis: int) -> Array:
    weights = _weights(x.astype(computing_dtype(x)), axis)
    return weights / jnp.sum(weights, axis, keepdims=True)


def _dominant(y: Array) -> Array:
    """1 at the one y above 1/2, if any, for which 1 - y may cancel, else 0."""
    return jnp.round(y)  # a comparison would keep XLA from vectorising the sums on a CPU


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _softmax(x: Array, axis: int) -> Array:
    return _probabilities(x, axis).astype(x.dtype)


@_softmax.defjvp
def _softmax_jvp(axis: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    """J t = y (t - sum y t), with t taken relative to that of a y near 1, lest it cancels."""
    y = _probabilities(primals[0], axis)
    dominant = _dominant(y)
    t = tangents[0].astype(y.dtype)
    t -= jnp.sum(t * dominant, axis, keepdims=True)
    tangent = y * (t - jnp.sum(y * t, axis, keepdims=True))
    dtype = primals[0].dtype
    return y.astype(dtype), tangent.astype(dtype)


@functools.partial(jax.jit, static_argnames="axis")
def softmax_derivative(x: Array, axis: int = -1) -> Array:
    """Diagonal of the Jacobian of `softmax`, d y_i / d x_i = y_i (1 - y_i), shape of `x`."""
    x = floating("softmax_derivative", x)
    y = _probabilities(x, axis)
    dominant = _dominant(y)
    others = jnp.sum(y * (1 - dominant), axis, keepdims=True)
    return (y * jnp.where(dominant == 1, others, 1 - y)).astype(x.dtype)


@activation(
    softmax_derivative,
    domains={"axis": INTEGER},
    monotonic=True,
    elementwise=False,
    reference="Bridle 1990, Probabilistic interpretation of feedforward network outputs",
)
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
