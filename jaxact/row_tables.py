"""Rows of figures as tables: for the terminal, and as Markdown.

A row is a mapping of headings to cells; a cell is a number, a text, a median with its quartiles, or
None where there is nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
