"""The results of a benchmark: a JSON file, and the same rows as a table."""

import datetime
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from jaxact.errors import ConfigError
from jaxact.presentation.tables import Row, as_rich
from jaxact.runs.process import environment
from jaxact.runs.records import record_files

FOLDER = Path(__file__).parent / "results"

FILE_WIDTH = 160  # where there is no terminal that has one


def default_path(*words: str) -> Path:
    """`benchmarks/results/WORD-WORD.json`."""
    return FOLDER / (re.sub(r"[^\w.=-]+", "_", "-".join(words)).strip("_") + ".json")


def accuracy_path(platform: str, jax_version: str) -> Path:
    """The file of `benchmarks.accuracy`, for a device and a version of JAX."""
    return default_path("accuracy", f"jax-{jax_version}", platform)


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
      rows: heading to number, text, None, or median and quartiles.
      **more: what else the JSON is to hold, raw figures among it.

    Raises:
      ConfigError: the file cannot be written.
    """
    content = {
        "benchmark": benchmark,
        "title": title,
        "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": environment.in_words(environments["jaxact"]),
        "options": options,
        "environments": environments,
        "rows": rows,
        **more,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        record_files.write_json(path, content)
    except OSError as error:
        raise ConfigError(f"--out={path} cannot be written ({error.strerror})") from error
    show(rows, title)
    print(f"results: {path}")


def show(rows: Sequence[Row], title: str) -> None:
    """Prints rows as a table."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(as_rich(rows, title))
