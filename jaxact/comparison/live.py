"""The user's view of a comparison while it runs: live, or plain lines without a terminal.

5/18 runs  ━━━━━━━━━━━━━━━━━━━━━━━━━━  about 0:01:12 left
tanh, seed 0  epoch 7/20  ━━━━━━━━━━━━━━  9,000 images/s  loss 0.2134  test 93.10 %
selu, seed 0  epoch 3/20  ━━━━━━━━━━━━━━  8,900 images/s  loss 0.4020  test 88.90 %
soonest at 97 %: selu, 1.93 s   lowest error: prelu, 1.94 %
"""

import contextlib
import datetime
import math
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from jaxact.comparison.analysis import hidden_seconds, measures
from jaxact.comparison.study import DONE, MISSING, Run, Study, Workload
from jaxact.config import Config
from jaxact.runs.process import shared_machine

LINE_EVERY_SECONDS = 10.0  # between two lines about epochs, without a terminal


def clock_text(seconds: float) -> str:
    """Whole seconds as `h:mm:ss`, the paper's form."""
    return str(datetime.timedelta(seconds=round(seconds)))


class Pace:
    """The runs of a study that are missing, and the seconds that the others took, as runs end.

    A run that ends costs as much in a study of thousands as in one of ten.

    Attributes:
      missing: the number of runs to be made.
    """

    def __init__(self, study: Study):
        pairs = ((run.dataset, run.activation) for run in study.with_status(MISSING))
        self._missing = Counter(pairs)
        self.missing = self._missing.total()
        self._seconds: defaultdict[tuple[str, ...], float] = defaultdict(float)
        self._done: Counter[tuple[str, ...]] = Counter()
        for run in study.with_status(DONE):
            self._add(run)

    def end(self, run: Run) -> None:
        """A run that was missing has ended."""
        self._missing[run.dataset, run.activation] -= 1
        self.missing -= 1
        if run.status == DONE:
            self._add(run)

    def seconds_left(self) -> float | None:
        """Expected seconds of the missing runs, one after the other: as those of similar ones.

        Similar is, in this order: same data set and activation, same data set, any. None if no run
        is done.
        """
        if not self._done:
            return None
        left = 0.0
        for pair, count in self._missing.items():
            known = next(key for key in (pair, pair[:1], ()) if key in self._done)
            left += count * self._seconds[known] / self._done[known]
        return left

    def _add(self, run: Run) -> None:
        for key in ((run.dataset, run.activation), (run.dataset,), ()):
            self._seconds[key] += wall_seconds(run)
            self._done[key] += 1


def wall_seconds(run: Run) -> float:
    """The seconds that a done run took; of one of several at once its share."""
    return run.summary["wall_seconds"] / shared_machine.count_at_once(run.environment)


def best_so_far(study: Study, workload: Workload) -> str:
    """The soonest at the target and the lowest error by the runs that are done; "" without any.

    Args:
      study: as it may be drawn (see `jaxact.comparison.analysis.hidden_seconds`).
    """
    axis = measures.time_axis(study, workload)
    medians: dict[str, float] = {}
    errors: dict[str, float] = {}
    for activation in study.plan.activations:
        done = [run for run in study.of(workload, activation) if run.status == DONE]
        if done:
            errors[activation] = statistics.mean(map(measures.error_percent, done))
        if known := measures.on_axis(axis, done):
            medians[activation] = statistics.median(map(axis.measure, known))
    if not errors:
        return ""
    lowest = min(errors, key=errors.__getitem__)
    target = f"{study.plan.target_accuracy(workload.dataset):.4g}"
    reached = f"none at {target} yet"
    if medians and math.isfinite(least := min(medians.values())):
        soonest = next(name for name, value in medians.items() if value == least)
        when = f"{least:.2f} s" if axis is measures.SECONDS else f"{least:g} epochs"
        reached = f"soonest at {target}: {soonest}, {when}"
    return f"{reached}; lowest error: {lowest}, {errors[lowest]:.2f} %"


def outcome(run: Run) -> str:
    """The end of a run, in a line; without seconds where other work ran beside it."""
    if run.status != DONE:
        return f"{run.status}: {run.note}" if run.note else run.status
    summary, target = run.summary, f"{run.summary['target_accuracy']:.4g}"
    reached, is_timed = summary["reached_target"], not hidden_seconds.is_marked(run)
    if is_timed and reached:
        when = f"after {summary['seconds_to_target']:.2f} s of training "
        when += f"(epoch {summary['epoch_to_target']})"
    elif is_timed:
        when = f"not reached in {summary['train_seconds']:.2f} s"
    else:
        when = f"in epoch {summary['epoch_to_target']}" if reached else "not reached"
    return f"{target} {when}, error {summary['error_percent']:.2f} %"


