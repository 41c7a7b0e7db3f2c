"""The Gaussian error linear unit, exact and in its tanh form, and their derivatives.

Both are x times a distribution function, so f(x) = x + f(-x) and f'(x) = 1 - f'(-x): everything is
computed at h = -|x|, to relative precision down to the smallest normal number.
"""

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations.functions.gates.self_gated import from_root
from jaxact.activations.numerics import elementwise, negative_abs
from jaxact.activations.precision import (
    coarse,
    exact_product,
    exact_sum,
    exp_parts,
    gated,
    in_two_parts,
    polynomial,
    reciprocal,
)
from jaxact.activations.registry import activation

# Roots and constants as double-doubles, from mpmath at 60 digits.
_GELU_ROOT = (-0.7517915246935645, 1.4956759177009883e-17)  # of Phi(x) + x phi(x)
_GELU_TANH_ROOT = (-0.7524614220710163, 3.635560509207687e-17)  # of gelu_tanh'
_EXP_AT_ROOT = 0.29195521191476714  # e^z there, with z as in `gelu_tanh`
_LINEAR = 1.5957691216057308  # 2 sqrt(2 / pi)
_CUBIC = 0.07135481627260025  # 0.044715 times that
_TANH_UNDERFLOWS = {jnp.dtype("float32"): -11.0, jnp.dtype("float64"): -22.0}  # e^z is 0 here
_INV_SQRT_2PI = 0.3989422804014327

# Fitted by `python -m benchmarks.exactness.fits`, to 1e-8 relative: float32 needs no more.
_NEAR = (
    1.25535773151e-05,
    -0.000330267671531,
    -0.000326400772888,
    0.00306724230967,
    0.00458418837284,
    -0.0201700394603,
    -0.0440081659828,
    0.0880163201551,
    0.352065326765,
    0.308537538784,
)
_NEAR_SLOPE = (
    0.000321527908415,
    -0.000104733331964,
    -0.00316643804776,
    -0.000418083806283,
    0.0227461093863,
    0.0125638348095,
    -0.115475886248,
    -0.106616002027,
    0.356906247104,
    0.52624835374,
)
_MIDDLE = (
    5.50251742615e-06,
    2.21170193896e-05,
    7.12898087956e-05,
    0.000255892632849,
    0.000875399757154,
    0.00275321472137,
    0.00790413799068,
    0.020112704331,
    0.042625445905,
    -0.336203999877,
)
_MIDDLE_SLOPE = (
    7.35611664241e-07,
    3.30834363545e-06,
    1.25732846738e-05,
    5.24013551165e-05,
    0.000211721324134,
    0.000814802146515,
    0.00299292759618,
    0.0104400637062,
    0.034344118058,
    0.504549177822,
)
_TAIL = (
    48881.467152,
    -6981.97114029,
    794.669859574,
    -150.615810766,
    31.304236775,
    -7.02993758898,
    1.84979788141,
    -0.613192557446,
    0.299484526376,
    -0.378803178785,
)
_TAIL_SLOPE = (
    -4648.22053841,
    734.098245992,
    -101.012717314,
    21.6079177704,
    -5.20142683536,
    1.43877773865,
    -0.504802053854,
    0.263554956017,
    -0.361255258019,
    0.376746781663,
)
_TANH_SLOPE = (
    -8.91086162788e-05,
    -0.00330299622782,
    -0.00095228594484,
    0.0235825858957,
    0.0153626349507,
    -0.115188126802,
    -0.115890397294,
    0.350215622278,
    0.536401856676,
)
_NEAR_CENTRE, _MIDDLE_CENTRE, _TAIL_CENTRE = -0.5, -2.0, 0.05859375
_TANH_CENTRE = -0.46875
_SHIFT = 8  # the density is scaled by 2**8: it must not underflow before the results do


def _mirrored(x: Array, at_h: Array) -> Array:
    """f'(x) given f'(-|x|)."""
    return jnp.where(x < 0, at_h, 1 - at_h)


def _density(h: Array) -> tuple[Array, Array]:
    """The parts of 2**8 exp(-h**2 / 2); the square is exact of the leading half of h."""
    leading = jax.lax.stop_gradient(coarse(h))
    return exp_parts(-0.5 * leading * leading, -0.5 * (h - leading) * (h + leading), _SHIFT)


