"""Shrinkage: functions that draw their input towards 0, and their derivatives."""

import math

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import Kink
from jaxact.activations.functions.classic import tanh
from jaxact.activations.numerics import elementwise, nan_like
from jaxact.activations.precision import polynomial
from jaxact.activations.registry import POSITIVE, activation

_TERMS = 13  # of the series of `tanh_shrink` in float64
# Fitted by `python -m benchmarks.exactness.fits`.
_TANH_SHRINK_CENTRE = 1.125
_TANH_SHRINK = (
    8.34144611424e-07,
    -2.99658202147e-06,
    7.86171033538e-06,
    -2.82424177267e-05,
    0.000105132493307,
    -0.000377678557485,
    0.00135474937336,
    -0.0048670623137,
    0.0174910328552,
    -0.0629839731615,
    0.230249702147,
)


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


@elementwise()
def tanh_shrink_derivative(x: Array) -> Array:
    """Derivative of `tanh_shrink`: tanh(x)**2."""
    slope = tanh(x)
    return slope * slope


@activation(
    tanh_shrink_derivative,
    monotonic=True,
    reference="f(x) = x - tanh(x), of Torch (Collobert, Kavukcuoglu and Farabet 2011)",
)
def tanh_shrink(x: Array) -> Array:
    """Tanh shrinkage: x - tanh(x).

    In float32 below 1.5 it is x**3 times a polynomial in x**2; in float64 below 2
    (x cosh(x) - sinh(x)) / cosh(x), whose numerator has the series
    sum_k 2 k x**(2 k + 1) / (2 k + 1)!.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: what tanh leaves of x; named by Torch (Collobert, Kavukcuoglu and Farabet 2011).
    """
    end = 2.0 if x.dtype == jnp.float64 else 1.5
    near = jnp.clip(x, -end, end)
    square = near * near
    if x.dtype == jnp.float64:
        series = jnp.zeros_like(x)
        for k in range(_TERMS, 0, -1):
            series = series * square + 2 * k / math.factorial(2 * k + 1)
        quotient = series / jnp.cosh(near)
    else:
        quotient = polynomial(_TANH_SHRINK, square - _TANH_SHRINK_CENTRE)
    return jnp.where(jnp.abs(x) < end, near * (square * quotient), x - tanh(x))
