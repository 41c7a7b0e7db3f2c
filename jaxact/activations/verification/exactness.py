"""Errors in units of the last place, against the function's own evaluation in float64."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

SMALLEST = 1e-36  # results below it are counted absolutely: next to where float32 ends
NEAR_ROOT, BESIDE_ROOT = 0.05, 8  # the neighbourhood of a root: in x, and in points of the sample
_MOST_STEPS = 1000  # values that a function of steps may have among those of `plane`


class Worst(NamedTuple):
    """The largest error of a sample: in units of the last place, and where it is."""

    ulp: float
    at: float


def worst(got: np.ndarray, true: np.ndarray, x: np.ndarray) -> Worst:
    """The largest error in units of the last place.

    |got - true| / ulp(true), where ulp(y) = 2^(floor(log2 |y|) - p + 1) with the p digits of the
    dtype of `got`; correctly rounded results have at most 0.5. Counted absolutely are results below
    `SMALLEST`, in units of that, and in the neighbourhood of a root other than 0 those below 1, in
    units of the last place of 1.

    Args:
      got: results in a dtype: `[points]`.
      true: the same in float64.
      x: where they are, in order.

    Returns:
      The error, inf where one of the two alone is finite, and where it is largest, nearest to 0.

    Source:
      Goldberg 1991, What every computer scientist should know about floating-point arithmetic,
      "Relative error and ulps".

    >>> worst(np.float32([1, 2]), np.asarray([1.0, 2.0 + 2.0**-22]), np.asarray([1.0, 2.0]))
    Worst(ulp=1.0, at=2.0)
    """
    info, x = jnp.finfo(got.dtype), x.astype(np.float64)
    largest = float(info.max)
    size = np.maximum(np.abs(true), _by_a_root(true, x))
    unit = 2.0 ** (np.frexp(np.minimum(size, largest))[1] - 1 - info.nmant)
    unit = np.where(size < SMALLEST, SMALLEST, unit)
    got = got.astype(np.float64)
    overflows = np.isinf(got) & (np.abs(true) > largest / 2) & (np.sign(got) == np.sign(true))
    got = np.where(overflows, np.copysign(largest, true), got)
    errors = np.abs(got - np.clip(true, -largest, largest)) / unit
    errors = np.where(np.isnan(errors), np.inf, errors)
    errors = np.where(np.isnan(got) & np.isnan(true), 0, errors)
    places = np.flatnonzero(errors == errors.max())
    place = places[np.abs(x[places]).argmin()]
    return Worst(float(errors[place]), float(x[place]))


def is_of_float64(values: np.ndarray) -> bool:
    """Whether a function computes with the digits of float64 when it is given some.

    Args:
      values: its results at `plane()`. One that casts to float32 has none but float32's there, and
        its evaluation in float64 is no reference; a function of a few steps may have no others.
    """
    finite = values[np.isfinite(values)]
    with np.errstate(over="ignore"):
        short = finite == finite.astype(np.float32)
    return not (short.all() and len(np.unique(finite)) > _MOST_STEPS)


def _by_a_root(true: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The places near a root other than 0: values change their sign, come to 0, or touch it."""
    magnitude, inner = np.abs(true), slice(1, -1)
    changes = (np.sign(true[:-1]) != np.sign(true[1:])) & (x[:-1] * x[1:] > 0)
    is_low = (magnitude[inner] <= magnitude[:-2]) & (magnitude[inner] <= magnitude[2:])
    sides = [np.interp(x[inner] + d, x, magnitude) for d in (-NEAR_ROOT, NEAR_ROOT)]
    touches = (
        is_low & (magnitude[inner] < 0.01 * np.minimum(*sides)) & (np.abs(x[inner]) > NEAR_ROOT)
    )
    places = np.union1d(np.flatnonzero(changes), np.flatnonzero(touches) + 1)
    if not len(places):
        return np.zeros(len(x), bool)
    index = np.arange(len(x))
    after = np.searchsorted(places, index).clip(max=len(places) - 1)
    before = (after - 1).clip(min=0)
    return np.logical_or.reduce(
        [
            (np.abs(x - x[places[k]]) <= NEAR_ROOT) | (np.abs(index - places[k]) <= BESIDE_ROOT)
            for k in (before, after)
        ]
    )
