"""Errors in units in the last place (ULP) of a floating-point format, measured in float64.

The unit of a number t is the distance of the numbers of the format around it: 2**(e - p + 1) for
2**e <= |t| < 2**(e + 1), p bits of significand; below the smallest normal number it is that of the
subnormal ones. A result is correctly rounded if it is at most half a unit away. (Goldberg 1991,
What every computer scientist should know about floating-point arithmetic; Muller 2005, On the
definition of ulp(x), the variant of Harrison.)
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


class Format(NamedTuple):
    """A floating-point format.

    Attributes:
      dtype: its name in JAX.
      bits: of a number.
      precision: bits of its significand, the hidden one included.
      lowest: the exponent of the smallest normal number.
      largest: its largest number.
    """

    dtype: str
    bits: int
    precision: int
    lowest: int
    largest: float


FLOAT32_LOWEST = -126
FORMATS = {
    "float32": Format("float32", 32, 24, -126, (2 - 2.0**-23) * 2.0**127),
    "bfloat16": Format("bfloat16", 16, 8, -126, (2 - 2.0**-7) * 2.0**127),
    "float16": Format("float16", 16, 11, -14, 65504.0),
}


def unit(true: Array, form: Format) -> Array:
    """The distance of numbers of a format around `true` (float64, any shape).

    >>> with jax.enable_x64(True):
    ...     print(unit(jnp.float64(1.5), FORMATS["float32"]) == 2.0**-23)
    True
    """
    bits = jax.lax.bitcast_convert_type(jnp.abs(true), jnp.int64)
    exponent = jnp.maximum((bits >> 52) - 1023, form.lowest)
    scaled = (exponent - (form.precision - 1) + 1023) << 52
    return jax.lax.bitcast_convert_type(scaled, jnp.float64)


def absolute_errors(got: Array, true: Array, form: Format) -> Array:
    """|got - true| in float64, results beyond the largest number counted as that.

    Two NaNs agree; a NaN beside a number is an infinite error.
    """
    wide = jnp.clip(got.astype(jnp.float64), -form.largest, form.largest)
    error = jnp.abs(wide - jnp.clip(true, -form.largest, form.largest))
    is_nan = jnp.isnan(wide) & jnp.isnan(true)
    return jnp.where(is_nan, 0, jnp.where(jnp.isnan(error), jnp.inf, error))


def numbers(first: Array, count: int, stride: int, form: Format) -> tuple[Array, Array]:
    """Numbers of a format by their bits, from `first` on in steps of `stride`.

    Args:
      first: uint32, the bits of the first one.

    Returns:
      The numbers `[count]`, and whether each counts: no NaN, not beyond the last bits, and not
        below the smallest normal number of float32, which XLA has CPUs take for 0.
    """
    steps = jnp.arange(count, dtype=jnp.uint32) * jnp.uint32(stride)
    bits = (first + steps).astype(f"uint{form.bits}")
    x = jax.lax.bitcast_convert_type(bits, form.dtype)
    is_within = steps <= jnp.uint32(2**form.bits - 1) - first
    magnitude = bits & (2 ** (form.bits - 1) - 1)
    is_lost = (magnitude > 0) & (magnitude < 2 ** (form.precision - 1))
    return x, is_within & ~jnp.isnan(x) & ~(is_lost & (form.lowest == FLOAT32_LOWEST))


def neighbours(at: float, count: int) -> np.ndarray:
    """The `count` float32 numbers around one, in their order, NaNs left out."""
    bits = np.asarray(at, np.float32).view(np.int32).astype(np.int64)
    ordered = bits if bits >= 0 else -(bits & 0x7FFFFFFF)  # neighbours differ by 1, also about 0
    around = ordered + np.arange(count) - count // 2
    magnitude = np.abs(around).astype(np.uint32) | np.where(around < 0, 2**31, 0).astype(np.uint32)
    x = magnitude.view(np.float32)
    return x[~np.isnan(x)]
