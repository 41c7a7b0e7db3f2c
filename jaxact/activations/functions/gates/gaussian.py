"""The Gaussian error linear unit, exact and in its tanh form, and their derivatives.

Both are x times a distribution function, so f(x) = x + f(-x) and f'(x) = 1 - f'(-x): everything is
computed at h = -|x|, to relative precision down to the smallest normal number.
"""

import math

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations.numerics import elementwise, negative_abs
from jaxact.activations.precision import gaussian_half, in_two_parts, polynomial
from jaxact.activations.registry import activation

# Roots and constants as double-doubles, from mpmath at 60 digits.
_GELU_ROOT = (-0.7517915246935645, 1.4956759177009883e-17)  # of Phi(x) + x phi(x)
_GELU_TANH_ROOT = (-0.7524614220710163, 3.635560509207687e-17)  # of gelu_tanh'
_EXP_AT_ROOT = 0.29195521191476714  # e^z there, with z as in `gelu_tanh`
_LINEAR = 1.5957691216057308  # 2 sqrt(2 / pi)
_CUBIC = 0.07135481627260025  # 0.044715 times that
_E8 = math.exp(8)
_TANH_UNDERFLOWS = {jnp.dtype("float32"): -11.0, jnp.dtype("float64"): -22.0}  # e^z is 0 here
_INV_SQRT_2PI = 0.3989422804014327

# Fitted by `python -m benchmarks.exactness.fit_gelu` in 40 digits, to 2e-8: float32 needs no more.
_CENTRE = 0.609375
_TAIL = (
    0.028784735971,
    -0.0271825096927,
    -0.0891569251347,
    0.0111958830816,
    0.262318590256,
    0.484272894573,
    0.527536132784,
    0.403324115447,
    0.227220431793,
)
_SLOPE = (
    0.00496237688382,
    -0.020321329361,
    -0.0284736282217,
    0.0442702971026,
    0.180483386632,
    0.297680525813,
    0.327205909656,
    0.268535380632,
    0.488032382437,
)


def _mirrored(x: Array, at_h: Array) -> Array:
    """f'(x) given f'(-|x|)."""
    return jnp.where(x < 0, at_h, 1 - at_h)


@elementwise()
def gelu_derivative(x: Array) -> Array:
    """Derivative of `gelu`: Phi(x) + x phi(x).

    In float32 below 0, exp(-x**2 / 2) (x - root) times a positive polynomial in 4 / (4 - x).
    """
    if x.dtype == jnp.float64:
        h = jnp.maximum(negative_abs(x), -40)
        density = _INV_SQRT_2PI * gaussian_half(h) ** 2
        return _mirrored(x, jax.lax.erfc(-h * 0.5**0.5) / 2 + h * density)
    h = jnp.maximum(negative_abs(x), -16)
    high, low = in_two_parts(*_GELU_ROOT, x.dtype)
    from_root = (h - high) - low
    half = gaussian_half(h)
    positive = half * polynomial(_SLOPE, 4 / (4 - h) - _CENTRE)
    return _mirrored(x, half * from_root * positive)


@activation(
    gelu_derivative,
    monotonic=False,
    reference="Hendrycks and Gimpel 2016, Gaussian error linear units, arXiv 1606.08415",
)
def gelu(x: Array) -> Array:
    """Gaussian error linear unit: x Phi(x), with the normal distribution function Phi (exact form).

    In float32, Phi(-|x|) is exp(-x**2 / 2) times a polynomial in t = 4 / (4 + |x|): through
    erfc(|x| / sqrt(2)) the rounding of the quotient alone would cost a relative x**2 * eps.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Hendrycks and Gimpel 2016, arXiv 1606.08415.
    """
    if x.dtype == jnp.float64:
        return jnp.maximum(x, -40) * jax.lax.erfc(-x * 0.5**0.5) / 2
    h = jnp.maximum(negative_abs(x), -16)
    t = 4 / (4 - h)
    half = gaussian_half(h)
    return jnp.maximum(x, 0) + (h * half) * (half * t * polynomial(_TAIL, t - _CENTRE))


@jax.custom_jvp
def _tanh_gate(h: Array) -> Array:
    """e^(z + 8), z = c1 h + c3 h**3, to relative precision in the tail.

    The 8 keeps products with it from underflowing before the results do. Half a unit in the last
    place of z = -80 is 4e-6, so z is a sum. Its large part is exact: with h rounded to 1/16 and
    the short constants 51/32 and 1/16, it is a multiple of 2**-16 below 128.
    """
    sixteenths = jnp.round(16 * h)
    coarse = sixteenths / 16
    rest = h - coarse
    square = sixteenths * sixteenths
    large = sixteenths * (square / 2**16 + 51 / 2**9) + 8
    small = sixteenths * ((_LINEAR - 51 / 32) / 16 + (_CUBIC - 1 / 16) / 2**12 * square)
    small += rest * (_LINEAR + _CUBIC * (3 * coarse * h + rest * rest))
    z = large + small
    return jnp.exp(z) * (1 + (small - (z - large)))


@_tanh_gate.defjvp
def _tanh_gate_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (h,) = primals
    value = _tanh_gate(h)
    return value, value * (_LINEAR + 3 * _CUBIC * h * h) * tangents[0]


@elementwise()
def gelu_tanh_derivative(x: Array) -> Array:
    """Derivative of `gelu_tanh`: s + x z' s (1 - s), with s = 1 / (1 + e^-z).

    Below 0 it is e^z (e^z + 1 + x z') / (1 + e^z)**2. With the root r, d = x - r and
    m = x**2 + x r + r**2, the middle factor is
    (e^z - e^z(r)) + d (c1 + 3 c3 m), where z = c1 x + c3 x**3.
    """
    h = jnp.maximum(negative_abs(x), _TANH_UNDERFLOWS[x.dtype])
    high, low = in_two_parts(*_GELU_TANH_ROOT, x.dtype)
    d = (h - high) - low
    m = h * h + h * high + high * high
    p = _tanh_gate(h)
    middle = (p / _E8 - _EXP_AT_ROOT) + d * (_LINEAR + 3 * _CUBIC * m)
    q = 1 / (_E8 + p)
    return _mirrored(x, (p * middle) * (_E8 * q * q))


@activation(
    gelu_tanh_derivative,
    monotonic=False,
    reference="Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2 (tanh approximation)",
)
def gelu_tanh(x: Array) -> Array:
    """GELU in its tanh form: x (1 + tanh(z / 2)) / 2, z = 2 sqrt(2 / pi) (x + 0.044715 x**3).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2.
    """
    h = jnp.maximum(negative_abs(x), _TANH_UNDERFLOWS[x.dtype])
    p = _tanh_gate(h)
    # One division, and last: a quotient is what XLA keeps for all that reads the result.
    return jnp.where(x < 0, h * p, x) / jnp.where(x < 0, _E8 + p, 1 + p / _E8)
