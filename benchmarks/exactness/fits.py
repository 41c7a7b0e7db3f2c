"""Fits the polynomials of the activations and prints them (`python -m benchmarks.exactness.fits`).

Each goes through the function's values at the Chebyshev nodes of an interval, computed with 40
digits. `tests/activations/test_accuracy.py` compares them with those that are committed.
"""

if __name__ == "__main__":  # before the imports that would fail
    from jaxact.runs.process import start

    start.begin("mpmath")

import dataclasses
from collections.abc import Callable
from typing import Any

import mpmath
from mpmath import mp, mpf

from benchmarks.exactness.references_classic import sigmoid, softplus

DIGITS = 40
Function = Callable[[mpf], Any]


@dataclasses.dataclass(frozen=True)
class Fit:
    """A polynomial in v - centre, for low <= v <= high.

    Attributes:
      place: the constant that holds its coefficients, `module:NAME` below `jaxact.activations`.
      function: of v.
      error: the largest that is allowed, relative to the constant coefficient.
    """

    place: str
    function: Function
    low: float | mpf
    high: float | mpf
    centre: float | mpf
    degree: int
    error: float = 1.5e-8

    def coefficients(self) -> tuple[list[float], float]:
        """The coefficients, highest power first, and the largest relative error."""
        with mp.workdps(DIGITS):
            centre = mpf(self.centre)
            found, error = interpolate(
                lambda s: self.function(s + centre),
                mpf(self.low) - centre,
                mpf(self.high) - centre,
                self.degree,
            )
        return found, error / abs(found[-1])


def interpolate(function: Function, low: Any, high: Any, degree: int) -> tuple[list[float], float]:
    """The polynomial through a function's values between two ends, and its largest error."""

    def nodes(count: int) -> list[mpf]:
        angles = [mpmath.pi * (2 * k + 1) / (2 * count) for k in range(count)]
        return [(low + high) / 2 + (high - low) / 2 * mpmath.cos(angle) for angle in angles]

    at = nodes(degree + 1)
    powers = mpmath.matrix([[s**k for k in range(degree, -1, -1)] for s in at])
    values = mpmath.matrix([function(s) for s in at])
    coefficients = list(mpmath.lu_solve(powers, values))
    fitted = {s: sum(c * s**k for k, c in enumerate(coefficients[::-1])) for s in nodes(200)}
    error = max(abs(value - function(s)) for s, value in fitted.items())
    return [float(coefficient) for coefficient in coefficients], float(error)


def smooth(function: Function, at: Any, distance: str = "1e-15") -> Function:
    """A function that is 0/0 at a point, and there what it is beside it."""

    def beside(v: mpf) -> Any:
        return function(v if abs(v - at) > mpf(distance) else at + mpf(distance))

    return beside


def normal_cdf(h: mpf) -> Any:
    return mpmath.erfc(-h / mpmath.sqrt(2)) / 2


def mills(h: mpf) -> Any:
    """Phi(h) e^(h**2 / 2)."""
    return normal_cdf(h) * mpmath.exp(h * h / 2)


def gelu_root() -> mpf:
    """The root of gelu'(x) = Phi(x) + x phi(x)."""
    return mpmath.findroot(lambda x: normal_cdf(x) + x * mpmath.npdf(x), mpf("-0.75"))


def _swish_slope(z: mpf) -> Any:
    return sigmoid(z) + z * sigmoid(z) * sigmoid(-z)


def _mish_slope(x: mpf) -> Any:
    return _mish_gate(x) + x * mpmath.sech(softplus(x)) ** 2 * sigmoid(x)


def _mish_gate(x: mpf) -> Any:
    return mpmath.tanh(softplus(x))


def over_root(slope: Function, near: str) -> Function:
    """A function divided by the distance from its root, which is near a number."""
    with mp.workdps(DIGITS):
        root = mpmath.findroot(slope, mpf(near))
    return smooth(lambda x: slope(x) / (x - root), root)


with mp.workdps(DIGITS):
    _ROOT = gelu_root()


def _gelu_slope(h: mpf) -> Any:
    return (normal_cdf(h) + h * mpmath.npdf(h)) / (h - _ROOT)


def _gelu_tail_slope(h: mpf) -> Any:
    return (mills(h) + h / mpmath.sqrt(2 * mpmath.pi)) / (h - _ROOT)


def _of_inverse_square(function: Function) -> Function:
    """A function of h < 0 as one of 1 / h**2."""
    return lambda u: function(mpf(-1 / mpmath.sqrt(u)))


def _gelu_tanh_slope(x: mpf) -> Any:
    linear, cubic = 2 * mpmath.sqrt(2 / mpmath.pi), mpf("0.044715")
    z = linear * (x + cubic * x**3)
    return sigmoid(z) + x * linear * (1 + 3 * cubic * x * x) * sigmoid(z) * sigmoid(-z)


_GAUSSIAN = "functions.gates.gaussian:_"
_TAIL = 1 / 256, 1 / 9, 0.05859375  # in 1 / h**2: both ends and the centre