def _in_pieces(h: Array, *pieces: tuple[float, ...]) -> Array:
    """A polynomial in h for -1 < h <= 0, another for -3 < h, and one in 1 / h**2 below."""
    tail = reciprocal(jnp.maximum(h * h, 1)) - _TAIL_CENTRE
    arguments = h - _NEAR_CENTRE, h - _MIDDLE_CENTRE, tail
    of_near, of_middle, of_tail = map(polynomial, pieces, arguments)
    return jnp.where(h > -1, of_near, jnp.where(h > -3, of_middle, of_tail))


@elementwise()
def gelu_derivative(x: Array) -> Array:
    """Derivative of `gelu`: Phi(x) + x phi(x).

    In float32 below 0 it is x - root times a polynomial, from -1 downwards also times
    exp(-x**2 / 2); below -3 with x in place of x - root.
    """
    if x.dtype == jnp.float64:
        h = jnp.maximum(negative_abs(x), -40)
        density = _INV_SQRT_2PI * jnp.exp(-0.5 * h * h)
        return _mirrored(x, jax.lax.erfc(-h * 0.5**0.5) / 2 + h * density)
    h = jnp.maximum(negative_abs(x), -16)
    factor = jnp.where(h > -3, from_root(_GELU_ROOT, h), h)
    value = factor * _in_pieces(h, _NEAR_SLOPE, _MIDDLE_SLOPE, _TAIL_SLOPE)
    q, scale = _density(h)
    return _mirrored(x, jnp.where(h > -1, value, (value + value * q) * scale / 2**_SHIFT))


@activation(
    gelu_derivative,
    monotonic=False,
    reference="Hendrycks and Gimpel 2016, Gaussian error linear units, arXiv 1606.08415",
)
def gelu(x: Array) -> Array:
    """Gaussian error linear unit: x Phi(x), with the normal distribution function Phi (exact form).

    In float32, with h = -|x|, Phi(h) is a polynomial in h down to -1. Below, h Phi(h) is
    exp(-h**2 / 2) times one in h, and from -3 on in 1 / h**2, which hardly varies there: through
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
    value = _in_pieces(h, _NEAR, _MIDDLE, _TAIL)
    q, scale = _density(h)
    below = jnp.where(h > -1, h * value, (value + value * q) * scale / 2**_SHIFT)
    return jnp.maximum(x, 0) + below


def _tanh_gate(h: Array) -> tuple[Array, Array]:
    """The parts of 2**8 e^z, z = c1 h + c3 h**3.

    Half a unit in the last place of z = -80 is 4e-6, so z is a sum. Its large part is exact: with h
    rounded to 1/16 and the short constants 51/32 and 1/16, it is a multiple of 2**-16 below 128.
    """
    sixteenths = jnp.round(16 * h)
    leading = sixteenths / 16
    rest = h - leading
    square = sixteenths * sixteenths
    large = sixteenths * (square / 2**16 + 51 / 2**9)
    cube = sixteenths * square
    high, low = in_two_parts((_CUBIC - 1 / 16) / 2**12, 0.0, h.dtype)
    middle, small = exact_product(cube, jnp.asarray(high))
    large, lost = exact_sum(large, middle)
    small += cube * low + sixteenths * ((_LINEAR - 51 / 32) / 16) + lost
    small += rest * (_LINEAR + _CUBIC * (3 * leading * h + rest * rest))
    return exp_parts(*exact_sum(large, small), _SHIFT)


@elementwise()
def gelu_tanh_derivative(x: Array) -> Array:
    """Derivative of `gelu_tanh`: s + x z' s (1 - s), with s = 1 / (1 + e^-z).

    Below 0 it is e^z (e^z + 1 + x z') / (1 + e^z)**2. With the root r, d = x - r and
    m = x**2 + x r + r**2, the middle factor is
    (e^z - e^z(r)) + d (c1 + 3 c3 m), where z = c1 x + c3 x**3; in float32 from -1 on the whole is
    d times a polynomial.
    """
    h = jnp.maximum(negative_abs(x), _TANH_UNDERFLOWS[x.dtype])
    d = from_root(_GELU_TANH_ROOT, h)
    high = _GELU_TANH_ROOT[0]
    m = h * h + h * high + high * high
    q, scale = _tanh_gate(h)
    e = (1 + q) * scale / 2**_SHIFT
    middle = (e - _EXP_AT_ROOT) + d * (_LINEAR + 3 * _CUBIC * m)
    square = e * (2 + e)
    below = (middle + middle * (q - (1 + q) * (square / (1 + square)))) * scale / 2**_SHIFT
    if x.dtype == jnp.float32:
        below = jnp.where(h > -1, d * polynomial(_TANH_SLOPE, h - _TANH_CENTRE), below)
    return _mirrored(x, below)


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
    return gated(x, x, *_tanh_gate(h), _SHIFT)
