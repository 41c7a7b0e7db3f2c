"""Periodic, thresholded, normalising and further learned activations; as `references_classic`.

Parameters that float32 has not are taken as float32 rounds them.
"""

from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from benchmarks.exactness.references_classic import CLASSIC
from benchmarks.exactness.references_recent import float32
from benchmarks.exactness.truth import DIGITS, Array, Reference

mp.dps = DIGITS


def _angle(x: mpf) -> mpf:
    """`x`, an infinity as float32's largest number."""
    largest = mpf(float(np.finfo(np.float32).max))
    return min(max(x, -largest), largest)


def _colu(x: mpf) -> Any:
    if abs(x) > 200:
        return x if x > 0 else mpf(0)
    return x / (1 - x * mpmath.exp(-(x + mpmath.exp(x))))


def _colu_slope(x: mpf) -> Any:
    if abs(x) > 200:
        return mpf(x > 0)
    e = mpmath.exp(-(x + mpmath.exp(x)))
    return (1 - x * x * e * (1 + mpmath.exp(x))) / (1 - x * e) ** 2


def _gcu_slope(x: mpf) -> Any:
    return mpmath.cos(x) - x * mpmath.sin(x)


def _gelu_sine_slope(x: mpf) -> Any:
    return CLASSIC["gelu"].derivative(x) + mpmath.cos(x) / 10


def _xatlu(x: mpf) -> Any:
    gate = mpmath.atan(-1 / x) if x < -1 else mpmath.atan(x) + mpmath.pi / 2
    return x * gate / mpmath.pi


def _xatlu_slope(x: mpf) -> Any:
    if x < -1e12:  # the terms cancel beyond 50 digits
        return -mpf(2) / (3 * mpmath.pi * x**3)
    gate = mpmath.atan(-1 / x) if x < -1 else mpmath.atan(x) + mpmath.pi / 2
    return (gate + x / (1 + x * x)) / mpmath.pi


def _smelu() -> Reference:
    return Reference(
        lambda x: mpf(0) if x <= -2 else x if x >= 2 else (x + 2) ** 2 / 8,
        lambda x: min(max(x + 2, mpf(0)), mpf(4)) / 4,
        roots=(-2.0,),
        derivative_roots=(-2.0,),
        switches=(-2.0, 0.0, 2.0),
    )


def _rrelu() -> Reference:
    """In evaluation, with the mean slope."""
    slope = (float32(1 / 8) + float32(1 / 3)) / 2
    return Reference(
        lambda x: x if x > 0 else slope * x, lambda x: mpf(1) if x > 0 else slope, roots=(0.0,)
    )


def _clipped_leaky() -> Reference:
    slope = float32("0.01")
    return Reference(
        lambda x: min(x, mpf(6)) if x > 0 else slope * x,
        lambda x: mpf(x < 6) if x > 0 else slope,
        roots=(0.0,),
        switches=(0.0, 6.0),
    )


def _star_relu() -> Reference:
    scale, bias = float32("0.8944"), float32("-0.4472")
    return Reference(
        lambda x: scale * max(x, mpf(0)) ** 2 + bias,
        lambda x: 2 * scale * max(x, mpf(0)),
        roots=(0.70710678,),
        value_terms=lambda x: np.minimum(0.8944 * np.maximum(x, 0) ** 2, 1e30) + 0.4472,
    )


def _poly_relu() -> Reference:
    third = float32(1 / 3)

    def value(x: mpf) -> mpf:
        above = max(x, mpf(0))
        return third * (above + above**2 + above**3)

    return Reference(
        value, lambda x: third * (1 + 2 * x + 3 * x**2) if x > 0 else mpf(0), roots=(0.0,)
    )


def _log_softmax(row: Sequence[mpf]) -> list[mpf]:
    first = max(range(len(row)), key=lambda i: row[i])
    others = sum(mpmath.exp(x - row[first]) for i, x in enumerate(row) if i != first)
    return [x - row[first] - mpmath.log1p(others) for x in row]


def _log_softmax_diagonal(row: Sequence[mpf]) -> list[mpf]:
    weights = [mpmath.exp(x - max(row)) for x in row]
    return [sum(w for j, w in enumerate(weights) if j != i) / sum(weights) for i in range(len(row))]


def _sparsemax_threshold(row: Sequence[mpf]) -> Any:
    """The root of sum_i max(0, x_i - t) = 1, a sum that falls in t."""
    for size in range(1, len(row) + 1):
        ordered = sorted(row, reverse=True)
        threshold = (sum(ordered[:size]) - 1) / size
        if size == len(row) or ordered[size] <= threshold:
            return threshold
    raise AssertionError


def _sparsemax(row: Sequence[mpf]) -> list[mpf]:
    threshold = _sparsemax_threshold(row)
    return [max(mpf(0), x - threshold) for x in row]


def _sparsemax_diagonal(row: Sequence[mpf]) -> list[mpf]:
    is_in = [value > 0 for value in _sparsemax(row)]
    return [mpf(int(inside)) * (1 - mpf(1) / sum(is_in)) for inside in is_in]


def _ones(x: Array) -> Array:
    """The size of what sums to 1."""
    return np.ones_like(x)


_GELU, _SILU, _SOFTMAX = CLASSIC["gelu"], CLASSIC["silu"], CLASSIC["softmax"]

SHAPES: dict[str, Reference] = {
    "threshold": Reference(
        lambda x: x if x > 1 else mpf(0), lambda x: mpf(x > 1), switches=(0.0, 1.0)
    ),
    "clipped_leaky_relu": _clipped_leaky(),
    "smelu": _smelu(),
    "rrelu": _rrelu(),
    "colu": Reference(_colu, _colu_slope, roots=(0.0,), derivative_roots=(-0.7269249886,)),
    "sine": Reference(
        lambda x: mpmath.sin(_angle(x)),
        lambda x: mpmath.cos(_angle(x)),
        roots=(0.0,),
        exact_up_to=1e4,
    ),
    "gcu": Reference(
        lambda x: x * mpmath.cos(_angle(x)),
        lambda x: _gcu_slope(_angle(x)),
        roots=(0.0,),
        derivative_roots=(-0.86033358902, 0.86033358902),
        exact_up_to=1e4,
        # At the other roots the terms cancel.
        derivative_terms=lambda x: np.where(np.abs(x) < 1.5, 0, np.hypot(1, np.abs(x))),
    ),
    "gelu_sine": Reference(
        lambda x: _GELU.value(x) + mpmath.sin(_angle(x)) / 10,
        lambda x: _gelu_sine_slope(_angle(x)),
        roots=(0.0,),
        derivative_roots=(-0.91734228128,),
        exact_up_to=1e4,
        value_terms=lambda x: np.where(x < -3, 0.1, 0),
        derivative_terms=lambda x: np.where(x < -3, 0.1, 0),
    ),
    "xatlu": Reference(_xatlu, _xatlu_slope, roots=(0.0,)),
    "xgelu": _GELU,
    "xsilu": _SILU,
    "star_relu": _star_relu(),
    "poly_relu": _poly_relu(),
    "softmin": Reference(
        lambda row: _SOFTMAX.value([-x for x in row]),
        lambda row: [-slope for slope in _SOFTMAX.derivative([-x for x in row])],
        smallest=_SOFTMAX.smallest,
    ),
    "log_softmax": Reference(_log_softmax, _log_softmax_diagonal),
    "sparsemax": Reference(_sparsemax, _sparsemax_diagonal, value_terms=_ones),
}
