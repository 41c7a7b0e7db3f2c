"""The progress of a run that another process makes: what is sent of it, and how it is shown."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jaxact.comparison.live import FollowedRun

EVERY_SECONDS = 0.2  # between two messages about dispatches
BEGIN, MESSAGE, DISPATCH, EPOCH = EVENTS = ("begin", "message", "dispatch", "epoch")

Send = Callable[[str, Sequence[Any]], None]  # an event, and its values, as JSON has them


class Reporter(contextlib.AbstractContextManager["Reporter"]):
    """Sends the progress of a run, as `jaxact.runs.fit.fit` reports it; call it to start."""

    def __init__(self, send: Send, every_seconds: float = EVERY_SECONDS):
        self._send, self._every_seconds = send, every_seconds
        self._due = 0.0

    def __call__(self, epochs: int, steps_per_epoch: int, steps_done: int) -> "Reporter":
        self._send(BEGIN, (epochs, steps_per_epoch, steps_done))
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def message(self, text: str) -> None:
        self._send(MESSAGE, (text,))

    def after_dispatch(self, step: int, loss: float, images_per_second: float) -> None:
        if (now := time.monotonic()) >= self._due:
            self._due = now + self._every_seconds
            self._send(DISPATCH, (step, float(loss), images_per_second))

    def after_epoch(self, row: Mapping[str, Any], split: str) -> None:
        name = f"{split}_accuracy"
        self._send(EPOCH, ({"epoch": row["epoch"], name: row[name]}, split))


def show(followed: FollowedRun, event: str, values: Sequence[Any]) -> None:
    """Shows what a `Reporter` has sent."""
    calls: dict[str, Callable[..., object]] = {
        BEGIN: followed,
        MESSAGE: followed.message,
        DISPATCH: followed.after_dispatch,
        EPOCH: followed.after_epoch,
    }
    calls[event](*values)