class StudyView(contextlib.AbstractContextManager["StudyView"]):
    """Follows a comparison on stderr.

    Args:
      study: as it is at the start; what is done already counts.
      console: where to; stderr, if None.
      now: seconds, for the pace of lines without a terminal.

    Attributes:
      is_timed: whether the speed of a run is shown: not where the machine has other work.
    """

    def __init__(
        self,
        study: Study,
        console: Console | None = None,
        now: Callable[[], float] = time.monotonic,
    ):
        self.console = console or Console(stderr=True, highlight=False)
        self.now = now
        self.is_timed = not shared_machine.is_shared()
        self._study, self._pace = study, Pace(study)
        self._runs = Progress(
            TextColumn("{task.completed:.0f}/{task.total:.0f} runs"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            console=self.console,
        )
        self._run = Progress(
            TextColumn("{task.description}"),
            TextColumn("{task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            console=self.console,
        )
        self._all_task = self._runs.add_task("", total=len(study.runs), left="")
        self._rows: dict[TaskID, str] = {}  # the label of the run at hand; "": it has ended
        self._workload: Workload | None = None
        self._best_of: tuple[Study, Workload | None] = (study, None)
        self._best = ""
        self._live = Live(get_renderable=self._picture, console=self.console)
        self._count()

    def __enter__(self) -> "StudyView":
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def message(self, text: str) -> None:
        """A line of its own, above the view."""
        self.console.print(text, markup=False, soft_wrap=True)

    def begin_run(self, config: Config) -> "FollowedRun":
        """The run about to be made, perhaps beside others, and what is to follow it."""
        label = self._study.plan.label(config)
        self._workload = Workload(config.dataset, config.learning_rate)
        free = (row for row, other in self._rows.items() if other in ("", label))
        row = next(free, None)
        if row is None:
            row = self._run.add_task("", total=None, epoch="", figures="")
        self._rows[row] = label
        self._run.reset(row, total=None, description=label, epoch="", figures="")
        return FollowedRun(self, label, row)

    def end_run(self, study: Study, run: Run) -> None:
        """`run` has ended, and `study` has it."""
        label = study.plan.label(run)
        self._rows = {row: "" if other == label else other for row, other in self._rows.items()}
        self._study = study
        self._pace.end(run)
        left = self._count()
        line = f"{self.position()}  {label}: {outcome(run)}"
        self.message(f"{line}; {left}" if left else line)

    def update_run(self, row: TaskID, **fields: Any) -> None:
        """The display of a run at hand."""
        self._run.update(row, **fields)

    def label(self, row: TaskID) -> str:
        """The run that a row of the display shows; "" once it has ended."""
        return self._rows[row]

    def position(self) -> str:
        """The runs that have ended, of all: `5/18`."""
        count = len(self._study.runs)
        return f"{count - self._pace.missing}/{count}"

    def seconds_left(self) -> float | None:
        """Expected seconds of what is to be made; None where that is nothing, or not known.

        As many runs are taken to be made at once as there have been.
        """
        return (self._pace.seconds_left() or 0.0) / max(len(self._rows), 1) or None

    def _count(self) -> str:
        left = self.seconds_left()
        text = "" if left is None else f"about {clock_text(left)} left"
        ended = len(self._study.runs) - self._pace.missing
        self._runs.update(self._all_task, completed=ended, left=text)
        return text

    def _picture(self) -> Group:
        study, workload = self._best_of
        if self._workload and (self._study is not study or self._workload != workload):
            drawn = hidden_seconds.without_seconds(self._study)
            self._best_of = self._study, self._workload
            self._best = best_so_far(drawn, self._workload)
        best = self._best  # it is drawn more often than runs end
        return Group(self._runs, self._run, Text(best, style="dim"))


class FollowedRun(contextlib.AbstractContextManager["FollowedRun"]):
    """One run of a comparison, as `jaxact.runs.fit.fit` reports it; call it to start."""

    def __init__(self, view: StudyView, label: str, row: TaskID):
        self._view = view
        self._label, self._row = label, row
        self._epochs = self._steps_per_epoch = 1
        self._accuracy = ""
        self._line_due = view.now() + LINE_EVERY_SECONDS

    def __call__(self, epochs: int, steps_per_epoch: int, steps_done: int) -> "FollowedRun":
        self._epochs, self._steps_per_epoch = epochs, steps_per_epoch
        self._update(total=epochs * steps_per_epoch, completed=steps_done)
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def message(self, text: str) -> None:
        self._view.message(f"{self._label}: {text}")

    def after_dispatch(self, step: int, loss: float, images_per_second: float) -> None:
        epoch = min((step - 1) // self._steps_per_epoch + 1, self._epochs)
        speed = f"{images_per_second:,.0f} images/s  " if self._view.is_timed else ""
        self._update(
            completed=step,
            epoch=f"epoch {epoch}/{self._epochs}",
            figures=f"{speed}loss {loss:.4f}{self._accuracy}",
        )

    def after_epoch(self, row: Mapping[str, Any], split: str) -> None:
        accuracy = f"{split} {row[f'{split}_accuracy']:.2%}"
        self._accuracy = f"  {accuracy}"
        if self._view.console.is_terminal or self._view.now() < self._line_due:
            return
        self._line_due = self._view.now() + LINE_EVERY_SECONDS
        self.message(f"epoch {row['epoch']}/{self._epochs}  {accuracy}")

    def _update(self, **fields: Any) -> None:
        self._view.update_run(self._row, **fields)
