"""The newer smooth gates in mpmath, at their default parameters; as `references_classic`.

Parameters that float32 has not are taken as float32 rounds them.
"""

from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from benchmarks.exactness.references_classic import CLASSIC, sigmoid, softplus, tanh_slope
from benchmarks.exactness.truth import DIGITS, Function, Reference
from jaxact.activations.functions.learned.integrated import ALPHA_N, ALPHA_P

mp.dps = DIGITS
_FAR = 200  # e^-x is far below float32 there, and so is e^(-x**2)


def _float32(value: float | str) -> mpf:
    return mpf(np.float32(value).item())


def _gated(gate: Function, slope: Function, root: float) -> Reference:
    """A reference of x g(x), with the limits of a gate that opens from 0, given g and g'."""

    def derivative(x: mpf) -> Any:
        return gate(x) + (x * slope(x) if abs(x) < _FAR else 0)

    return Reference(
        lambda x: x * gate(x) if x > -_FAR else mpf(0),
        lambda x: derivative(x) if x > -_FAR else mpf(0),
        roots=(0.0,),
        derivative_roots=(root,),
    )


def _exp(x: mpf) -> Any:
    return mpmath.exp(min(x, mpf(_FAR)))


def _gompertz() -> Reference:
    def gate(x: mpf) -> Any:
        return mpmath.exp(-mpmath.exp(-x)) if x > -20 else mpf(0)

    return _gated(gate, lambda x: gate(x) * _exp(-x), root=-0.56714329041)


def _tanh_exp() -> Reference:
    return _gated(
        lambda x: mpmath.tanh(_exp(x)),
        lambda x: _exp(x) * tanh_slope(_exp(x)),
        root=-1.07886005846,
    )


def _serf() -> Reference:
    def slope(x: mpf) -> Any:
        return 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(softplus(x) ** 2)) * sigmoid(x)

    return _gated(lambda x: mpmath.erf(softplus(x)), slope, root=-1.19305996893)


def _logish() -> Reference:
    return _gated(
        lambda x: mpmath.log1p(sigmoid(x)),
        lambda x: sigmoid(x) * sigmoid(-x) / (1 + sigmoid(x)),
        root=-1.37245413703,
    )


def _phish() -> Reference:
    gelu = CLASSIC["gelu"]

    def slope(x: mpf) -> Any:
        return tanh_slope(gelu.value(x)) * gelu.derivative(x)

    gated = _gated(lambda x: mpmath.tanh(gelu.value(x)), slope, root=-1.19543120139)
    return Reference(
        gated.value, gated.derivative, roots=(0.0,), derivative_roots=(*gated.derivative_roots, 0.0)
    )


def _laplace() -> Reference:
    mu, sigma = _float32("0.707107"), _float32("0.282095")

    def standardized(x: mpf) -> Any:
        return min(max((x - mu) / sigma, mpf(-_FAR)), mpf(_FAR))

    return Reference(
        lambda x: mpmath.erfc(-standardized(x) / mpmath.sqrt(2)) / 2,
        lambda x: mpmath.npdf(standardized(x)) / sigma,
        switches=(float(mu),),
    )


def _clipped_gelu() -> Reference:
    gelu = CLASSIC["gelu"]
    return Reference(
        lambda x: min(gelu.value(x), mpf(10)),
        lambda x: gelu.derivative(x) if gelu.value(x) <= 10 else mpf(0),
        roots=gelu.roots,
        derivative_roots=gelu.derivative_roots,
        switches=(0.0, 10.0),
    )


def _exponential() -> Reference:
    def value(x: mpf) -> Any:
        return mpmath.exp(min(max(x, mpf(-_FAR)), mpf(_FAR)))

    return Reference(value, value)


def _xielu() -> Reference:
    p, excess = (mpmath.log1p(mpmath.exp(_float32(a))) for a in (ALPHA_P, ALPHA_N))
    beta = mpf("0.5")
    n = beta + excess
    return Reference(
        lambda x: p * x * x + beta * x if x > 0 else n * mpmath.expm1(x) - excess * x,
        lambda x: 2 * p * x + beta if x > 0 else beta + n * mpmath.expm1(x),
        roots=(0.0, float(mpmath.findroot(lambda x: n * mpmath.expm1(x) - excess * x, -2.4))),
        derivative_roots=(float(mpmath.log(excess / n)),),
    )


_TANH_EXP = _tanh_exp()
GATES: dict[str, Reference] = {
    "tanh_exp": _TANH_EXP,
    "telu": _TANH_EXP,
    "serf": _serf(),
    "logish": _logish(),
    "exponential": _exponential(),
    "golu": _gompertz(),
    "phish": _phish(),
    "laplace": _laplace(),
    "clipped_gelu": _clipped_gelu(),
    "xielu": _xielu(),
}
