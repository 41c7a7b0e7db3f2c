"""Activations that normalise along an axis; derivatives are the diagonals of their Jacobians."""

import functools

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations.numerics import computing_dtype, finite, floating
from jaxact.activations.precision import exact_sum
from jaxact.activations.registry import INTEGER, activation


def _largest(x: Array, axis: int) -> Array:
    return finite(jnp.max(x, axis, keepdims=True))


def _weights(x: Array, axis: int) -> Array:
    """e^(x - max x), at least relative precision: the rounding of the difference is put back."""
    info = jnp.finfo(x.dtype)
    largest = _largest(x, axis)
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


def _others(y: Array, axis: int) -> Array:
    """1 - y, where it may cancel as the sum of the others."""
    dominant = _dominant(y)
    others = jnp.sum(y * (1 - dominant), axis, keepdims=True)
    return jnp.where(dominant == 1, others, 1 - y)


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
    return (y * _others(y, axis)).astype(x.dtype)


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


@functools.partial(jax.jit, static_argnames="axis")
def softmin_derivative(x: Array, axis: int = -1) -> Array:
    """Diagonal of the Jacobian of `softmin`, d y_i / d x_i = -y_i (1 - y_i), shape of `x`."""
    return -softmax_derivative(-floating("softmin_derivative", x), axis)


@activation(
    softmin_derivative,
    domains={"axis": INTEGER},
    monotonic=True,
    elementwise=False,
    reference="softmax(-x), as PyTorch names it",
)
@functools.partial(jax.jit, static_argnames="axis")
def softmin(x: Array, axis: int = -1) -> Array:
    """Softmin: e^-x_i / sum_j e^-x_j along `axis`, which is softmax(-x).

    Args:
      x: floating-point array with at least one axis, `[..., classes]`.
      axis: the axis that sums to 1.

    Returns:
      Array of the shape and dtype of `x`.

    Raises:
      TypeError: `x` is not floating-point.
    """
    return _softmax(-floating("softmin", x), axis)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _log_softmax(x: Array, axis: int) -> Array:
    """x - max x - log(1 + the weights of all but one of the largest).

    For that one itself, near 0, this is the logarithm alone.
    """
    y = x.astype(computing_dtype(x))
    largest = _largest(y, axis)
    difference, error = exact_sum(finite(y), -largest)
    error = jnp.where(jnp.isfinite(difference), error, 0)
    first = jnp.argmax(y, axis, keepdims=True)
    is_first = jnp.arange(y.shape[axis]).reshape(-1, *(1,) * ((-1 - axis) % y.ndim)) == first
    others = jnp.sum(jnp.where(is_first, 0, _weights(y, axis)), axis, keepdims=True)
    result = difference + (error - jnp.log1p(others))
    return jnp.where(jnp.isneginf(y), y, result).astype(x.dtype)


@_log_softmax.defjvp
def _log_softmax_jvp(
    axis: int, primals: tuple[Array], tangents: tuple[Array]
) -> tuple[Array, Array]:
    """J t = t - sum y t, with t taken relative to that of a y near 1, lest it cancels."""
    y = _probabilities(primals[0], axis)
    dominant = _dominant(y)
    t = tangents[0].astype(y.dtype)
    t -= jnp.sum(t * dominant, axis, keepdims=True)
    tangent = t - jnp.sum(y * t, axis, keepdims=True)
    return _log_softmax(primals[0], axis), tangent.astype(primals[0].dtype)


@functools.partial(jax.jit, static_argnames="axis")
def log_softmax_derivative(x: Array, axis: int = -1) -> Array:
    """Diagonal of the Jacobian of `log_softmax`, d y_i / d x_i = 1 - e^y_i, shape of `x`."""
    x = floating("log_softmax_derivative", x)
    return _others(_probabilities(x, axis), axis).astype(x.dtype)


