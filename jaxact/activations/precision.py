"""Arithmetic with more digits than the dtype has, where a formula would lose some.

XLA evaluates float32 arithmetic to half a unit in the last place and `exp`, `expm1`, `log1p` to one
or two. What is lost beyond that is lost by formulas: by subtracting near a root, by rounding an
argument before `exp`.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


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


def expm1(x: Array, exp: Array) -> Array:
    """e^x - 1 given e^x: in float32 at a fraction of the cost of XLA's own, which knows neither."""
    if x.dtype == jnp.float64:
        return jnp.expm1(x)
    near = jnp.clip(x, -0.5, 0.5)  # elsewhere the series overflows, and its derivative with it
    series = jnp.full_like(x, 1 / math.factorial(8))
    for k in range(7, 0, -1):
        series = series * near + 1 / math.factorial(k)
    return jnp.where(jnp.abs(x) < 0.5, near * series, exp - 1)


def polynomial(coefficients: tuple[float, ...], s: Array) -> Array:
    """Horner's rule; the highest power first, as the fits of `benchmarks.exactness` give it."""
    value = jnp.full_like(s, coefficients[0])
    for coefficient in coefficients[1:]:
        value = value * s + coefficient
    return value


def gaussian_half(x: Array) -> Array:
    """exp(-x**2 / 4), the square root of exp(-x**2 / 2), to relative precision far into the tail.

    The root, since x exp(-x**2 / 2), as (x * half) * half, must not underflow before its result
    does. Rounding x**2 costs a relative x**2 * eps. With x = h + l, where h**2 is exact, it is
    exp(-h**2 / 4) exp(-l (x + h) / 4); the stop_gradient leaves the true derivative. The second
    factor is a series: a product of two `exp` the compiler would merge into one.
    """
    h = jax.lax.stop_gradient(coarse(x))
    small = -0.25 * (x - h) * (x + h)
    return jnp.exp(-0.25 * h * h) * (1 + small * (1 + small * (1 / 2 + small * (1 / 6))))
