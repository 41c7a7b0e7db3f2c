"""Tables of figures: which column is best where, and how a cell reads in each form."""

import dataclasses
import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box, markup
from rich.table import Table
from rich.text import Text

from jaxact.presentation import numbers, tables

Row = dict[str, Any]
_TESTS = (
    "_p_value",
    "_verdict",
    "_improvement",
)  # ends of names: of a comparison with the baseline


@dataclasses.dataclass(frozen=True)
class Column:
    """A column: its key in rows, its heading, the format of a value, and which end is best.

    Attributes:
      best: "low", "high", or "" where neither is.
      has_interval: whether rows also hold `<name>_low` and `<name>_high`.
      ends: how these two are joined.
    """

    name: str
    heading: str
    format: str = "{}"
    best: str = ""
    has_interval: bool = False
    ends: str = dataclasses.field(default=numbers.BRACKETS, kw_only=True)


def with_interval(name: str, value: float, low: float, high: float) -> Row:
    """A figure under its name, and the ends of its interval; None for what is not known."""
    ends = {f"{name}_low": low, f"{name}_high": high}
    known = {end: None if math.isnan(at) else at for end, at in ends.items()}
    return {name: value if math.isfinite(value) else None, **known}


def interval_text(row: Row, column: Column) -> str:
    """`[1.62, 1.85]`, an end that misses made infinite as `never`; "" where there is none."""
    low, high = (row.get(f"{column.name}_{end}") for end in ("low", "high"))
    if low is None or high is None:
        return ""
    return numbers.interval(low, high, column.format.format, column.ends)


def value_text(row: Row, column: Column) -> str:
    """A figure as shown: N/A where there is none, nothing where none is to be expected."""
    value, is_test = row[column.name], column.name.endswith(_TESTS)
    if column.name in row.get("blank", ()):
        return ""
    if value is None:
        return "base" if is_test and row["is_baseline"] else "N/A"
    if column.name.endswith("_p_value"):
        return numbers.p_value(value)
    return column.format.format(value)


def new_table(heading: str, columns: Iterable[Column], padding: int = 1) -> Table:
    """An empty table of the house's form for the terminal."""
    table = Table(
        title=markup.escape(heading),
        box=box.SIMPLE_HEAD,
        padding=(0, padding),
        pad_edge=False,
        collapse_padding=True,
    )
    for number, column in enumerate(columns):
        table.add_column(column.heading, justify="right" if number else "left", no_wrap=True)
    return table


def marked_cell(row: Row, column: Column) -> Text:
    """A figure for the terminal, `*` and bold if it is the best; room for the mark if it is not."""
    is_best = column.name in row["best"]
    mark = ("*" if is_best else " ") if column.best else ""
    return Text(value_text(row, column) + mark, style="bold green" if is_best else "")


def markdown_table(columns: Sequence[Column], table: Iterable[Row]) -> str:
    """Intervals beside their figures, the best of a column in bold."""
    cells = ([_markdown_cell(row, column) for column in columns] for row in table)
    return tables.markdown([column.heading for column in columns], cells)


def _markdown_cell(row: Row, column: Column) -> str:
    text = tables.escape(value_text(row, column))
    shown = f"**{text}**" if column.name in row["best"] else text
    interval = "" if row[column.name] is None else interval_text(row, column)
    return f"{shown} {interval}".rstrip()


def html_table(columns: Sequence[Column], table: Iterable[Row]) -> str:
    """The table of `markdown_table` as HTML, for a page that has a style of its own."""

    def cell(row: Row, column: Column) -> str:
        text = html.escape(value_text(row, column))
        shown = f"<b>{text}</b>" if column.name in row["best"] else text
        interval = "" if row[column.name] is None else interval_text(row, column)
        text = f"{shown} {html.escape(interval)}".rstrip()
        return f'<td style="white-space: nowrap">{text}</td>'

    headings = "".join(f"<th>{html.escape(column.heading)}</th>" for column in columns)
    lines = ("".join(cell(row, column) for column in columns) for row in table)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{headings}</tr></thead><tbody>{body}</tbody></table>"


def finite(value: Any) -> Any:
    """A value as JSON can hold it: null for each number in it that is nan or infinite."""
    if isinstance(value, Mapping):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
