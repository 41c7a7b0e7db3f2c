"""The table of a comparison, on the terminal, in Markdown and as CSV.

Columns: runs that reached the target; medians over the runs of the first epoch and the training
seconds at the target (a miss counts as infinite), of the training seconds in all, of the mean
latency of one sample in milliseconds and of the throughput; and the mean error at the end. What
diverged is a miss, and has no part in the last three.
"""

import csv
import io
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from jaxact.config import Config

HEADINGS: tuple[str, ...] = (
    "activation",
    "reached",
    "epoch",
    "target s",
    "train s",
    "mean ms",
    "error %",
    "images/s",
)


def missed(config: Config) -> dict[str, Any]:
    """The summary of a run that came to no end: it never reached the target."""
    return {"activation": config.activation, "seed": config.seed, "reached_target": False}


def median(values: Iterable[float | None]) -> float | None:
    """The median, a missing value counted as infinite; None where it is infinite, or of nothing."""
    counted = [math.inf if value is None else value for value in values]
    middle = statistics.median(counted) if counted else math.inf
    return middle if math.isfinite(middle) else None


def reached(runs: Sequence[Mapping[str, Any]]) -> str:
    """How many runs reached the target, and how many came to no end: `3/5`, `1/5 (2 diverged)`."""
    diverged = sum("test_accuracy" not in run for run in runs)
    count = f"{sum(run['reached_target'] for run in runs)}/{len(runs)}"
    return f"{count} ({diverged} diverged)" if diverged else count


def aggregate(summaries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row an activation, in the order of the first runs, keyed by `HEADINGS`; None is "never"."""
    rows = []
    for activation in dict.fromkeys(summary["activation"] for summary in summaries):
        runs = [summary for summary in summaries if summary["activation"] == activation]
        ended = [run for run in runs if "test_accuracy" in run]
        errors = [run["error_percent"] for run in ended]
        latencies = [run["latency_ms"]["mean"] for run in ended if run["latency_ms"]]
        rows.append(
            {
                "activation": activation,
                "reached": reached(runs),
                "epoch": median(run.get("epoch_to_target") for run in runs),
                "target s": median(run.get("seconds_to_target") for run in runs),
                "train s": median(run.get("train_seconds") for run in runs),
                "mean ms": median(latencies),
                "error %": statistics.mean(errors) if errors else None,
                "images/s": median(run["images_per_second"] for run in ended),
            }
        )
    return rows


FORMATS = {
    "epoch": "{:g}",
    "target s": "{:.2f}",
    "train s": "{:.2f}",
    "mean ms": "{:.4f}",
    "error %": "{:.2f}",
    "images/s": "{:,.0f}",
}


def _texts(row: Mapping[str, Any]) -> list[str]:
    return [
        "N/A" if row[name] is None else FORMATS.get(name, "{}").format(row[name])
        for name in HEADINGS
    ]


def as_rich(rows: Iterable[Mapping[str, Any]], title: str) -> Table:
    """For the terminal."""
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in HEADINGS:
        is_first = name == HEADINGS[0]
        table.add_column(name, justify="left" if is_first else "right", no_wrap=True)
    for row in rows:
        table.add_row(*_texts(row))
    return table


def as_markdown(rows: Iterable[Mapping[str, Any]]) -> str:
    lines = [HEADINGS, ["---"] + ["---:"] * (len(HEADINGS) - 1), *map(_texts, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Unrounded; a missing figure is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADINGS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
