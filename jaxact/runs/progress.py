"""The user's view of a run: a progress bar or plain lines, and a table at the end."""

import contextlib
import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from jaxact import data
from jaxact.runs.process import shared_machine


class RunView(Protocol):
    """An observer of a run: told each dispatch and each epoch, and what else there is to say."""

    def message(self, text: str) -> None: ...

    def after_dispatch(self, step: int, loss: float, images_per_second: float) -> None:
        """`step` steps are done; the loss is the epoch's so far."""
        ...

    def after_epoch(self, row: Mapping[str, Any], split: str) -> None:
        """`row` as in `metrics.jsonl`; `split` is the one whose accuracy counts."""
        ...


# Given a run's epochs, its steps an epoch and the steps done before, what follows its training.
Follow = Callable[[int, int, int], contextlib.AbstractContextManager[RunView]]


class ProgressView(contextlib.AbstractContextManager["ProgressView"]):
    """Follows a run on stderr; without seconds where the machine has other work.

    Args:
      epochs, steps_per_epoch: of the whole run.
      steps_done: where the run begins; more than 0 when it is resumed.
    """

    def __init__(self, epochs: int, steps_per_epoch: int, steps_done: int = 0):
        self._epochs = epochs
        self._steps_per_epoch = steps_per_epoch
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(
            "train",
            total=epochs * steps_per_epoch,
            completed=steps_done,
            epoch=min(steps_done // steps_per_epoch + 1, epochs),
            epochs=epochs,
            figures="",
        )
        self._accuracy = ""
        self._is_timed = not shared_machine.is_shared()

    def __enter__(self) -> "ProgressView":
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def message(self, text: str) -> None:
        """A line of its own, above the bar."""
        if self._console.is_terminal:
            self._bar.console.print(text, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def after_dispatch(self, step: int, loss: float, images_per_second: float) -> None:
        speed = f"{images_per_second:,.0f} images/s  " if self._is_timed else ""
        figures = f"{speed}loss {loss:.4f}{self._accuracy}"
        epoch = min((step - 1) // self._steps_per_epoch + 1, self._epochs)
        self._bar.update(self._task, completed=step, epoch=epoch, figures=figures)

    def after_epoch(self, row: Mapping[str, Any], split: str) -> None:
        accuracy = f"{split} {row[f'{split}_accuracy']:.2%}"
        self._accuracy = f"  {accuracy}"
        if not self._console.is_terminal:
            times = f"  {row['images_per_second']:,.0f} images/s  {row['train_seconds']:.1f} s"
            self.message(
                f"epoch {row['epoch']}/{self._epochs}  loss {row['train_loss']:.4f}  "
                f"train {row['train_accuracy']:.2%}  {accuracy}" + times * self._is_timed
            )


class NoView(contextlib.AbstractContextManager["NoView"]):
    """Shows nothing: what the processes beside the first follow a run with."""

    def __init__(self, *run: int):
        del run

    def __exit__(self, *exception: object) -> None: ...

    def message(self, text: str) -> None: ...

    def after_dispatch(self, step: int, loss: float, images_per_second: float) -> None: ...

    def after_epoch(self, row: Mapping[str, Any], split: str) -> None: ...


def or_dash(value: Any, form: str) -> str:
    """A figure in a format, or a dash where there is none."""
    return "-" if value is None else form.format(value)


def print_summary(summary: Mapping[str, Any], is_timed: bool = True) -> None:
    """The run's result as a short table on stdout.

    Args:
      summary: as in `summary.json`.
      is_timed: whether its seconds are shown: not those of a run made beside other work.
    """
    latency = summary["latency_ms"] or {}
    target = f"{summary['target_accuracy']:.4g}"
    times = (
        (f"time to {target}", or_dash(summary["seconds_to_target"], "{:.2f} s")),
        ("training time", f"{summary['train_seconds']:.2f} s"),
        ("compilation", f"{summary['compile_seconds']:.2f} s"),
        ("wall clock", f"{summary['wall_seconds']:.2f} s"),
        ("throughput", or_dash(summary["images_per_second"], "{:,.0f} images/s")),
        ("latency of one image (median)", or_dash(latency.get("p50"), "{:.4f} ms")),
        ("latency, host to class (median)", or_dash(latency.get("host_p50"), "{:.4f} ms")),
    )
    rows = (
        ("test accuracy", or_dash(summary["test_accuracy"], "{:.2%}")),
        ("test error", or_dash(summary["error_percent"], "{:.2f} %")),
        (f"first epoch at {target}", or_dash(summary["epoch_to_target"], "{}")),
        *(times if is_timed else ()),
        ("peak memory", f"{summary['peak_memory_bytes'] / 2**20:,.0f} MiB"),
    )
    title = f"{summary['model']} on {data.title(summary['dataset'])} with {summary['activation']}"
    table = Table(title=title, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)
    if not is_timed:
        print(shared_machine.NOTE)
