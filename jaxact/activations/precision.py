"""Arithmetic with more digits than the dtype has, where a formula would lose some.

XLA evaluates float32 arithmetic to half a unit in the last place and `exp`, `expm1`, `log1p` to one
or two. What is lost beyond that is lost by formulas: by subtracting near a root, by rounding an
argument before `exp`.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

_LOG2_E = 1.4426950408889634
_LN2_SHORT, _LN2_REST = 355 / 512, -2.1219444005469057e-4  # log(2), of which the first has 9 bits
_SHIFT = 8
_LOWEST = -160.0  # e^x is an underflow here with any shift
# Fitted by `python -m benchmarks.exactness.fits`.
_EXP = (
    0.000199075157457,
    0.00139485318931,
    0.00833329356733,
    0.0416663086055,
    0.16666666702,
    0.500000003183,
)
_SQRT_HALF_BITS = 0x3F3504F3
_LOG = (
    0.0555326572851,
    -0.0972689983795,
    0.0980497693086,
    -0.0993171777676,
    0.110482165498,
    -0.124999158818,
    0.142878873119,
    -0.166667201171,
    0.199999737112,
    -0.249999994966,
    0.333333333848,
)
_RECIPROCAL_BITS = 0x7EF311C7  # less the bits of a number: those of its reciprocal, nearly
_LOG1P_CENTRE = 0.5
_LOG1P = (
    0.0028016419928,
    -0.00457687801483,
    0.00578768343999,
    -0.00968185867193,
    0.0168016515096,
    -0.0289640081869,
    0.0510830385285,
    -0.0932297089182,
    0.179224938978,
    -0.378139570861,
)


def in_two_parts(high: float, low: float, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """The constant `high + low`, a double-double, as the sum of two numbers of `dtype`."""
    if dtype == jnp.float64:
        return np.asarray(high, dtype), np.asarray(low, dtype)
    first = np.asarray(high, dtype)
    return first, np.asarray(high - float(first) + low, dtype)


def coarse(x: Array) -> Array:
    """`x` rounded to half of its bits."""
    info = jnp.finfo(x.dtype)
    return jax.lax.reduce_precision(x, info.nexp, (info.nmant + 1) // 2 - 1)


def exact_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b rounded, and its rounding error (Knuth 1969)."""
    total = a + b
    b_seen = total - a
    return total, (a - (total - b_seen)) + (b - b_seen)


def exact_product(a: Array, b: Array) -> tuple[Array, Array]:
    """a b as a number that is exact, of the leading halves, and a small rest (after Dekker 1971).

    Its exactness leaves no difference between a product rounded and one fused with a sum.
    """
    short_a, short_b = jax.lax.stop_gradient((coarse(a), coarse(b)))
    return short_a * short_b, short_a * (b - short_b) + (a - short_a) * b


def fast_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b rounded, and its rounding error, for |a| >= |b| (Dekker 1971)."""
    total = a + b
    return total, b - (total - a)


def exp_parts(x: Array, rest: ArrayLike = 0.0, shift: int = 0) -> tuple[Array, Array]:
    """q and s with 2**shift e^(x + rest) = (1 + q) s: s a power of 2, |q| below 0.45.

    So y e^x is (y + y q) s and e^x - 1 is (s - 1) + q s, each with a rounding less than through
    e^x. In float32 x is reduced to r = x - n log(2), whose rounding error is kept and added to
    `rest`; where 2**(n + shift) is no normal number, s is 0. In float64 q is 0, and s the power.

    Args:
      x: at most 80.
      rest: small, what `x` has no digits for: of its shape, or a number.
      shift: keeps e^x from being an underflow before a larger product with it is one.

    Source: Cody and Waite 1980, Software manual for the elementary functions, chapter 6.
    """
    return _exp_parts(x, None if isinstance(rest, int | float) and rest == 0 else rest, shift)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _exp_parts(x: Array, rest: Array | None, shift: int) -> tuple[Array, Array]:
    if x.dtype == jnp.float64:
        return jnp.zeros_like(x), jnp.exp(x if rest is None else x + rest) * 2.0**shift
    x = jnp.maximum(x, _LOWEST)
    n = jnp.round(x * _LOG2_E)
    whole, small = x - n * _LN2_SHORT, n * _LN2_REST  # the first is exact
    r = whole - small
    lost = (whole - r) - small
    if rest is not None:
        r, lost = fast_sum(r, lost + rest)
    q = r + (r * r * polynomial(_EXP, r) + lost)
    exponent = jnp.maximum(n.astype(jnp.int32) + (127 + shift), 0)
    return q, jax.lax.bitcast_convert_type(exponent << 23, jnp.float32)


@_exp_parts.defjvp
def _exp_parts_jvp(shift: int, primals: Any, tangents: Any) -> tuple[Any, Any]:
    q, s = _exp_parts(*primals, shift)
    rate = tangents[0] if primals[1] is None else tangents[0] + tangents[1]
    return (q, s), ((1 + q) * rate, jnp.zeros_like(s))


def exp(x: Array, rest: ArrayLike = 0.0, shift: int = 0) -> Array:
    """2**shift e^(x + rest); arguments as of `exp_parts`."""
    q, s = exp_parts(x, rest, shift)
    return (1 + q) * s


def times_exp(y: ArrayLike, x: Array, rest: ArrayLike = 0.0) -> Array:
    """y e^(x + rest), no underflow of e^x before its own; arguments as of `exp_parts`."""
    q, s = exp_parts(x, rest, _SHIFT)
    return jnp.asarray((y + y * q) / 2**_SHIFT * s)


def expm1(x: Array, rest: ArrayLike = 0.0) -> Array:
    """e^(x + rest) - 1: in float32 at a fraction of the cost of XLA's own; as `exp_parts`."""
    if x.dtype == jnp.float64:
        return jnp.expm1(x + rest)
    q, s = exp_parts(x, rest)
    return (s - 1) + q * s


