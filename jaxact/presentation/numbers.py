"""Numbers as text: a figure alone, an estimate with its interval, a p-value."""

import math
from collections.abc import Callable, Sequence

Form = Callable[[float], str]
BRACKETS, FROM_TO, DASH = "[{}, {}]", "({} to {})", "({}-{})"  # two ends of an interval
TWO_DECIMALS = "{:.2f}".format
SIGNED = "{:+.2f}".format


def number(value: float) -> str:
    """Three digits, or all before the decimal point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def estimate(
    figure: Sequence[float],
    unit: str = "",
    form: Form = TWO_DECIMALS,
    ends: str = BRACKETS,
    miss: str = "never",
) -> str:
    """A figure, its unit, and its interval where there is one: `1.93 s [1.81, 2.10]`.

    Args:
      figure: value, low and high end; nan ends where there is no interval.
      unit: follows the value.
      form: one number as text.
      ends: how the two ends are joined.
      miss: stands for an infinite number.
    """
    value, low, high = figure
    shown = form(value) if math.isfinite(value) else miss
    return " ".join(filter(None, (shown, unit, interval(low, high, form, ends, miss))))


def interval(
    low: float, high: float, form: Form = TWO_DECIMALS, ends: str = BRACKETS, miss: str = "never"
) -> str:
    """An interval alone, as `estimate` shows it; "" where an end is nan."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return ends.format(*(form(end) if math.isfinite(end) else miss for end in (low, high)))


def p_value(value: float, name: str = "") -> str:
    """Three decimals: `0.012`, `<0.001`; with a name `p = 0.012`, `p < 0.001`."""
    shown, sign = ("0.001", "<") if value < 0.001 else (f"{value:.3f}", "=")
    if name:
        return f"{name} {sign} {shown}"
    return sign.strip("=") + shown


def duration(seconds: float) -> str:
    """Seconds in the unit that they fill.

    >>> duration(0.0123), duration(75), duration(3 * 86400)
    ('12.3 ms', '75 s', '72 h')
    """
    if seconds < 1:
        return f"{number(1000 * seconds)} ms"
    if seconds < 120:
        return f"{number(seconds)} s"
    return f"{number(seconds / 60)} min" if seconds < 7200 else f"{number(seconds / 3600)} h"


def count(number: int, noun: str) -> str:
    """A number of things: `1 seed`, `2 seeds`.

    >>> count(1, "epoch"), count(20, "epoch")
    ('1 epoch', '20 epochs')
    """
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(count_bytes: float) -> str:
    """Bytes in the unit that they fill.

    >>> size(5.5 * 2**20), size(3 * 2**32)
    ('5.5 MiB', '12 GiB')
    """
    mebibytes = count_bytes / 2**20
    return f"{number(mebibytes)} MiB" if mebibytes < 1000 else f"{number(mebibytes / 1024)} GiB"
