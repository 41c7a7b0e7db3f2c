"""What a benchmark leaves: a JSON file, and the same rows as a table."""

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from jaxact.errors import ConfigError
from jaxact.training import records

FOLDER = Path(__file__).parent / "results"

FILE_WIDTH = 160  # where there is no terminal that has one

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


def machine(environment: Mapping[str, Any]) -> str:
    """A machine in a few words."""
    cpu = f"{environment['cpu_model']}, {environment['cpu_count']} CPUs"
    on_cpu = environment["platform"] == "cpu"
    return cpu if on_cpu else f"{environment['device_kind']} ({cpu})"


def default_path(*words: str) -> Path:
    """`benchmarks/results/WORD-WORD.json`."""
    return FOLDER / (re.sub(r"[^\w.=-]+", "_", "-".join(words)).strip("_") + ".json")


def publish(
    path: Path,
    benchmark: str,
    title: str,
    options: Mapping[str, Any],
    environments: Mapping[str, Any],
    rows: Sequence[Row],
    **more: Any,
) -> None:
    """Writes the JSON, prints the table, and says where the JSON is.

    Args:
      path: of the JSON file.
      benchmark: the name of the program.
      title: of the table.
      options: what was asked for.
      environments: machine and versions by contender; "jaxact" is among them.
      rows: heading to number, text, None, or a `Spread`.
      **more: what else the JSON is to hold, raw figures among it.

    Raises:
      ConfigError: the file cannot be written.
    """
    content = {
        "benchmark": benchmark,
        "title": title,
        "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(environments["jaxact"]),
        "options": options,
        "environments": environments,
        "rows": rows,
        **more,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        records.write_json(path, content)
    except OSError as error:
        raise ConfigError(f"--out={path} cannot be written ({error.strerror})") from error
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(as_rich(rows, title))
    print(f"results: {path}")
