"""Self-gated activations, x times a sigmoid of x, and their derivatives.

Each derivative has one root below 0, near which the textbook formula cancels. In float32 it is
there x - root times a polynomial, the root as a sum of two numbers; so its relative precision
reaches up to the root itself. In float64 that formula's value at the root, which is 0, is
subtracted from it, which leaves terms that all have the sign of x - root.
"""

import math

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.numerics import elementwise, finite, negative_abs
from jaxact.activations.precision import exp_parts, gated, in_two_parts, polynomial
from jaxact.activations.registry import activation

# Roots and constants as double-doubles, from mpmath at 60 digits.
SWISH_ROOT = (-1.2784645427610737, -1.0946994183093437e-16)  # of e^z + 1 + z
_MISH_ROOT = (-1.1924312145154952, -4.8484829848031044e-17)  # of the numerator below

UNDERFLOWS = {jnp.dtype("float32"): -200.0, jnp.dtype("float64"): -800.0}  # e^x is 0 here
SHIFT = 8  # e^x is scaled by 2**8: it must not underflow before x e^x does

# Fitted by `python -m benchmarks.exactness.fits`, to 2e-8 relative.
_NEAR, _NEAR_CENTRE = -1.625, -0.8125
_SWISH_SLOPE = (
    1.86879742048e-06,
    -0.000115680929516,
    -0.000187756378216,
    0.000891552851657,
    0.00279572772555,
    -0.00326928717998,
    -0.0254158574269,
    -0.0102502658933,
    0.151795852874,
    0.288403171669,
)
_MISH_SLOPE = (
    -2.14327540871e-05,
    -0.000256580170149,
    -0.000381418997787,
    0.00103941558139,
    0.00426668462297,
    0.00268020764347,
    -0.0176531055002,
    -0.0471548273637,
    0.0037810263324,
    0.224050916479,
    0.349317517718,
)
_MISH = (
    -1.76967233858e-05,
    3.99925199905e-05,
    0.000180988657496,
    -0.000261358805003,
    -0.00126607326603,
    0.000841116851289,
    0.0078178410634,
    -0.00036950290199,
    -0.0458665962178,
    -0.0160003236091,
    0.319999999022,
    0.600000004482,
)


def closing(z: Array) -> tuple[Array, Array, Array]:
    """-|z|, bounded, and the parts of e^(-|z|): value and derivative share their one `exp`."""
    h = jnp.maximum(negative_abs(z), UNDERFLOWS[z.dtype])
    return h, *exp_parts(h, 0.0, SHIFT)


def from_root(root: tuple[float, float], x: Array, rest: ArrayLike = 0.0) -> Array:
    """x + rest - root, for a root that is a sum of two numbers."""
    high, low = in_two_parts(*root, x.dtype)
    return (x - high) + (rest - low)


def slope_in_pieces(
    h: Array, d: Array, slope: tuple[float, ...], w: Array, g: Array, q: Array, scale: Array
) -> Array:
    """d slope(h) near 0, and e^h w / (1 + g)**2 below, where nothing cancels."""
    near = d * polynomial(slope, h - _NEAR_CENTRE)
    g *= 2 + g
    far = (w + w * (q - (1 + q) * (g / (1 + g)))) * scale / 2**SHIFT
    return jnp.where(h > _NEAR, near, far)


def swish_slope(z: Array, h: Array, rest: ArrayLike, q: Array, scale: Array) -> Array:
    """The derivative of swish at z, given -|z| = h + rest and the parts of e^-|z|."""
    d = from_root(SWISH_ROOT, h, rest)
    e = (1 + q) * scale / 2**SHIFT
    if z.dtype == jnp.float64:
        below = e * (d + (-1 - SWISH_ROOT[0]) * jnp.expm1(d)) / (1 + e) ** 2
    else:
        below = slope_in_pieces(h + rest, d, _SWISH_SLOPE, ((1 + h) + rest) + e, e, q, scale)
    return jnp.where(z < 0, below, 1 - below)


@elementwise()
def swish_derivative(x: Array, beta: ArrayLike = 1.0) -> Array:
    """Derivative of `swish`: s + z s (1 - s), with z = beta x and s = 1 / (1 + e^-z).

    Below 0 it is e^z (e^z + 1 + z) / (1 + e^z)**2, where e^z + 1 + z = e^r (e^d - 1) + d for the
    root r and d = z - r. Above 0, derivative(z) = 1 - derivative(-z).
    """
    z = jnp.asarray(beta * finite(x))
    h, q, scale = closing(z)
    return swish_slope(z, h, 0.0, q, scale)


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
      Array of the shape and dtype of `x`, with the limit 0 at -infinity. Where beta x < 0, x beyond
      2**110 counts as that, which shows for |beta| below 1e-31 alone.

    Source: Ramachandran, Zoph and Le 2017, arXiv 1710.05941.
    """
    z = jnp.asarray(beta * finite(x))
    _, q, scale = closing(z)
    return gated(x, z, q, scale, SHIFT)


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
    + e^r ((4 r + 6) u + 4 d (u + 1)). Above 0 it is 1 minus a fraction in e^-x.
    """
    h, q, scale = closing(x)
    e = (1 + q) * scale / 2**SHIFT
    d = from_root(_MISH_ROOT, h)
    if x.dtype == jnp.float64:
        at_root, u = math.exp(_MISH_ROOT[0]), jnp.expm1(d)
        numerator = (
            4 * d
            + 4 * at_root**2 * u * (u + 2)
            + at_root**3 * u * (u * u + 3 * u + 3)
            + at_root * ((4 * _MISH_ROOT[0] + 6) * u + 4 * d * (u + 1))
        )
        below = e * numerator / (e * e + 2 * e + 2) ** 2
    else:
        w = (1 + h) + e * ((1.5 + h) + e * (1 + e / 4))
        below = slope_in_pieces(h, d, _MISH_SLOPE, w, e * (1 + e / 2), q, scale)
    lost = e * e * ((2 + 4 * h) + 4 * e * ((1 + h) + e)) / (1 + 2 * e * (1 + e)) ** 2
    return jnp.where(x < 0, below, 1 - lost)


@activation(mish_derivative, monotonic=False, reference="Misra 2019, Mish, arXiv 1908.08681")
def mish(x: Array) -> Array:
    """Mish: x tanh(log(1 + e^x)).

    The factor is e^x (1 - (e^2x + e^x) / (e^2x + 2 e^x + 2)) below 0, and
    1 - 2 / (e^2x + 2 e^x + 2) above; in float32 a polynomial between -1 and 1.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Misra 2019, arXiv 1908.08681.
    """
    h, q, scale = closing(x)
    e = (1 + q) * scale / 2**SHIFT
    base = jnp.where(x < 0, (h + h * q) * scale / 2**SHIFT, x)
    numerator = jnp.where(x < 0, e * (1 + e), e * e)
    lost = numerator / jnp.where(x < 0, 2 + e * (2 + e), 0.5 + e * (1 + e))
    far = base - finite(base) * lost
    if x.dtype == jnp.float64:
        return far
    near = jnp.clip(x, -1, 1)
    return jnp.where(jnp.abs(x) < 1, x * polynomial(_MISH, near), far)
