"""The engine that makes runs at once on this machine, in processes with cores of their own."""

import contextlib
import dataclasses
import json
import pickle
import selectors
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from jaxact.comparison.engines import reporting
from jaxact.comparison.engines.engine import Ended, Engine, Work
from jaxact.comparison.engines.processes.worker import ENDED
from jaxact.comparison.engines.processes.worker_process import Slot, Worker
from jaxact.comparison.engines.terms import Terms
from jaxact.comparison.engines.waiting import Waiting
from jaxact.config import Config
from jaxact.runs.process import shared_machine

LOOK_SECONDS = 0.2  # between two looks at whether the user has asked to stop


class Workers(Engine):
    """Makes as many runs at once as there are slots, in processes that stay until it is closed.

    A process that dies is started again, and its run goes on from its last checkpoint, once.

    Args:
      slots: none has a core or a device of another's.
    """

    def __init__(self, slots: Sequence[Slot]):
        self._slots = slots
        self._pool: Pool | None = None

    def runs(self, work: Work) -> Iterator[tuple[Config, Ended]]:
        """The runs as they end; see `jaxact.comparison.engines.engine.Engine`."""
        if self._pool is None:
            self._pool = Pool(self._slots, Terms.of(work.study))
        is_whole = False
        try:
            yield from self._pool.runs(work)
            is_whole = not work.stop
        finally:
            if not is_whole:  # processes are at work, or were told to stop
                self.close()

    def close(self) -> None:
        """Ends the processes."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None


class Pool:
    """The workers of a comparison, which are given one work after the other."""

    def __init__(self, slots: Sequence[Slot], terms: Terms):
        self._slots = slots
        self._workers: dict[int, Worker] = {}
        self._streams = selectors.DefaultSelector()
        self._folder = tempfile.TemporaryDirectory(prefix="jaxact-")
        self._terms = Path(self._folder.name) / "terms"
        self._terms.write_bytes(pickle.dumps(terms))

    def close(self) -> None:
        """Ends the processes: at once, whatever they do."""
        self._streams.close()
        for worker in self._workers.values():
            worker.end()
        self._folder.cleanup()

    def runs(self, work: Work) -> Iterator[tuple[Config, Ended]]:
        """The runs as they end."""
        self._work, self._waiting = work, Waiting(work)
        self._at_once = min(len(self._slots), len(work.configs))
        while True:
            if self._work.stop.signal is not None:
                self._waiting.clear()
                for worker in self._workers.values():
                    if worker.config is not None:
                        worker.ask_to_stop()
            elif self._waiting:
                self._hand_out()
            if not any(worker.config for worker in self._workers.values()):
                return
            for key, _ in self._streams.select(LOOK_SECONDS):
                place, name = key.data
                if (worker := self._workers.get(place)) is not None:
                    yield from self._read(place, worker, name)

    def _hand_out(self) -> None:
        """Gives each worker that has nothing to do a run, and a slot without one a worker."""
        for place, slot in enumerate(self._slots):
            worker = self._workers.get(place)
            if not self._waiting:
                return
            if worker is None:
                worker = self._workers[place] = Worker(slot, self._terms)
                for name in ("messages", "errors"):
                    stream = getattr(worker, name)
                    self._streams.register(stream, selectors.EVENT_READ, (place, name))
            if worker.config is None:
                self._begin(worker, self._next(worker))

    def _begin(self, worker: Worker, config: Config) -> None:
        study = self._work.study
        self._waiting.count(config)
        job = {
            "config": dataclasses.asdict(config),
            "folder": str(self._work.folder(config).absolute()),
            "function": study.functions.get(config.activation),
            "placed": {shared_machine.RUNS_AT_ONCE: self._at_once},
        }
        worker.begin(config, job, self._work.view.begin_run(config))

    def _next(self, worker: Worker) -> Config:
        """The run that a worker is to begin: the first, or one of its seed that it has compiled.

        Else one that no other has, so that few programs are compiled twice.
        """
        first = self._waiting[0]
        taken = set().union(*(other.programs for other in self._workers.values()))

        def place(config: Config) -> int:
            program = (config.dataset, config.activation, config.learning_rate)
            return 0 if program in worker.programs else 1 if program not in taken else 2

        alike = [config for config in self._waiting if config.seed == first.seed]
        chosen = min(alike, key=place)  # the first of those
        self._waiting.remove(chosen)
        return chosen

    def _read(self, place: int, worker: Worker, name: str) -> Iterator[tuple[Config, Ended]]:
        """Takes what a worker sent; gives a run that has ended by it."""
        if name == "errors":
            for line in worker.lines(worker.errors):
                self._work.view.message(line)
            if worker.is_dead():
                self._streams.unregister(worker.errors)
            return
        lines = [*worker.lines(worker.messages)]
        for line in lines:
            event, values = json.loads(line)
            if event == ENDED:
                yield worker.free(), Ended(*values)
            elif worker.followed is not None:
                reporting.show(worker.followed, event, values)
        if not lines and worker.is_dead():
            yield from self._bury(place, worker)

    def _bury(self, place: int, worker: Worker) -> Iterator[tuple[Config, Ended]]:
        """Lets go of a worker that died; its run is tried again, unless it has been."""
        for stream in (worker.messages, worker.errors):
            with contextlib.suppress(KeyError):  # it came to its end before
                self._streams.unregister(stream)
        for line in worker.lines(worker.errors):
            self._work.view.message(line)
        ended = worker.death()
        del self._workers[place]
        worker.end()
        if worker.config is None:
            return
        yield from self._waiting.after_death(worker.free(), ended)