def _elish_slope(x: mpf) -> Any:
    return mpmath.exp(x) * sigmoid(x) + mpmath.expm1(x) * sigmoid(x) * sigmoid(-x)


def _hard_elish_slope(x: mpf) -> Any:
    return (mpmath.exp(x) * (x + 1) + mpmath.expm1(x)) / 2


def _of_square(function: Function) -> Function:
    """A function of x as one of x**2."""
    return smooth(lambda v: function(mpf(mpmath.sqrt(v))), 0)


def _gelu_sine_slope(x: mpf) -> Any:
    return normal_cdf(x) + x * mpmath.npdf(x) + mpmath.cos(x) / 10


def _arctan_deficit(y: mpf) -> Any:
    """(v - arctan(v)) / (pi v**3) at v**2 = y."""
    return (1 - mpmath.atan(mpmath.sqrt(y)) / mpmath.sqrt(y)) / (mpmath.pi * y)


def _arctan_slope(y: mpf) -> Any:
    """(arctan(v) - v / (1 + v**2)) / (pi v**3), likewise."""
    return 1 / (mpmath.pi * (1 + y)) - _arctan_deficit(y)


with mp.workdps(DIGITS):
    _SINE_ROOT = mpmath.findroot(_gelu_sine_slope, mpf("-0.9"))
_COMPOSED = "functions.gates.composed:_"
FITS = (
    Fit(
        "functions.gates.gelu_sine:_SLOPE",
        over_root(_gelu_sine_slope, "-0.9"),
        _SINE_ROOT - mpf("0.4"),
        _SINE_ROOT + mpf("0.4"),
        _SINE_ROOT,
        7,
    ),
    Fit(
        "functions.learned.expanded:_ARCTAN_DEFICIT",
        smooth(_arctan_deficit, 0, "1e-12"),
        0,
        1,
        0.5,
        10,
    ),
    Fit(
        "functions.learned.expanded:_ARCTAN_SLOPE", smooth(_arctan_slope, 0, "1e-12"), 0, 1, 0.5, 11
    ),
    Fit(
        "precision:_LOG",
        smooth(lambda f: (mpmath.log1p(f) - f + f * f / 2) / f**3, 0, "1e-9"),
        -0.2929,
        0.4143,
        0,
        10,
    ),
    Fit(_COMPOSED + "ELISH_SLOPE", over_root(_elish_slope, "-0.88"), -1.625, 0, -0.8125, 10),
    Fit(_COMPOSED + "HARD_ELISH_SLOPE", over_root(_hard_elish_slope, "-0.44"), -1, 0, -0.5, 7),
    Fit(
        "functions.shrinkage:_TANH_SHRINK",
        _of_square(lambda x: (x - mpmath.tanh(x)) / x**3),
        0,
        2.25,
        1.125,
        10,
    ),
    Fit(
        "functions.gates.self_gated:_SWISH_SLOPE",
        over_root(_swish_slope, "-1.28"),
        -1.625,
        0,
        -0.8125,
        9,
    ),
    Fit(
        "functions.gates.self_gated:_MISH_SLOPE",
        over_root(_mish_slope, "-1.19"),
        -1.625,
        0,
        -0.8125,
        10,
    ),
    Fit("functions.gates.self_gated:_MISH", _mish_gate, -1, 1, 0, 11),
    Fit("precision:_EXP", smooth(lambda r: (mpmath.expm1(r) - r) / r**2, 0), -0.4, 0.4, 0, 5),
    Fit("precision:_LOG1P", smooth(lambda e: (mpmath.log1p(e) - e) / e**2, 0), 0, 1, 0.5, 9),
    Fit(_GAUSSIAN + "NEAR", normal_cdf, -1, 0, -0.5, 9),
    Fit(_GAUSSIAN + "MIDDLE", lambda h: h * mills(h), -3, -1, -2, 9),
    Fit(_GAUSSIAN + "TAIL", _of_inverse_square(lambda h: h * mills(h)), *_TAIL, 9),
    Fit(_GAUSSIAN + "NEAR_SLOPE", smooth(_gelu_slope, _ROOT), -1, 0, -0.5, 9),
    Fit(_GAUSSIAN + "MIDDLE_SLOPE", _gelu_tail_slope, -3, -1, -2, 9),
    Fit(
        _GAUSSIAN + "TAIL_SLOPE",
        _of_inverse_square(lambda h: mills(h) / h + 1 / mpmath.sqrt(2 * mpmath.pi)),
        *_TAIL,
        9,
    ),
    Fit(_GAUSSIAN + "TANH_SLOPE", over_root(_gelu_tanh_slope, "-0.75"), -1, 0, -0.46875, 8),
)

if __name__ == "__main__":
    for fit in FITS:
        coefficients, error = fit.coefficients()
        print(f"{fit.place}, relative error {error:.1e}")
        for coefficient in coefficients:
            print(f"    {coefficient:.12g},")
