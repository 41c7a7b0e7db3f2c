"""Fits the two polynomials of `functions.gates.gaussian` and prints them (a second).

    python -m benchmarks.exactness.fit_gelu

Both interpolate at Chebyshev nodes of 0 <= h <= 14, beyond which float32 underflows, in the
variable s = 4 / (4 + h) - CENTRE, which is short enough for a low degree.
"""

if __name__ == "__main__":  # before the imports that would fail
    from jaxact.runs.process import start

    start.begin("mpmath")

from collections.abc import Callable
from typing import Any

import mpmath
from mpmath import mp, mpf

DEGREE = 8
CENTRE = mpf("0.609375")
LARGEST = 14


def mills(h: mpf) -> mpf:
    """Phi(-h) / exp(-h**2 / 2)."""
    return mpmath.erfc(h / mpmath.sqrt(2)) / 2 * mpmath.exp(h * h / 2)


def tail(h: mpf) -> mpf:
    """Phi(-h) = exp(-h**2 / 2) 4 / (4 + h) tail(h)."""
    return mills(h) * (4 + h) / 4


def slope(h: mpf) -> mpf:
    """gelu'(-h) = exp(-h**2 / 2) (-h - root) slope(h), smooth also at the root."""
    root = gelu_root()
    distance = -h - root
    if abs(distance) < mpf(10) ** -12:
        return slope(h + mpf(10) ** -11)
    return (mills(h) - h / mpmath.sqrt(2 * mpmath.pi)) / distance


def gelu_root() -> mpf:
    """The root of gelu'(x) = Phi(x) + x phi(x)."""
    return mpmath.findroot(lambda x: mpmath.ncdf(x) + x * mpmath.npdf(x), mpf("-0.75"))


def interpolate(
    function: Callable[[mpf], Any], low: Any, high: Any, degree: int
) -> tuple[list[float], float]:
    """A polynomial through a function's values between two ends, computed in 40 digits.

    Returns:
      The coefficients as `jaxact.activations.precision.polynomial` takes them, the highest power
      first, and the largest absolute error of the fit.
    """

    def nodes(count: int) -> list[mpf]:
        angles = [mpmath.pi * (2 * k + 1) / (2 * count) for k in range(count)]
        return [(low + high) / 2 + (high - low) / 2 * mpmath.cos(angle) for angle in angles]

    with mp.workdps(40):
        at = nodes(degree + 1)
        powers = mpmath.matrix([[s**k for k in range(degree, -1, -1)] for s in at])
        values = mpmath.matrix([function(s) for s in at])
        coefficients = list(mpmath.lu_solve(powers, values))
        fitted = {s: sum(c * s**k for k, c in enumerate(coefficients[::-1])) for s in nodes(200)}
        error = max(abs(value - function(s)) for s, value in fitted.items())
        return [float(coefficient) for coefficient in coefficients], float(error)


def fit(function: Callable[[mpf], mpf]) -> tuple[list[float], float]:
    """Coefficients in s, highest power first, and the largest absolute error of the fit."""
    with mp.workdps(40):
        low, high = 4 / mpf(4 + LARGEST) - CENTRE, 1 - CENTRE
        return interpolate(lambda s: function(mpf(4 / (s + CENTRE) - 4)), low, high, DEGREE)


if __name__ == "__main__":
    for function in (tail, slope):
        coefficients, error = fit(function)
        print(f"{function.__name__}, error {error:.1e}")
        for coefficient in coefficients:
            print(f"    {coefficient:.12g},")
