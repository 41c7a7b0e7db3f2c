"""The clocks of a run: what is on each of them is a promise to whoever compares two runs."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import psutil


def process_age_seconds() -> float:
    """Seconds since this process began, imports included."""
    return time.time() - psutil.Process().create_time()


@dataclasses.dataclass
class Clock:
    """Cumulative seconds, monotonic; part of every checkpoint, so that a resumed run counts on.

    Attributes:
      train_seconds: training dispatches, each waited for. Nothing else.
      compile_seconds: tracing and compilation.
      eval_seconds: evaluation.
      health_seconds: the examination of activation layers.
      wall_before_seconds: the wall clock before this process (of earlier processes of the same run)
        plus what of this process lay before `started`.
      started: `time.perf_counter()` when this clock began.
    """

    train_seconds: float = 0.0
    compile_seconds: float = 0.0
    eval_seconds: float = 0.0
    health_seconds: float = 0.0
    wall_before_seconds: float = 0.0
    started: float = dataclasses.field(default_factory=time.perf_counter)

    @property
    def wall_seconds(self) -> float:
        """All that the user waited."""
        return self.wall_before_seconds + time.perf_counter() - self.started

    @contextlib.contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Adds the time spent in the block to `name`, such as "train_seconds"."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, name, getattr(self, name) + time.perf_counter() - begin)

    def readings(self) -> dict[str, float]:
        """The clocks by the names they have in records."""
        return {
            "train_seconds": self.train_seconds,
            "eval_seconds": self.eval_seconds,
            "health_seconds": self.health_seconds,
            "compile_seconds": self.compile_seconds,
            "wall_seconds": self.wall_seconds,
        }

    def go_on_from(self, readings: dict[str, Any]) -> None:
        """Counts on from the readings of an earlier process of the same run."""
        self.train_seconds += readings["train_seconds"]
        self.eval_seconds += readings["eval_seconds"]
        self.health_seconds += readings["health_seconds"]
        self.compile_seconds += readings["compile_seconds"]
        self.wall_before_seconds += readings["wall_seconds"]
