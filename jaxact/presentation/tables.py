"""Rows of figures as tables: for the terminal, and as Markdown.

A row is a mapping of headings to cells; a cell is a number, a text, a median with its quartiles, or
None where there is nothing.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from jaxact.presentation.numbers import DASH, estimate, number

Row = Mapping[str, Any]


def text(cell: Any) -> str:
    """A cell of a table; a spread as its median and quartiles, what there is none of as a dash."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "-"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Sequence):
        return number(cell[0]) if len({*cell}) == 1 else estimate(cell, form=number, ends=DASH)
    return number(cell)


def spread(quartiles: Sequence[float], miss: str = "inf") -> list[float] | str | None:
    """A cell with a median and its quartiles.

    A text where the upper quartile is a miss, an infinite value; None where the median is, or where
    there is none.

    Args:
      quartiles: median, lower and upper one.
      miss: what that text calls one: "never" of times.
    """
    if not math.isfinite(quartiles[0]):
        return None
    if not math.isfinite(quartiles[2]):
        return estimate(quartiles, form=number, ends=DASH, miss=miss)
    return list(quartiles)


def headings(rows: Iterable[Row]) -> list[str]:
    """The columns, in the order in which rows have them."""
    return list(dict.fromkeys(name for row in rows for name in row))


def console(width_of_a_file: int = 200) -> Console:
    """The console of stdout; lines for a file or a program are so wide that none is cropped."""
    stdout = Console(highlight=False)
    return stdout if stdout.is_terminal else Console(highlight=False, width=width_of_a_file)


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
    return markdown(names, ([text(row.get(name)) for name in names] for row in rows))


def escape(text: str) -> str:
    """A text that Markdown shows as it reads, be it a name with `|`, `$`, `<b>` or `_` in it.

    >>> print(escape("a|b *c* <d> _e_ leaky_relu < 1"))
    a\\|b \\*c\\* \\<d> \\_e\\_ leaky_relu < 1
    """
    return re.sub(r"[\\`*|$~]|<(?=[a-zA-Z/!?])|&(?=#?\w+;)|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table of texts: the first column to the left, the others to the right."""
    lines = [headings, ["---"] + ["---:"] * (len(headings) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
