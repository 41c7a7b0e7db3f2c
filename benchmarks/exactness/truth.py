"""The truth that a float32 function is measured against: points, true values, errors.

The functions themselves are in `benchmarks.exactness.references`.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from mpmath import mp, mpf

DIGITS = 50
SMALLEST = 1e-36
NEAR_ROOT = 0.05  # so near a root, ABSOLUTE is enough
ABSOLUTE = 2e-7
VALUE_TOLERANCE, DERIVATIVE_TOLERANCE = 5e-7, 1e-6

_LARGEST = float(np.finfo(np.float32).max)  # results beyond are an infinity

Array = np.ndarray
Function = Callable[..., Any]  # of an mpf; mpmath has no types of its own


@dataclasses.dataclass(frozen=True)
class Reference:
    """An activation at its default parameters, and where it needs a closer look.

    Attributes:
      value, derivative: functions of one mpf; softmax: of a row of them.
      roots: where the value is 0.
      derivative_roots: where the derivative is 0.
      switches: where formulas change: kinks and ends of pieces.
      exact_up_to: how far from 0 digits are asked for, of a periodic function.
      smallest: results below it in magnitude only need to be as small.
      value_terms, derivative_terms: for sums whose terms may cancel, as learned coefficients let
          them: the sum of their magnitudes, by which errors are divided if it is larger than the
          result.
    """

    value: Function
    derivative: Function
    roots: tuple[float, ...] = ()
    derivative_roots: tuple[float, ...] = ()
    switches: tuple[float, ...] = (0.0,)
    exact_up_to: float = math.inf
    smallest: float = SMALLEST
    value_terms: Callable[[Array], Array] | None = None
    derivative_terms: Callable[[Array], Array] | None = None

    def value_errors(self, got: Any, true: Array, x: Array) -> Array:
        """Relative errors of values; 0 where only an absolute one is asked for, and it is met."""
        return _relative_errors(got, true, x, self.roots, self.smallest, self.value_terms)

    def derivative_errors(self, got: Any, true: Array, x: Array) -> Array:
        """Relative errors of derivatives, likewise."""
        terms = self.derivative_terms
        return _relative_errors(got, true, x, self.derivative_roots, self.smallest, terms)


def points(reference: Reference, count: int, seed: int = 0) -> Array:
    """About `count` float32 points: all exponents of both signs, [-100, 100], roots, switches."""
    rng = np.random.default_rng(seed)
    spread = _either_sign(rng, 2.0 ** rng.uniform(-126, 127.9, count // 4))
    uniform = rng.uniform(-100, 100, count // 4)
    tail = rng.uniform(-20, 20, count // 4)
    special = sorted({*reference.roots, *reference.derivative_roots, *reference.switches})
    each = count // 4 // (2 * len(special))
    # Around each special point: it, a cloud, and every distance down to the resolution of float32.
    close = [
        np.concatenate(
            [[0], rng.normal(0, 0.1, each), _either_sign(rng, 2.0 ** rng.uniform(-24, 0, each))]
        )
        + s
        for s in special
    ]
    return np.concatenate([spread, uniform, tail, *close]).astype(np.float32)


def softmax_rows(count: int, seed: int = 0) -> Array:
    """About `count` float32 numbers in rows of 8, from nearly equal to far apart."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-2, 2, (count // 8, 1))
    return (rng.normal(0, 1, (count // 8, 8)) * scale).astype(np.float32)


def _either_sign(rng: np.random.Generator, magnitudes: Array) -> Array:
    return rng.choice([-1, 1], magnitudes.shape) * magnitudes


def evaluate(function: Function, x: Array) -> Array:
    """`function` at every point of `x` (each row of it, if it has rows), rounded to float64."""
    with mp.workdps(DIGITS):
        if x.ndim == 2:
            rows = [function([mpf(float(v)) for v in row]) for row in x]
            return np.array([[float(v) for v in row] for row in rows])
        return np.array([float(function(mpf(float(v)))) for v in x])


def _relative_errors(
    got: Any,
    true: Array,
    x: Array,
    roots: tuple[float, ...],
    smallest: float,
    terms: Callable[[Array], Array] | None,
) -> Array:
    got = np.asarray(got, np.float64)
    absolute = np.abs(np.clip(got, -_LARGEST, _LARGEST) - np.clip(true, -_LARGEST, _LARGEST))
    tiny = np.abs(true) <= smallest
    errors = np.where(absolute <= smallest, 0, np.inf)
    size = np.abs(true) if terms is None else np.maximum(np.abs(true), terms(x.astype(np.float64)))
    np.divide(absolute, size, out=errors, where=~tiny)
    for root in roots:
        errors = np.where((np.abs(x - root) <= NEAR_ROOT) & (absolute <= ABSOLUTE), 0, errors)
    return np.where(np.isnan(got), np.inf, errors)
