"""The protocol of an engine: what makes the runs of a comparison, here or elsewhere.

The plan, the folders, `study.json`, what is done about failures, and the view are no engine's: they
are in `jaxact.comparison.engines.making`.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from jaxact.comparison.live import StudyView
from jaxact.comparison.study import Study
from jaxact.config import Config
from jaxact.runs.process.signals import StopRequest

MOST_ATTEMPTS = 2  # at a run whose process or machine dies, in one command


class Ended(NamedTuple):
    """The end of a run, or of an attempt at it; the run's folder holds its records.

    Attributes:
      status: DONE, DIVERGED or FAILED; MISSING: it was stopped, and goes on another time.
      note: why it is not done, in a line.
      traceback: of what failed, or what else tells why; "" for nothing.
    """

    status: str
    note: str = ""
    traceback: str = ""


@dataclasses.dataclass(frozen=True)
class Work:
    """The runs that an engine is to make, and by what it tells of them.

    Attributes:
      study: as it stands; its plan knows the folders of runs, and it the fingerprints of functions.
      workdir: of the comparison; no other process is at work there.
      configs: the runs to be made, in the order in which they are to begin.
      view: shows the progress.
      stop: asked for by the user: no run begins from then on, those at hand end with a checkpoint.
    """

    study: Study
    workdir: Path
    configs: Sequence[Config]
    view: StudyView
    stop: StopRequest

    def folder(self, config: Config) -> Path:
        """The folder of a run."""
        return self.workdir / self.study.plan.folder(config)


class Engine(Protocol):
    """Makes runs; its options were checked when it was made.

    It may be given more work, one after the other, and is closed after the last.
    """

    def runs(self, work: Work) -> Iterator[tuple[Config, Ended]]:
        """The runs as they end; those that `work.stop` keeps from beginning are left out.

        Closing the iterator ends what is at hand.

        Raises:
          ConfigError, WorkdirError: no run can be made.
        """
        ...

    def close(self) -> None:
        """Ends what it keeps from one work to the next: processes, or a cluster."""
