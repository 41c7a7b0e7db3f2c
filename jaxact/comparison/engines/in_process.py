"""The engine that makes runs one after the other, in this process."""

import contextlib
from collections.abc import Iterator, Sequence

from jaxact.comparison.engines.attempts import attempt
from jaxact.comparison.engines.engine import Ended, Engine, Work
from jaxact.config import Config
from jaxact.runs.ahead import Ahead, default_threads
from jaxact.runs.setup import prepare


class InProcess(Engine):
    """Makes runs one after the other; while one trains, threads may compile for those to come.

    Args:
      compile_ahead: programs of runs to come that are compiled at once; None: as many as go well
        with the device.
    """

    def __init__(self, compile_ahead: int | None = None):
        self._compile_ahead = compile_ahead

    def runs(self, work: Work) -> Iterator[tuple[Config, Ended]]:
        """The runs as they end; see `jaxact.comparison.engines.engine.Engine`."""
        threads = default_threads() if self._compile_ahead is None else self._compile_ahead
        with Ahead(threads) as ahead:
            for place, config in enumerate(work.configs):
                if work.stop:
                    return
                compile_next(work.configs[place + 1 :], config, ahead)
                yield (
                    config,
                    attempt(
                        config,
                        work.folder(config),
                        work.study.functions.get(config.activation),
                        work.view.begin_run(config),
                        work.stop,
                        ahead,
                    ),
                )


def compile_next(later: Sequence[Config], config: Config, ahead: Ahead) -> None:
    """Has the programs of later runs on the same data compiled, in their order."""
    programs: dict[tuple[str, float], Config] = {}  # the first run that needs each
    for run in later if ahead.works else ():
        if run.dataset == config.dataset:
            programs.setdefault((run.activation, run.learning_rate), run)
    for run in programs.values():
        with contextlib.suppress(Exception):  # the run itself tells what is wrong
            ahead.add(prepare(run, may_stream=True))
