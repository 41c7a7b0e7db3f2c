"""Shrinkage: functions that draw their input towards 0, and their derivatives."""

import math

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import Kink
from jaxact.activations.numerics import elementwise, nan_like, negative_abs
from jaxact.activations.registry import POSITIVE, activation

_NEAR = 2.0
_TERMS = {jnp.dtype("float32"): 8, jnp.dtype("float64"): 13}  # of the series below _NEAR


@elementwise()
def soft_shrink_derivative(x: Array, threshold: ArrayLike = 0.5) -> Array:
    """Derivative of `soft_shrink`: 1 if |x| > threshold else 0."""
    return nan_like(x, jnp.where(jnp.abs(x) > threshold, jnp.ones_like(x), 0))


@activation(
    soft_shrink_derivative,
    domains={"threshold": POSITIVE},
    kinks=lambda threshold: (Kink(-threshold, 0.0), Kink(threshold, 0.0)),
    monotonic=True,
    reference="Donoho 1995, De-noising by soft-thresholding",
)
def soft_shrink(x: Array, threshold: ArrayLike = 0.5) -> Array:
    """Soft shrinkage: x - threshold above it, x + threshold below -threshold, else 0.

    Args:
      x: floating-point array of any shape.
      threshold: positive number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`, with derivative 0 at both thresholds.

    Source: Donoho 1995, De-noising by soft-thresholding, IEEE Trans. Information Theory 41.
    """
    return x - jnp.clip(x, -jnp.asarray(threshold), threshold)


@elementwise()
def hard_shrink_derivative(x: Array, threshold: ArrayLike = 0.5) -> Array:
    """Derivative of `hard_shrink`: 1 if |x| > threshold else 0, also where the function jumps."""
    return nan_like(x, jnp.where(jnp.abs(x) > threshold, jnp.ones_like(x), 0))


@activation(
    hard_shrink_derivative,
    domains={"threshold": POSITIVE},
    kinks=lambda threshold: (Kink(-threshold, 0.0), Kink(threshold, 0.0)),
    monotonic=True,
    reference="Donoho and Johnstone 1994, Ideal spatial adaptation by wavelet shrinkage",
)
def hard_shrink(x: Array, threshold: ArrayLike = 0.5) -> Array:
    """Hard shrinkage: x if |x| > threshold else 0.

    Args:
      x: floating-point array of any shape.
      threshold: positive number, or array that broadcasts against the trailing axes of `x`. No
        gradient reaches it.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Donoho and Johnstone 1994, Ideal spatial adaptation by wavelet shrinkage.
    """
    return jnp.where(jnp.abs(x) <= threshold, 0, x)


def _tanh_shrink_near(x: Array, e: Array) -> Array:
    """(x cosh x - sinh x) / cosh x below _NEAR, with e = e^-|x|: no term has another sign."""
    near = jnp.clip(x, -_NEAR, _NEAR)
    square = near * near
    series = jnp.zeros_like(x)
    for k in range(_TERMS[x.dtype], 0, -1):
        series = series * square + 2 * k / math.factorial(2 * k + 1)
    return (near * square * series) * (2 * e / (1 + e * e))


def _tanh_shrink_parts(x: Array) -> tuple[Array, Array, Array]:
    """tanh_shrink near 0, tanh far from it, and whether `x` is far enough for tanh."""
    # Divided: a product of an `exp` with itself XLA would make a second one.
    e = jnp.exp(negative_abs(x) + 1) / math.e
    far = (1 - e * e) / (1 + e * e)
    return _tanh_shrink_near(x, e), jnp.where(x < 0, -far, far), jnp.abs(x) > 1


@elementwise()
def tanh_shrink_derivative(x: Array) -> Array:
    """Derivative of `tanh_shrink`: tanh(x)**2."""
    near, far, is_far = _tanh_shrink_parts(x)
    tanh = jnp.where(is_far, far, jnp.clip(x, -1, 1) - near)
    return tanh * tanh


@activation(
    tanh_shrink_derivative,
    monotonic=True,
    reference="f(x) = x - tanh(x), of Torch (Collobert, Kavukcuoglu and Farabet 2011)",
)
def tanh_shrink(x: Array) -> Array:
    """Tanh shrinkage: x - tanh(x).

    Below 2 it is (x cosh(x) - sinh(x)) / cosh(x), whose numerator has the series
    sum_k 2 k x**(2 k + 1) / (2 k + 1)!.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: what tanh leaves of x; named by Torch (Collobert, Kavukcuoglu and Farabet 2011).
    """
    near, far, _ = _tanh_shrink_parts(x)
    return jnp.where(jnp.abs(x) < _NEAR, near, x - far)
