"""Fits the polynomials of `functions.gates.coefficients` and prints them (a second).

    python -m benchmarks.exactness.fit_gates

Each interpolates at Chebyshev nodes a smooth part of a gate, of which float32 needs no more.

Near a root of a derivative it is the derivative over the distance from the root.
"""

if __name__ == "__main__":  # before the imports that would fail
    from jaxact.runs.process import start

    start.begin("mpmath")

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
from mpmath import mp, mpf

from benchmarks.exactness.fits import interpolate, mills

LARGEST = 15  # the largest h of the normal distribution; float32 underflows before

Function = Callable[..., Any]  # of an mpf; mpmath has no types of its own


class Fit(NamedTuple):
    """A smooth function of one mpf, and the interval and the degree of its polynomial."""

    function: Function
    low: Any
    high: Any
    degree: int


def _root(slope: Function, near: str) -> Any:
    with mp.workdps(60):
        return mpmath.findroot(slope, mpf(near))


def _over_distance(slope: Function, near: str) -> Function:
    """slope(x) / (x - r), with the root r of the slope."""
    root = _root(slope, near)
    return lambda x: slope(x) / (x - root)


def _of_exp(gate: Function) -> Function:
    return lambda x: gate(mpmath.exp(x))


def _gated(gate: Function, slope: Function) -> Function:
    """The derivative of x g(e^x), given g and its slope in e^x."""
    return lambda x: gate(mpmath.exp(x)) + x * mpmath.exp(x) * slope(mpmath.exp(x))


def _tanh_slope(t: mpf) -> Any:
    return mpmath.sech(t) ** 2


def _serf_gate(t: mpf) -> Any:
    return mpmath.erf(mpmath.log1p(t))


def _serf_slope(t: mpf) -> Any:
    return 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(mpmath.log1p(t) ** 2)) / (1 + t)


def _logish_gate(t: mpf) -> Any:
    return mpmath.log1p(t / (1 + t))


def _logish_slope(t: mpf) -> Any:
    return 1 / ((1 + 2 * t) * (1 + t))


def _phish_slope(h: mpf) -> Any:
    gate = h * mpmath.ncdf(h)
    return mpmath.tanh(gate) + h * _tanh_slope(gate) * (mpmath.ncdf(h) + h * mpmath.npdf(h))


def fits() -> dict[str, Fit]:
    """The fits, by the names of their coefficients."""

    def tanh_rest(square: mpf) -> Any:
        t = mpmath.sqrt(square)
        return (mpmath.tanh(t) / t - 1) / square

    def inverse_mills(w: mpf) -> Any:
        h = 3 * w / (1 - w)
        return (2 - (1 / mills(-h) - mpmath.sqrt(2 * mpmath.pi) * h)) / w

    def logish_gate(v: mpf) -> Any:
        return (mpmath.log1p(v) * (1 - v) / v - 1) / v

    def phish_gate(x: mpf) -> Any:
        return mpmath.tanh(x * mpmath.ncdf(x)) / x

    def of(function: Function, low: Any, high: Any, centre: str, degree: int) -> Fit:
        """A fit in the distance from a centre."""
        middle = mpf(centre)
        return Fit(lambda s: function(s + middle), low - middle, high - middle, degree)

    return {
        "TANH": of(tanh_rest, 0, 1, "0.5", 7),
        "TANH_EXP_NEAR": of(
            _over_distance(_gated(mpmath.tanh, _tanh_slope), "-1.08"), mpf("-1.5"), 0, "-0.75", 12
        ),
        "SERF_GATE": of(lambda t: _serf_gate(t) / t - 1, 0, mpf("0.37"), "0.185", 7),
        "SERF_GATE_NEAR": of(_of_exp(_serf_gate), -1, 1, "0", 10),
        "SERF_SLOPE": of(lambda t: _serf_slope(t) - 1, 0, mpf("0.18"), "0.09", 6),
        "SERF_NEAR": of(
            _over_distance(_gated(_serf_gate, _serf_slope), "-1.19"), mpf("-1.75"), 0, "-0.875", 10
        ),
        "LOGISH_GATE": of(logish_gate, 0, mpf("0.2"), "0.1", 5),
        "LOGISH_GATE_NEAR": of(_of_exp(_logish_gate), mpf("-1.5"), 1, "-0.5", 12),
        "LOGISH_REST": of(lambda v: -mpmath.log1p(-v / 2) / v, 0, mpf("0.28"), "0.14", 4),
        "LOGISH_NEAR": of(
            _over_distance(_gated(_logish_gate, _logish_slope), "-1.37"),
            mpf("-2.25"),
            0,
            "-1.125",
            11,
        ),
        "INVERSE_MILLS": of(inverse_mills, 0, mpf(LARGEST) / (LARGEST + 3), "0.40625", 11),
        "PHISH_GATE": of(phish_gate, mpf("-0.3"), mpf("0.75"), "0.225", 10),
        "PHISH_SLOPE": of(lambda x: _phish_slope(x) / x, mpf("-0.45"), mpf("0.75"), "0", 12),
        "PHISH_NEAR": of(
            _over_distance(_phish_slope, "-1.2"), mpf("-1.85"), mpf("-0.45"), "-1.125", 12
        ),
    }


if __name__ == "__main__":
    for name, fit in fits().items():
        coefficients, error = interpolate(*fit)
        print(f"{name} = (  # error {error:.1e}")
        print("".join(f"    {coefficient:.12g},\n" for coefficient in coefficients) + ")")