def log_parts(high: Array, low: Array) -> tuple[Array, Array]:
    """log(high + low), high from 2**-126 to 2, as a sum of two numbers.

    With m = 2**-k (high + low) between 0.7 and 1.42 and f = m - 1, it is
    k log(2) + f - f**2 / 2 + f**3 P(f), of which the first three are exact sums and products.
    """
    if high.dtype == jnp.float64:
        near = jnp.log1p(jnp.maximum(high - 1, -0.5) + low)
        return jnp.where(high > 0.5, near, jnp.log(high) + low / high), jnp.zeros_like(high)
    bits = jax.lax.bitcast_convert_type(high, jnp.int32) - _SQRT_HALF_BITS
    k = (bits >> 23).astype(high.dtype)
    scale = jax.lax.bitcast_convert_type((127 - (bits >> 23)) << 23, high.dtype)
    f, lost = exact_sum(high * scale - 1, low * scale)
    square, rest = exact_product(f, f)
    total, more = exact_sum(k * _LN2_SHORT, f)
    total, even_more = exact_sum(total, -0.5 * square)
    rest = f * f * f * polynomial(_LOG, f) - 0.5 * rest + lost * (1 - f)
    return exact_sum(total, more + even_more + (k * _LN2_REST + rest))


def log1p_of_exp(x: Array) -> Array:
    """log(1 + e^x) for x at most 0."""
    e = exp(x)
    if x.dtype == jnp.float64:
        return jnp.log1p(e)
    return e + e * e * polynomial(_LOG1P, e - _LOG1P_CENTRE)


def reciprocal(a: Array) -> Array:
    """1 / a for a from 2**-100 to 2**100, in float32 by sums and products alone, to 1 ULP.

    XLA computes a division once for all that reads it, in a loop of its own. The first guess turns
    the exponent about and is off by 12 % at most; each step then cubes the error, by
    1 / a = r (1 + e + e**2 + ...) with e = 1 - a r.
    """
    if a.dtype == jnp.float64:
        return 1 / a
    guess = _RECIPROCAL_BITS - jax.lax.bitcast_convert_type(a, jnp.int32)
    r = jax.lax.bitcast_convert_type(guess, jnp.float32)
    for _ in range(2):
        e = 1 - a * r
        r += r * (e + e * e)
    return r


def polynomial(coefficients: Sequence[float], s: Array) -> Array:
    """Horner's rule; the highest power first, as `benchmarks.exactness.fits` gives it."""
    return horner(in_digits(coefficients, s.dtype), s)


def in_digits(coefficients: Sequence[float], dtype: Any) -> list[float]:
    """The coefficients for `horner`: the last one, most of the value, as a sum of two numbers."""
    high, low = in_two_parts(coefficients[-1], 0.0, dtype)
    return [*coefficients[:-1], float(low), float(high)]


def horner(coefficients: Sequence[ArrayLike], s: Array) -> Array:
    """A polynomial of which the last two coefficients are added to one constant."""
    value = jnp.broadcast_to(jnp.asarray(coefficients[0], s.dtype), s.shape)
    for coefficient in coefficients[1:-1]:
        value = value * s + coefficient
    return value + coefficients[-1]


def closed(q: Array, scale: Array, shift: int = 0, power: int = 1) -> tuple[Array, Array]:
    """c and d with e^x / (1 + e^x)**power = (1 + c) 2**-shift s / d**power, for x at most 0.

    d is 1 + e^x rounded; what that loses, about a relative lost (1 - e^x / 2), is in c.

    Args:
      q, scale: the parts of 2**shift e^x, as `exp_parts` gives them.
    """
    e = (1 + q) * scale / 2**shift
    d = 1 + e
    lost = (e - (d - 1)) * (1 - e / 2)
    return q - (1 + q) * (power * lost), d


def gated(x: Array, z: Array, q: Array, scale: Array, shift: int) -> Array:
    """x / (1 + e^-z), which is x e^z / (1 + e^z) where z < 0; beyond 2**110 x is that there.

    Args:
      q, scale: the parts of 2**shift e^-|z|, as `exp_parts` gives them; `shift` up to 16.
    """
    c, d = closed(q, scale, shift)
    bounded = jnp.clip(x, -(2.0**110), 2.0**110)
    # One division, and last: a quotient is what XLA keeps for all that reads the result.
    return jnp.where(z < 0, (bounded + bounded * c) * scale, x) / jnp.where(z < 0, 2**shift * d, d)
