"""When a run saves a checkpoint: every so many epochs, or as often as costs next to nothing."""

import time
from collections.abc import Callable

SHARE = 0.02  # of a run's time so far that checkpoints may take
# What the first one is taken to cost; the others what those before did, on average.
ASSUMED_SECONDS, ASSUMED_BYTES_PER_SECOND = 0.05, 1e8


class Cadence:
    """Tells at the end of an epoch whether a checkpoint is due.

    A run saves besides at its end, and where it is asked to stop.

    Args:
      every_epochs: a checkpoint each so many epochs. None: as soon as what all of them cost, the
        next one included, is at most 2 % of the time since this was made. So a process that is
        killed loses at most 50 times what a checkpoint costs, and an epoch.
      checkpoint_bytes: the size of one.
      now: a clock, in seconds.
    """

    def __init__(
        self,
        every_epochs: int | None,
        checkpoint_bytes: int,
        now: Callable[[], float] = time.perf_counter,
    ):
        self._every_epochs = every_epochs
        self._now = now
        self._began = now()
        self._next_seconds = ASSUMED_SECONDS + checkpoint_bytes / ASSUMED_BYTES_PER_SECOND
        self._count = 0

    def is_due(self, epoch: int, spent_seconds: float) -> bool:
        """Whether to save after an epoch, from 1.

        Args:
          spent_seconds: on all checkpoints so far, the writing in the background included.
        """
        if self._every_epochs is not None:
            return epoch % self._every_epochs == 0
        if self._count:
            self._next_seconds = spent_seconds / self._count
        is_due = spent_seconds + self._next_seconds <= SHARE * (self._now() - self._began)
        self._count += is_due
        return is_due
