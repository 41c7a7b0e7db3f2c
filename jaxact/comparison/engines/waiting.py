"""The runs that are still to begin elsewhere, and what becomes of one whose process dies."""

import collections
from collections.abc import Iterator

from jaxact.comparison.engines.engine import MOST_ATTEMPTS, Ended, Work
from jaxact.comparison.study import MISSING
from jaxact.config import Config


class Waiting(collections.deque[Config]):
    """The runs of some work that no process has yet, in their order; and the attempts at each."""

    def __init__(self, work: Work):
        super().__init__(work.configs)
        self._work = work
        self._attempts: collections.Counter[str] = collections.Counter()

    def count(self, config: Config) -> None:
        """Counts an attempt, which begins."""
        self._attempts[self._work.study.plan.label(config)] += 1

    def put_back(self, config: Config) -> None:
        """Has a run wait again whose attempt was ended by others, and does not count."""
        self._attempts[self._work.study.plan.label(config)] -= 1
        self.appendleft(config)

    def after_death(self, config: Config, ended: Ended) -> Iterator[tuple[Config, Ended]]:
        """The end of a run whose process or machine died; nothing where it is tried again.

        Args:
          ended: with the cause.
        """
        label = self._work.study.plan.label(config)
        if self._work.stop:
            yield config, Ended(MISSING)
        elif self._attempts[label] < MOST_ATTEMPTS:
            self._work.view.message(f"{label}: {ended.note}; it is tried again")
            self.appendleft(config)
        else:
            yield config, ended
