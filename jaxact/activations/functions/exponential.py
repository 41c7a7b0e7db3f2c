"""Exponential linear units: linear above 0, a saturating exponential below.

The derivatives below 0 are written with `exp`. Up to version 0.11 JAX differentiates `expm1` as
`expm1(x) + 1`, which in float32 is exactly 0 below about -17.
"""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import Kink, kink_at_zero
from jaxact.activations.numerics import elementwise, negative_part
from jaxact.activations.precision import exp, expm1, times_exp
from jaxact.activations.registry import POSITIVE, activation

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_LAMBDA = 1.0507009873554804934193349852946


@elementwise()
def elu_derivative(x: Array, alpha: ArrayLike = 1.0) -> Array:
    """Derivative of `elu`: 1 if x > 0 else alpha e^x."""
    return jnp.where(x > 0, 1, times_exp(alpha, negative_part(x)))


@activation(
    elu_derivative,
    kinks=lambda alpha: kink_at_zero(alpha),
    monotonic=lambda alpha: alpha >= 0,
    reference="Clevert, Unterthiner and Hochreiter 2016, arXiv 1511.07289, equation 15",
)
def elu(x: Array, alpha: ArrayLike = 1.0) -> Array:
    """Exponential linear unit: x if x > 0 else alpha (e^x - 1), with derivative alpha at 0.

    Args:
      x: floating-point array of any shape.
      alpha: number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Clevert, Unterthiner and Hochreiter 2016, arXiv 1511.07289, equation 15.
    """
    below = negative_part(x)
    return jnp.where(x > 0, x, alpha * expm1(below))


@elementwise()
def celu_derivative(x: Array, alpha: ArrayLike = 1.0) -> Array:
    """Derivative of `celu`: 1 if x > 0 else e^(x / alpha)."""
    return jnp.where(x > 0, 1, exp(jnp.asarray(negative_part(x) / alpha)))


@activation(
    celu_derivative,
    domains={"alpha": POSITIVE},
    monotonic=True,
    reference="Barron 2017, Continuously differentiable ELUs, arXiv 1704.07483, equation 2",
)
def celu(x: Array, alpha: ArrayLike = 1.0) -> Array:
    """Continuously differentiable ELU: x if x > 0 else alpha (e^(x / alpha) - 1).

    Args:
      x: floating-point array of any shape.
      alpha: positive number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Barron 2017, arXiv 1704.07483, equation 2.
    """
    below = jnp.asarray(negative_part(x) / alpha)
    return jnp.where(x > 0, x, alpha * expm1(below))


@elementwise()
def selu_derivative(x: Array) -> Array:
    """Derivative of `selu`: lambda if x > 0 else lambda alpha e^x."""
    below = times_exp(SELU_LAMBDA * SELU_ALPHA, negative_part(x))
    return jnp.where(x > 0, SELU_LAMBDA, below)


@activation(
    selu_derivative,
    kinks=(Kink(0.0, SELU_LAMBDA * SELU_ALPHA),),
    monotonic=True,
    reference="Klambauer et al. 2017, Self-normalizing networks, arXiv 1706.02515, equation 2",
)
def selu(x: Array) -> Array:
    """Scaled ELU: lambda x if x > 0 else lambda alpha (e^x - 1), derivative lambda alpha at 0.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`; lambda = 1.0507..., alpha = 1.67326... .

    Source: Klambauer et al. 2017, arXiv 1706.02515, equation 2.
    """
    below = negative_part(x)
    saturating = SELU_LAMBDA * SELU_ALPHA * expm1(below)
    return jnp.where(x > 0, SELU_LAMBDA * x, saturating)
