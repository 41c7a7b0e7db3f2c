"""Fits the polynomials of `gates.gelu_sine` and `learned.expanded` and prints them (a second).

python -m benchmarks.exactness.fit_shapes
"""

if __name__ == "__main__":  # before the imports that would fail
    from jaxact.runs.process import start

    start.begin("mpmath")

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
from mpmath import mp, mpf

from benchmarks.exactness.fits import interpolate


class Fit(NamedTuple):
    """A function, the ends between which it is fitted, and the degree."""

    function: Callable[[mpf], Any]
    low: mpf
    high: mpf
    degree: int


def gelu_sine_slope(d: mpf) -> Any:
    """gelu_sine'(r + d) / d, with the root r of gelu_sine', smooth also there."""

    def slope(x: mpf) -> Any:
        return mpmath.ncdf(x) + x * mpmath.npdf(x) + mpmath.cos(x) / 10

    if abs(d) < mpf(10) ** -12:
        return gelu_sine_slope(mpf(10) ** -11)
    return slope(mpmath.findroot(slope, mpf("-0.9")) + d) / d


def arctan_deficit(s: mpf) -> Any:
    """(v - arctan(v)) / (pi v**3) at v**2 = s + 1/2."""
    y = s + mpf("0.5")
    if y < mpf(10) ** -12:
        return 1 / (3 * mpmath.pi)
    return (1 - mpmath.atan(mpmath.sqrt(y)) / mpmath.sqrt(y)) / (mpmath.pi * y)


def arctan_slope(s: mpf) -> Any:
    """(arctan(v) - v / (1 + v**2)) / (pi v**3), likewise."""
    y = s + mpf("0.5")
    return 1 / (mpmath.pi * (1 + y)) - arctan_deficit(s)


FITS = {
    "gelu_sine": Fit(gelu_sine_slope, mpf("-0.4"), mpf("0.4"), 7),
    "arctan deficit": Fit(arctan_deficit, mpf("-0.5"), mpf("0.5"), 10),
    "arctan slope": Fit(arctan_slope, mpf("-0.5"), mpf("0.5"), 11),
}


def fit(name: str) -> tuple[list[float], float]:
    """Coefficients, the highest power first, and the largest absolute error of the fit."""
    with mp.workdps(40):
        return interpolate(*FITS[name])


if __name__ == "__main__":
    for name in FITS:
        coefficients, error = fit(name)
        print(f"{name}, error {error:.1e}")
        for coefficient in coefficients:
            print(f"    {coefficient:.12g},")
