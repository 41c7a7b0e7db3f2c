"""Exponentials in float32 to more digits than it has, for what is computed from them.

XLA's `exp` is good to one or two units in the last place. A product with it is worse, and
exp(-u) of a u that is itself an exponential is worse by a factor of u. Here e^x is the sum of two
numbers, the second below half a unit of the first, which is right to about 2**-29.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations.numerics import finite
from jaxact.activations.precision import polynomial

FAR = 150.0  # e^-x is 0 in float32 from here on, and e^x infinite

_LOG2_E = 1.4426950408889634
_LN2_SHORT, _LN2_REST = 0.693145751953125, 1.4286068202862268e-06  # the first has 16 bits
_SERIES = (1 / 40320, 1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6)
_GRID = 2.0**11


class Exponential(NamedTuple):
    """The number (high + low) 2**power, where 0.7 < high < 1.5 and |low| <= 2**-24.

    The power is apart, so that a product overflows or underflows only where its result does.
    """

    high: Array
    low: Array
    power: Array

    def times(self, factor: Array) -> Array:
        """The product with a number, rounded twice; with an infinity, too, where `low` is 0."""
        return scale(factor * self.high + finite(factor) * self.low, self.power)

    def rounded(self) -> Array:
        """The nearest number."""
        return scale(self.high, self.power)


@jax.custom_jvp
def exp(x: Array, rest: Array) -> Exponential:
    """e^(x + rest) for float32 |x| up to `FAR` and a rest below 1e-5.

    With n the nearest integer to x / log(2) and r = x - n log(2), of which the product of n with
    the 16 bits is exact, it is e^r 2**n. The terms 1, r and r**2 / 2, the latter of a short r, are
    added without rounding; what follows them is small.
    """
    power = jnp.round(x * _LOG2_E)
    r = x - power * _LN2_SHORT
    rest = rest - power * _LN2_REST
    short = jnp.round(r * _GRID) / _GRID
    square = short * short / 2
    linear = 1 + r
    first = linear + square
    lost = (r - (linear - 1)) + (square - (first - linear))
    small = (r - short) * (r + short) / 2 + r * r * r * polynomial(_SERIES, r)
    small = lost + (small + (first + small) * rest * (1 + rest / 2))
    high = first + small
    return Exponential(high, small - (high - first), power)


@exp.defjvp
def _exp_jvp(
    primals: tuple[Array, Array], tangents: tuple[Array, Array]
) -> tuple[Exponential, Exponential]:
    value = exp(*primals)
    tangent = tangents[0] + tangents[1]
    return value, Exponential(
        value.high * tangent, value.low * tangent, jnp.zeros_like(value.power)
    )


def scale(x: Array, power: Array) -> Array:
    """x 2**power for a whole power from -252 to 254, in two steps: float32 holds half of them."""
    half = jnp.floor(power / 2)
    return x * _power_of_two(half) * _power_of_two(power - half)


def _power_of_two(n: Array) -> Array:
    """2**n, from its bits."""
    bits = (n.astype(jnp.int32) + 127) << 23
    return jax.lax.bitcast_convert_type(bits, jnp.float32)
