"""Rows of figures as tables: for the terminal, and as Markdown.

A row is a mapping of headings to cells; a cell is a number, a text, a median with its quartiles, or
None where there is nothing.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

Row = Mapping[str, Any]


def number(value: float) -> str:
    """Three digits, or all before the decimal point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def text(cell: Any) -> str:
    """A cell of a table; a spread as its median and quartiles, what there is none of as a dash."""
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Sequence):
        median, low, high = map(number, cell)
        return median if low == high == median else f"{median} ({low}-{high})"
    return number(cell)


def quantile(ordered: Sequence[float] | np.ndarray, share: float) -> float:
    """Of values in order, between two of them by a straight line; infinite next to a miss.

    As numpy's own ("linear"), which has no number between a finite value and infinity.
    """
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    if not math.isfinite(above):
        return float(above)
    return float(below + (place - math.floor(place)) * (above - below))


def spread(
    values: Sequence[float] | np.ndarray, unit: float = 1.0, miss: str = "inf"
) -> list[float] | str | None:
    """A cell with the median and quartiles of values, in units of 1 / unit.

    NaN is left out. Infinite values are misses, worse than any other. A text where a quartile is a
    miss; None where the median is, or nothing is left.

    Args:
      miss: what that text calls one: "never" of times.
    """
    seen = np.sort(unit * np.asarray(values, float))  # nan last
    seen = seen[~np.isnan(seen)]
    if not len(seen):
        return None
    middle, low, high = (quantile(seen, share) for share in (0.5, 0.25, 0.75))
    if not math.isfinite(middle):
        return None
    if not math.isfinite(high):
        return f"{number(middle)} ({number(low)}-{miss})"
    return [middle, low, high]


def headings(rows: Iterable[Row]) -> list[str]:
    """The columns, in the order in which rows have them."""
    return list(dict.fromkeys(name for row in rows for name in row))


def as_rich(rows: Sequence[Row], title: str) -> Table:
    """For the terminal."""
    table = Table(title=title)
    names = headings(rows)
    for name in names:
        table.add_column(name, justify="left" if name == names[0] else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(text(row.get(name)) for name in names))
    return table


def as_markdown(rows: Sequence[Row]) -> str:
    names = headings(rows)
    lines = [names, ["---"] + ["---:"] * (len(names) - 1)]
    lines += [[text(row.get(name)) for name in names] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
