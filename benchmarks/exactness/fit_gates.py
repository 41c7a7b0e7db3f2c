"""Fits the polynomials of `functions.gates.coefficients` and prints them (a second).

    python -m benchmarks.exactness.fit_gates

Each interpolates at Chebyshev nodes a smooth part of a gate, of which float32 needs no more.

A gate g of e^x is a function of t = e^x. The derivative of x g(t) is t (g / t + x g'), which is
t (d g' + (t - t_r) rise) with the root r of it, d = x - r, t_r = e^r, and the smooth
rise = (g / t + r g') / (t - t_r): both terms have the sign of d.
"""

if __name__ == "__main__":  # before the imports that would fail
    from jaxact.runs.process import start

    start.begin("mpmath")

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
from mpmath import mp, mpf

from benchmarks.exactness.fit_gelu import interpolate, mills

LARGEST = 15  # the largest h of the normal distribution; float32 underflows before

Function = Callable[[mpf], Any]


class Fit(NamedTuple):
    """A smooth function of one mpf, and the interval and the degree of its polynomial."""

    function: Function
    low: Any
    high: Any
    degree: int


def _root(slope: Function, near: str) -> Any:
    with mp.workdps(60):
        return mpmath.findroot(slope, mpf(near))


def _rise(gate: Function, slope: Function, near: str) -> tuple[Function, Any]:
    """The rise of a gate of t, given its slope in t, and t_r."""

    def numerator(x: mpf, t: mpf) -> Any:
        return gate(t) / t + x * slope(t)

    root = _root(lambda x: numerator(x, mpmath.exp(x)), near)
    at_root = mpmath.exp(root)
    return lambda t: numerator(root, t) / (t - at_root), at_root


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
    tanh_rise, tanh_root = _rise(mpmath.tanh, _tanh_slope, "-1.08")
    serf_rise, _ = _rise(_serf_gate, _serf_slope, "-1.19")
    logish_rise, _ = _rise(_logish_gate, _logish_slope, "-1.37")
    phish_root = _root(_phish_slope, "-1.2")
    half = mpf("0.5")

    def tanh_rest(square: mpf) -> Any:
        t = mpmath.sqrt(square)
        return (mpmath.tanh(t) / t - 1) / square

    def tanh_exp_rise(square: mpf) -> Any:
        t = mpmath.sqrt(square)
        return tanh_rise(t) / (t + tanh_root)

    def phish_rise(h: mpf) -> Any:
        return _phish_slope(h) * mpmath.exp(h * h / 2) / (h * (h - phish_root))

    def inverse_mills(w: mpf) -> Any:
        h = 3 * w / (1 - w)
        return (2 - (1 / mills(h) - mpmath.sqrt(2 * mpmath.pi) * h)) / w

    def logish_rest(v: mpf) -> Any:
        return (_logish_gate(v / (1 - v)) * (1 - v) / v - 1) / v

    def of(function: Function, low: Any, high: Any, centre: str, degree: int) -> Fit:
        """A fit in the distance from a centre."""
        middle = mpf(centre)
        return Fit(lambda s: function(s + middle), low - middle, high - middle, degree)

    return {
        "TANH": of(tanh_rest, 0, 1, "0.5", 7),
        "TANH_EXP_RISE": of(tanh_exp_rise, 0, 1, "0.5", 8),
        "SERF_GATE": of(lambda t: _serf_gate(t) / t - 1, 0, 1, "0.5", 9),
        "SERF_SLOPE": of(lambda t: _serf_slope(t) - half, 0, 1, "0.5", 10),
        "SERF_RISE": of(serf_rise, 0, 1, "0.5", 10),
        "LOGISH_GATE": of(logish_rest, 0, half, "0.25", 7),
        "LOGISH_RISE": of(lambda v: logish_rise(v / (1 - v)), 0, half, "0.25", 9),
        "LOGISH_REST": of(lambda v: -mpmath.log1p(-v / 2) / v, 0, half, "0.25", 6),
        "INVERSE_MILLS": of(inverse_mills, 0, mpf(LARGEST) / (LARGEST + 3), "0.40625", 11),
        "PHISH_RISE": of(phish_rise, mpf("-2.2"), mpf("-0.3"), "-1.25", 12),
    }


if __name__ == "__main__":
    for name, fit in fits().items():
        coefficients, error = interpolate(*fit)
        print(f"{name} = (  # error {error:.1e}")
        print("".join(f"    {coefficient:.12g},\n" for coefficient in coefficients) + ")")
