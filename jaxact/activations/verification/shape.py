"""The shape of a function, read off its values: extremes, jumps, turns."""

from typing import NamedTuple

import numpy as np

_TIE = 1e-8  # relative: values so near to the extreme count as it
_WIDE = 0.01  # a stretch of them that is narrower, in units of max(1, |x|), is a point
_ROUNDING = 1e-12  # of the largest value: steps that say nothing
_STEEP, _FLAT = 1e-3, 1e-6  # by so much a secant may exceed the steepest slope, relative, absolute


class Extreme(NamedTuple):
    """A largest value and where it is.

    Attributes:
      value: the largest.
      low, high: the ends of the stretch of points that have it, of several that nearest to 0.
    """

    value: float
    low: float
    high: float

    @property
    def place(self) -> str:
        """The stretch in words.

        >>> Extreme(1.0, 0.0, 3e38).place, Extreme(1.0, 1.5, 1.5).place
        ('from x = 0 to 3e+38', 'at x = 1.5')
        """
        if self.low == self.high:
            return f"at x = {self.low:.4g}"
        return f"from x = {self.low:.3g} to {self.high:.3g}"


def largest(x: np.ndarray, y: np.ndarray) -> Extreme:
    """The largest of the values `y` at the points `x`, which are in order; NaN counts nowhere.

    Raises:
      ValueError: every value is NaN.

    >>> largest(np.asarray([-2.0, -1.0, 0.0, 1.0]), np.asarray([0.0, 0.0, 0.0, -1.0]))
    Extreme(value=0.0, low=-2.0, high=0.0)
    """
    best = float(np.nanmax(y))
    if np.isnan(best):
        raise ValueError("every value is NaN")
    ties = y >= (best - _TIE * abs(best) if np.isfinite(best) else best)
    places = np.flatnonzero(ties)
    first = places[np.abs(x[places]).argmin()]
    others = np.flatnonzero(~ties)
    after = np.searchsorted(others, first)
    low = others[after - 1] + 1 if after else 0
    high = others[after] - 1 if after < len(others) else len(x) - 1
    if x[high] - x[low] < _WIDE * max(1, abs(x[first])):
        low = high = low + int(np.argmax(y[low : high + 1]))
    return Extreme(best, float(x[low]), float(x[high]))


def jump(x: np.ndarray, y: np.ndarray, steepest: float) -> float | None:
    """The place where values rise faster than their steepest slope, by more than rounding does.

    Args:
      x: points in order, equally far apart.
      y: the values there.
      steepest: the largest |derivative|, by the mean value theorem the most that a secant of a
        differentiable function can have.

    Returns:
      The middle of the steepest secant, if it is too steep; else None.
    """
    secants = np.abs(np.diff(y) / np.diff(x))
    place = int(np.nanargmax(secants))
    if secants[place] <= (1 + _STEEP) * steepest + _FLAT:
        return None
    return float(x[place : place + 2].mean())


class Turns(NamedTuple):
    """The way that values go.

    Attributes:
      at: where they turn.
      rises, falls: whether they do anywhere.
    """

    at: tuple[float, ...]
    rises: bool
    falls: bool


def turns(x: np.ndarray, y: np.ndarray) -> Turns:
    """The places where values `y` at points `x`, which are in order, turn.

    >>> turns(np.arange(5.0), np.asarray([2.0, 1.0, 1.0, 3.0, 3.0]))
    Turns(at=(2.0,), rises=True, falls=True)
    """
    steps = np.diff(y)
    moving = np.flatnonzero(np.abs(steps) > _ROUNDING * np.abs(y).max())
    signs = np.sign(steps[moving])
    turning = moving[1:][signs[1:] != signs[:-1]]
    return Turns(tuple(x[turning].tolist()), bool((signs > 0).any()), bool((signs < 0).any()))