@activation(
    log_softmax_derivative,
    domains={"axis": INTEGER},
    monotonic=True,
    elementwise=False,
    reference="the logarithm of softmax: Bridle 1990, Probabilistic interpretation of outputs",
)
@functools.partial(jax.jit, static_argnames="axis")
def log_softmax(x: Array, axis: int = -1) -> Array:
    """Logarithm of softmax: x_i - log(sum_j e^x_j) along `axis`.

    Args:
      x: floating-point array with at least one axis, `[..., classes]`.
      axis: the axis along which the exponentials of the result sum to 1.

    Returns:
      Array of the shape and dtype of `x`, nowhere above 0; to relative precision also near 0.

    Raises:
      TypeError: `x` is not floating-point.

    Source: Bridle 1990.
    """
    return _log_softmax(floating("log_softmax", x), axis)


def _support(x: Array, axis: int) -> tuple[Array, Array, Array]:
    """x - max x, whether it is in the support of sparsemax, and the threshold there.

    Sorted, the first k are, for the largest k with 1 + k x_k > x_1 + ... + x_k.
    """
    z = jnp.maximum(finite(x) - _largest(x, axis), -2)  # 1 below the largest is out for certain
    ordered = jnp.flip(jnp.sort(z, axis), axis)
    count = jnp.arange(1, z.shape[axis] + 1, dtype=z.dtype)
    count = count.reshape(-1, *(1,) * ((-1 - axis) % z.ndim))
    is_in = 1 + count * ordered > jnp.cumsum(ordered, axis)
    size = jnp.sum(is_in, axis, keepdims=True).astype(z.dtype)
    threshold = (jnp.sum(jnp.where(is_in, ordered, 0), axis, keepdims=True) - 1) / size
    return z, z > threshold, threshold


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _sparsemax(x: Array, axis: int) -> Array:
    z, _, threshold = _support(x.astype(computing_dtype(x)), axis)
    return jnp.maximum(z - threshold, 0).astype(x.dtype)


@_sparsemax.defjvp
def _sparsemax_jvp(axis: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    """J t = t less its mean over the support, and 0 outside of that."""
    x = primals[0]
    z, is_in, _ = _support(x.astype(computing_dtype(x)), axis)
    t = jnp.where(is_in, tangents[0].astype(z.dtype), 0)
    mean = jnp.sum(t, axis, keepdims=True) / jnp.sum(is_in, axis, keepdims=True).astype(z.dtype)
    return _sparsemax(x, axis), jnp.where(is_in, t - mean, 0 * z).astype(x.dtype)  # keeps a NaN


@functools.partial(jax.jit, static_argnames="axis")
def sparsemax_derivative(x: Array, axis: int = -1) -> Array:
    """Diagonal of the Jacobian of `sparsemax`: 1 - 1 / k for the k numbers above 0, else 0."""
    x = floating("sparsemax_derivative", x)
    z, is_in, _ = _support(x.astype(computing_dtype(x)), axis)
    size = jnp.sum(is_in, axis, keepdims=True).astype(z.dtype)
    return jnp.where(is_in, 1 - 1 / size, 0 * z).astype(x.dtype)


@activation(
    sparsemax_derivative,
    domains={"axis": INTEGER},
    monotonic=True,
    elementwise=False,
    reference="Martins and Astudillo 2016, From softmax to sparsemax, arXiv 1602.02068",
)
@functools.partial(jax.jit, static_argnames="axis")
def sparsemax(x: Array, axis: int = -1) -> Array:
    """Sparsemax: the point of the probability simplex that is nearest to x, along `axis`.

    It is max(0, x_i - t), with the t for which the result sums to 1.

    Args:
      x: floating-point array with at least one axis, `[..., classes]`.
      axis: the axis that sums to 1.

    Returns:
      Array of the shape and dtype of `x`; numbers by 1 or more below the largest become 0.

    Raises:
      TypeError: `x` is not floating-point.

    Source: Martins and Astudillo 2016, arXiv 1602.02068, proposition 1 and algorithm 1.
    """
    return _sparsemax(floating("sparsemax", x), axis)
