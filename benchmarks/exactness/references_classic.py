"""The activations of jax.nn and their like in mpmath, at their default parameters.

Written from the definitions, not from jaxact's formulas: 50 digits hide every cancellation that
jaxact has to avoid. Beyond |x| = 200, where e^-|x| is far below float32, limits are used.
"""

from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from benchmarks.exactness.truth import DIGITS, Function, Reference


def _constant(value: float) -> Function:
    return lambda x: mpf(value)


def sigmoid(x: mpf) -> Any:
    if abs(x) > 200:
        return mpf(x > 0)
    return 1 / (1 + mpmath.exp(-x))


def softplus(x: mpf) -> Any:
    if abs(x) > 200:
        return x if x > 0 else mpf(0)
    return mpmath.log1p(mpmath.exp(x))


def tanh_slope(x: mpf) -> mpf:
    return mpf(0) if abs(x) > 200 else mpmath.sech(x) ** 2


def swish_slope(x: mpf) -> mpf:
    return sigmoid(x) + (x * sigmoid(x) * sigmoid(-x) if abs(x) < 200 else 0)


def _mish_slope(x: mpf) -> mpf:
    return mpmath.tanh(softplus(x)) + x * tanh_slope(softplus(x)) * sigmoid(x)


def _gelu_cdf(x: mpf) -> mpf:
    if abs(x) > 200:
        return mpf(x > 0)
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def _gelu_slope(x: mpf) -> mpf:
    return _gelu_cdf(x) + (x * mpmath.npdf(x) if abs(x) < 200 else 0)


def _gelu_tanh_gate(x: mpf) -> mpf:
    return sigmoid(2 * mpmath.sqrt(2 / mpmath.pi) * (x + mpf("0.044715") * x**3))


def _gelu_tanh_slope(x: mpf) -> mpf:
    inner = 2 * mpmath.sqrt(2 / mpmath.pi) * (1 + 3 * mpf("0.044715") * x * x)
    gate = _gelu_tanh_gate(x)
    return gate + (x * inner * gate * _gelu_tanh_gate(-x) if abs(x) < 200 else 0)


def _softmax(row: Sequence[mpf]) -> list[mpf]:
    weights = [mpmath.exp(x - max(row)) for x in row]
    return [w / sum(weights) for w in weights]


def _softmax_diagonal(row: Sequence[mpf]) -> list[mpf]:
    weights = [mpmath.exp(x - max(row)) for x in row]
    total = sum(weights)
    others = [sum(w for j, w in enumerate(weights) if j != i) for i in range(len(row))]
    return [w * o / total**2 for w, o in zip(weights, others, strict=True)]


def _exponential_unit(scale: mpf, alpha: mpf) -> Reference:
    return Reference(
        lambda x: scale * x if x > 0 else scale * alpha * mpmath.expm1(x),
        lambda x: scale if x > 0 else scale * alpha * mpmath.exp(x),
        roots=(0.0,),
    )


def _leaky(slope: str) -> Reference:
    below = mpf(np.float32(slope).item())
    return Reference(
        lambda x: x if x > 0 else below * x, lambda x: mpf(1) if x > 0 else below, roots=(0.0,)
    )


def _clipped(low: int, high: int, function: Function, slope: Function, closed: bool) -> Reference:
    """`function` between two kinks, constant outside; `closed`: its slope holds at the kinks."""

    def derivative(x: mpf) -> mpf:
        inside = low <= x <= high if closed else low < x < high
        return slope(x) if inside else mpf(0)

    return Reference(
        lambda x: function(min(max(x, mpf(low)), mpf(high))),
        derivative,
        roots=(float(low), 0.0),
        switches=(float(low), 0.0, float(high)),
    )


mp.dps = DIGITS
_SWISH = Reference(
    lambda x: x * sigmoid(x), swish_slope, roots=(0.0,), derivative_roots=(-1.27846454276,)
)
_HARD_SILU = Reference(
    lambda x: mpf(0) if x <= -3 else x if x >= 3 else x * (x + 3) / 6,
    lambda x: mpf(0) if x <= -3 else mpf(1) if x >= 3 else (2 * x + 3) / 6,
    roots=(-3.0, 0.0),
    derivative_roots=(-1.5,),
    switches=(-3.0, 0.0, 3.0),
)
_SPARSE_SIGMOID = _clipped(-1, 1, lambda x: (x + 1) / 2, _constant(0.5), closed=False)

CLASSIC: dict[str, Reference] = {
    "identity": Reference(lambda x: x, _constant(1), roots=(0.0,)),
    "linear": Reference(lambda x: x, _constant(1), roots=(0.0,)),
    "binary_step": Reference(lambda x: mpf(x > 0), _constant(0)),
    "sigmoid": Reference(sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "tanh": Reference(mpmath.tanh, tanh_slope, roots=(0.0,)),
    "relu": Reference(lambda x: max(x, mpf(0)), lambda x: mpf(x > 0), roots=(0.0,)),
    "relu6": _clipped(0, 6, lambda x: x, _constant(1), closed=False),
    "leaky_relu": _leaky("0.01"),
    "prelu": _leaky("0.25"),
    "elu": _exponential_unit(mpf(1), mpf(1)),
    "celu": _exponential_unit(mpf(1), mpf(1)),
    "selu": _exponential_unit(
        mpf("1.0507009873554804934193349852946"), mpf("1.6732632423543772848170429916717")
    ),
    "swish": _SWISH,
    "silu": _SWISH,
    "mish": Reference(
        lambda x: x * mpmath.tanh(softplus(x)),
        _mish_slope,
        roots=(0.0,),
        derivative_roots=(-1.19243121451,),
    ),
    "gelu": Reference(
        lambda x: x * _gelu_cdf(x),
        _gelu_slope,
        roots=(0.0,),
        derivative_roots=(-0.75179152469,),
    ),
    "gelu_tanh": Reference(
        lambda x: x * _gelu_tanh_gate(x),
        _gelu_tanh_slope,
        roots=(0.0,),
        derivative_roots=(-0.75246142207,),
    ),
    "hard_sigmoid": _clipped(-3, 3, lambda x: (x + 3) / 6, _constant(mpf(1) / 6), closed=False),
    "hard_silu": _HARD_SILU,
    "hard_swish": _HARD_SILU,
    "hard_tanh": _clipped(-1, 1, lambda x: x, _constant(1), closed=True),
    "log_sigmoid": Reference(lambda x: -softplus(-x), lambda x: sigmoid(-x)),
    "soft_sign": Reference(
        lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2, roots=(0.0,)
    ),
    "softplus": Reference(softplus, sigmoid),
    "sparse_plus": Reference(
        lambda x: mpf(0) if x <= -1 else x if x >= 1 else (x + 1) ** 2 / 4,
        _SPARSE_SIGMOID.value,
        roots=(-1.0,),
        derivative_roots=(-1.0,),
        switches=(-1.0, 0.0, 1.0),
    ),
    "sparse_sigmoid": _SPARSE_SIGMOID,
    "squareplus": Reference(
        lambda x: 2 / (mpmath.sqrt(x * x + 4) - x) if x < 0 else (x + mpmath.sqrt(x * x + 4)) / 2,
        lambda x: _squareplus_slope(x),
    ),
    # A sum loses the terms that underflow, which shows in results as small as a few of them.
    "softmax": Reference(_softmax, _softmax_diagonal, smallest=1e-30),
}


def _squareplus_slope(x: mpf) -> mpf:
    root = mpmath.sqrt(x * x + 4)
    return 2 / (root * (root - x)) if x < 0 else (1 + x / root) / 2
