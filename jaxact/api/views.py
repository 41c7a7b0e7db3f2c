"""The progress of what a Python program calls: a line in a notebook's cell, lines on stderr."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import TaskID

from jaxact.comparison.live import StudyView
from jaxact.comparison.study import Run, Study
from jaxact.errors import ConfigError
from jaxact.presentation.notebook import Line, is_notebook
from jaxact.runs.progress import Follow, ProgressView


def of_study(progress: bool) -> Callable[[Study], StudyView]:
    """Makes the view of a comparison; without `progress` a silent one."""
    if not _checked(progress):
        return lambda study: StudyView(study, Console(quiet=True))
    return CellStudyView if is_notebook() else StudyView


def of_run(progress: bool) -> Follow:
    """Makes the view of a single run; without `progress` a silent one."""
    if not _checked(progress):
        return SilentRunView
    return CellRunView if is_notebook() else ProgressView


def _checked(progress: bool) -> bool:
    if not isinstance(progress, bool):
        raise ConfigError(f"progress={progress!r} must be True or False")
    return progress


class CellStudyView(StudyView):
    """Follows a comparison in one line of a notebook's cell."""

    def __init__(self, study: Study):
        super().__init__(study, Console(quiet=True))
        self._line = Line()
        self._told = ""
        self._now: dict[TaskID, dict[str, Any]] = {}  # of the runs at hand

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._line.show(self._text(), is_last=True)

    def message(self, text: str) -> None:
        self._told, self._now = text, {}
        self._line.show(self._text())

    def end_run(self, study: Study, run: Run) -> None:
        super().end_run(study, run)
        self._told, self._now = "", {}

    def update_run(self, row: TaskID, **fields: Any) -> None:
        super().update_run(row, **fields)
        self._now.setdefault(row, {}).update(fields)
        self._line.show(self._text())

    def _text(self) -> str:
        words = [f"{self.position()} runs", self._told]
        for row, fields in self._now.items():
            label = self.label(row) if len(self._now) > 1 else ""
            words += [label, fields.get("epoch", ""), fields.get("figures", "")]
        return "   ".join(filter(None, words))


class SilentRunView(contextlib.AbstractContextManager["SilentRunView"]):
    """A view of a run that shows nothing; arguments as a `Follow` takes them."""

    def __init__(self, epochs: int, steps_per_epoch: int, steps_done: int = 0):
        self.epochs = epochs

    def __exit__(self, *exception: object) -> None:
        pass

    def message(self, text: str) -> None:
        pass

    def after_dispatch(self, step: int, loss: float, images_per_second: float) -> None:
        pass

    def after_epoch(self, row: Mapping[str, Any], split: str) -> None:
        pass


class CellRunView(SilentRunView):
    """Follows a run in one line of a notebook's cell."""

    def __init__(self, epochs: int, steps_per_epoch: int, steps_done: int = 0):
        super().__init__(epochs, steps_per_epoch, steps_done)
        self._line = Line()
        self._text = ""

    def __exit__(self, *exception: object) -> None:
        self._line.show(self._text, is_last=True)

    def message(self, text: str) -> None:
        self._line.show(text)

    def after_epoch(self, row: Mapping[str, Any], split: str) -> None:
        accuracy = f"{split} {row[f'{split}_accuracy']:.2%}"
        self._text = f"epoch {row['epoch']}/{self.epochs}  loss {row['train_loss']:.4f}  {accuracy}"
        self._line.show(self._text)
