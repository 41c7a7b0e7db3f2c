"""The other activations in mpmath, at their default parameters; as `references_classic`.

Parameters that float32 has not are taken as float32 rounds them.
"""

import math
from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from benchmarks.exactness.references_classic import sigmoid, swish_slope, tanh_slope
from benchmarks.exactness.truth import DIGITS, Array, Function, Reference
from jaxact.activations.functions.learned.shapes import PAU_DENOMINATOR, PAU_NUMERATOR

mp.dps = DIGITS
_SWISH_ROOT = -1.27846454276


def float32(text: float | str) -> mpf:
    return mpf(np.float32(text).item())


def _shrink(value: Function) -> Reference:
    return Reference(
        lambda x: value(x) if abs(x) > 0.5 else mpf(0),
        lambda x: mpf(abs(x) > 0.5),
        switches=(-0.5, 0.0, 0.5),
    )


def _inverse_root_slope(x: mpf) -> Any:
    return 1 / mpmath.sqrt(1 + x * x) ** 3


def _snake_slope(x: mpf) -> Any:
    """Where 2 x overflows, its value before that."""
    half = mpf(float(np.finfo(np.float32).max)) / 2
    return 2 * mpmath.sin(min(max(x, -half), half) + mpmath.pi / 4) ** 2


def _quick_gelu() -> Reference:
    beta = mpf("1.702")
    return Reference(
        lambda x: x * sigmoid(beta * x),
        lambda x: swish_slope(beta * x),
        roots=(0.0,),
        derivative_roots=(_SWISH_ROOT / 1.702,),
    )


def _elish_slope(x: mpf) -> Any:
    if x >= 0:
        return swish_slope(x)
    return mpmath.exp(x) * sigmoid(x) + mpmath.expm1(x) * sigmoid(x) * sigmoid(-x)


def _hard_elish_slope(x: mpf) -> Any:
    if x <= -1:
        return mpf(0)
    if x < 0:
        return (mpmath.exp(x) * (x + 1) + mpmath.expm1(x)) / 2
    return x + mpf(0.5) if x < 1 else mpf(1)


def _arelu() -> Reference:
    below, above = float32("0.9"), 1 + sigmoid(mpf(2))
    return Reference(
        lambda x: below * x if x < 0 else above * x,
        lambda x: below if x < 0 else above,
        roots=(0.0,),
    )


def _srs() -> Reference:
    alpha, beta = mpf(2), mpf(3)

    def slope(x: mpf) -> mpf:
        e = mpmath.exp(-x / beta)
        return (1 + x / beta) * e / (x / alpha + e) ** 2

    return Reference(
        lambda x: mpf(0) if x < -900 else x / (x / alpha + mpmath.exp(-x / beta)),
        lambda x: mpf(0) if abs(x) > 900 else slope(x),
        roots=(0.0,),
        derivative_roots=(-3.0,),
    )


def _pdelu() -> Reference:
    r = 1 - float32("0.9")

    def power(x: mpf, exponent: Any) -> Any:
        return mpf(0) if 1 + r * x <= 0 else (1 + r * x) ** exponent

    return Reference(
        lambda x: x if x > 0 else power(x, 1 / r) - 1,
        lambda x: mpf(1) if x > 0 else power(x, 1 / r - 1),
        roots=(0.0,),
        derivative_roots=(-10.0,),
        switches=(-10.0, 0.0),
    )


def _polynomial(coefficients: Sequence[Any], x: Any) -> Any:
    return sum(c * x**k for k, c in enumerate(coefficients))


def _differentiated(coefficients: Sequence[Any]) -> list[Any]:
    return [k * c for k, c in enumerate(coefficients)][1:]


def _pau() -> Reference:
    above = [float32(a) for a in PAU_NUMERATOR]
    below = [mpf(1), *(abs(float32(b)) for b in PAU_DENOMINATOR)]
    above_slope, below_slope = _differentiated(above), _differentiated(below)

    def value(x: mpf) -> mpf:
        return _polynomial(above, x) / _polynomial(below, abs(x))

    def slope(x: mpf) -> mpf:
        turned = mpmath.sign(x) * _polynomial(below_slope, abs(x))
        return (_polynomial(above_slope, x) - value(x) * turned) / _polynomial(below, abs(x))

    # What cancels in both, all terms taken positive; beyond 1e6 nothing does.
    def value_terms(x: Array) -> Array:
        magnitude = np.minimum(np.abs(x), 1e6)
        floats = [[abs(float(c)) for c in coefficients] for coefficients in (above, below)]
        return _polynomial(floats[0], magnitude) / _polynomial(floats[1], magnitude)

    def slope_terms(x: Array) -> Array:
        magnitude = np.minimum(np.abs(x), 1e6)
        floats = [[float(c) for c in each] for each in (above_slope, below_slope, below)]
        rising, falling, quotient = (_polynomial(each, magnitude) for each in floats)
        return (rising + value_terms(x) * falling) / quotient

    return Reference(value, slope, value_terms=value_terms, derivative_terms=slope_terms)


