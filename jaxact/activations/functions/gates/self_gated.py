"""Self-gated activations, x times a sigmoid of x, and their derivatives.

Each derivative has one root below 0, near which the textbook formula cancels. Subtracting that
formula's value at the root r, which is 0, leaves terms in d = x - r that all have the sign of d.
So the derivatives keep their relative precision up to the root itself. And e^x is used as
e^(x + 1) / e, since x e^x must not underflow before its result does.
"""

import math

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.numerics import elementwise, finite, negative_abs
from jaxact.activations.precision import expm1, in_two_parts
from jaxact.activations.registry import activation

# Roots and constants as double-doubles, from mpmath at 60 digits.
SWISH_ROOT = (-1.2784645427610737, -1.0946994183093437e-16)  # of e^z + 1 + z
_MISH_ROOT = (-1.1924312145154952, -4.8484829848031044e-17)  # of the numerator below

UNDERFLOWS = {jnp.dtype("float32"): -200.0, jnp.dtype("float64"): -800.0}  # e^x is 0 here


def _closing(z: Array) -> tuple[Array, Array]:
    """-|z|, bounded, and e^(1 - |z|): value and derivative share them, and so their one `exp`."""
    h = jnp.maximum(negative_abs(z), UNDERFLOWS[z.dtype])
    return h, jnp.exp(h + 1)


def swish_slope(x: Array, d: Array, p: Array) -> Array:
    """The derivative of swish, given d = z - r and p = e^(z + 1) at z = -|beta x|."""
    at_root = -(1 + SWISH_ROOT[0])
    numerator = d + at_root * expm1(d, p / (math.e * at_root))
    q = 1 / (math.e + p)
    below = (p * numerator) * (math.e * q * q)
    return jnp.where(x < 0, below, 1 - below)


@elementwise()
def swish_derivative(x: Array, beta: ArrayLike = 1.0) -> Array:
    """Derivative of `swish`: s + z s (1 - s), with z = beta x and s = 1 / (1 + e^-z).

    Below 0 it is e^z (e^z + 1 + z) / (1 + e^z)**2, where e^z + 1 + z = e^r (e^d - 1) + d for the
    root r and d = z - r. Above 0, derivative(z) = 1 - derivative(-z).
    """
    z = jnp.asarray(beta * finite(x))
    h, p = _closing(z)
    high, low = in_two_parts(*SWISH_ROOT, x.dtype)
    d = (h - high) - low
    return swish_slope(z, d, p)


@activation(
    swish_derivative,
    monotonic=lambda beta: beta == 0,
    reference="Ramachandran, Zoph and Le 2017, Searching for activations, arXiv 1710.05941",
)
def swish(x: Array, beta: ArrayLike = 1.0) -> Array:
    """Swish: x / (1 + e^(-beta x)); with beta = 1 also called SiLU.

    Args:
      x: floating-point array of any shape.
      beta: number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Ramachandran, Zoph and Le 2017, arXiv 1710.05941.
    """
    bounded = finite(x)
    z = jnp.asarray(beta * bounded)
    _, p = _closing(z)
    # The 4 keeps it from overflowing. One division, and last: a quotient is what XLA keeps for all
    # that reads the result.
    numerator = jnp.where(z < 0, bounded / 4 * p, x)
    return numerator / jnp.where(z < 0, (math.e + p) / 4, 1 + p / math.e)


def silu_derivative(x: Array) -> Array:
    """Derivative of `silu`: that of `swish` with beta = 1."""
    return swish_derivative(x)


@activation(
    silu_derivative,
    monotonic=False,
    reference="Elfwing, Uchibe and Doya 2018, arXiv 1702.03118 (swish with beta = 1)",
)
def silu(x: Array) -> Array:
    """Sigmoid linear unit: x / (1 + e^-x), which is `swish` with beta = 1.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Elfwing, Uchibe and Doya 2018, arXiv 1702.03118.
    """
    return swish(x)


@elementwise()
def mish_derivative(x: Array) -> Array:
    """Derivative of `mish`: e^x w / (e^2x + 2 e^x + 2)**2.

    w = 4 (x + 1) + 4 e^2x + e^3x + e^x (4 x + 6). With the root r of w, d = x - r and
    u = e^d - 1, w is 4 d + 4 e^2r u (u + 2) + e^3r u (u**2 + 3 u + 3)
    + e^r ((4 r + 6) u + 4 d (u + 1)).
    """
    h, p = _closing(x)
    e = p / math.e
    high, low = in_two_parts(*_MISH_ROOT, x.dtype)
    d = (h - high) - low
    at_root = math.exp(_MISH_ROOT[0])
    u = expm1(d, e / at_root)
    numerator = (
        4 * d
        + 4 * at_root**2 * u * (u + 2)
        + at_root**3 * u * (u * u + 3 * u + 3)
        + at_root * ((4 * _MISH_ROOT[0] + 6) * u + 4 * d * (u + 1))
    )
    below = (p * numerator) / (math.e * (e * e + 2 * e + 2) ** 2)
    numerator = 1 + e * (4 + e * ((6 - 4 * h) + e * (4 - 4 * h)))
    above = numerator / (1 + 2 * e + 2 * e * e) ** 2
    return jnp.where(x < 0, below, above)


@activation(mish_derivative, monotonic=False, reference="Misra 2019, Mish, arXiv 1908.08681")
def mish(x: Array) -> Array:
    """Mish: x tanh(log(1 + e^x)).

    tanh(log(1 + e^x)) is n / (n + 2) with n = e^x (e^x + 2), and in e^-x for x > 0.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Misra 2019, arXiv 1908.08681.
    """
    h, p = _closing(x)
    e = p / math.e
    below = (h * p) * (e + 2) / (math.e * (e * (e + 2) + 2))
    above = x * (1 + 2 * e) / (1 + 2 * e + 2 * e * e)
    return jnp.where(x < 0, below, above)