def _thirds() -> Reference:
    """A third each of identity, ReLU and tanh."""
    return Reference(
        lambda x: (x + max(x, mpf(0)) + mpmath.tanh(x)) / 3,
        lambda x: (1 + mpf(x > 0) + tanh_slope(x)) / 3,
        roots=(0.0,),
    )


RECENT: dict[str, Reference] = {
    "soft_shrink": _shrink(lambda x: x - mpmath.sign(x) / 2),
    "hard_shrink": _shrink(lambda x: x),
    "tanh_shrink": Reference(
        lambda x: x - mpmath.tanh(x),
        lambda x: mpmath.tanh(x) ** 2,
        roots=(0.0,),
        derivative_roots=(0.0,),
        switches=(-2.0, -1.0, 0.0, 1.0, 2.0),
    ),
    "isru": Reference(lambda x: x / mpmath.sqrt(1 + x * x), _inverse_root_slope, roots=(0.0,)),
    "isrlu": Reference(
        lambda x: x if x > 0 else x / mpmath.sqrt(1 + x * x),
        lambda x: mpf(1) if x > 0 else _inverse_root_slope(x),
        roots=(0.0,),
    ),
    "bent_identity": Reference(
        lambda x: x + x * x / (2 * (mpmath.sqrt(x * x + 1) + 1)),
        lambda x: 1 + x / (2 * mpmath.sqrt(x * x + 1)),
        roots=(0.0,),
    ),
    "sqnl": Reference(
        lambda x: x - mpmath.sign(x) * x * x / 4 if abs(x) < 2 else mpmath.sign(x),
        lambda x: max(mpf(0), 1 - abs(x) / 2),
        roots=(0.0,),
        derivative_roots=(-2.0, 2.0),
        switches=(-2.0, 0.0, 2.0),
    ),
    "squared_relu": Reference(
        lambda x: max(x, mpf(0)) ** 2, lambda x: 2 * max(x, mpf(0)), roots=(0.0,)
    ),
    "snake": Reference(
        lambda x: x + mpmath.sin(x) ** 2,
        _snake_slope,
        roots=(0.0,),
        derivative_roots=tuple(math.pi * (k - 0.25) for k in (-1, 0, 1)),
        exact_up_to=1e4,
    ),
    "quick_gelu": _quick_gelu(),
    "hard_mish": Reference(
        lambda x: x * min(max(x + 2, mpf(0)), mpf(2)) / 2,
        lambda x: mpf(0) if x <= -2 else min(x, mpf(0)) + 1,
        roots=(-2.0, 0.0),
        derivative_roots=(-1.0,),
        switches=(-2.0, 0.0),
    ),
    "lisht": Reference(
        lambda x: x * mpmath.tanh(x),
        lambda x: mpmath.tanh(x) + x * tanh_slope(x),
        roots=(0.0,),
        derivative_roots=(0.0,),
    ),
    "elish": Reference(
        lambda x: x * sigmoid(x) if x >= 0 else mpmath.expm1(x) * sigmoid(x),
        _elish_slope,
        roots=(0.0,),
        derivative_roots=(-0.88137358702,),
    ),
    "hard_elish": Reference(
        lambda x: (x if x >= 0 else mpmath.expm1(x)) * min(max((x + 1) / 2, mpf(0)), mpf(1)),
        _hard_elish_slope,
        roots=(-1.0, 0.0),
        derivative_roots=(-0.442854401,),
        switches=(-1.0, 0.0, 1.0),
    ),
    "learned_swish": Reference(
        lambda x: x * sigmoid(x), swish_slope, roots=(0.0,), derivative_roots=(_SWISH_ROOT,)
    ),
    "arelu": _arelu(),
    "srs": _srs(),
    "pdelu": _pdelu(),
    "pau": _pau(),
    "apl": Reference(lambda x: max(x, mpf(0)), lambda x: mpf(x > 0), roots=(0.0,)),
    "affine_combination": _thirds(),
    "convex_combination": _thirds(),
}
