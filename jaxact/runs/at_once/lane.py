"""One of the runs that are trained at once: its part of all numbers, and its records."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax

from jaxact.compilation.clock import Clock
from jaxact.errors import NonFiniteLossError
from jaxact.runs import fit
from jaxact.runs.fit import Run
from jaxact.runs.progress import RunView
from jaxact.runs.records import record_files
from jaxact.runs.records.events import Events
from jaxact.runs.records.snapshot import Snapshot, without_key_types
from jaxact.runs.setup import Setup
from jaxact.runs.stages import Stage
from jaxact.runs.summary import summarize
from jaxact.training import at_once, early_stopping
from jaxact.training.state import Totals, TrainState

NOT_ITS_OWN = ("seconds_to_target", "images_per_second", "train_memory_bytes")

Measure = Callable[[Any, Any], Any]  # state and data to what there is to tell of them


class Once:
    """A program that measures all lanes at once, when the first of them asks for its part.

    Args:
      program: of all lanes: state and data to results with the axis of lanes in front.
    """

    def __init__(self, program: Any):
        self._program = program
        self._state: TrainState | None = None
        self._results: dict[int, Any] = {}  # of that state, by the data

    def prepare(self, clock: Clock, state: TrainState, data: Any) -> Measure:
        """The function that gives the results, on the host; compiled on the clock."""
        run = self._program.prepare(clock, state, data)

        def measure(state: TrainState, data: Any) -> Any:
            if state is not self._state:
                self._state, self._results = state, {}
            if id(data) not in self._results:
                self._results[id(data)] = jax.device_get(run(state, data))
            return self._results[id(data)]

        return measure


class Part:
    """The program of one lane: it takes the state of all of them, and gives the lane's results."""

    def __init__(self, once: Once, place: int):
        self._once, self._place = once, place

    def prepare(self, clock: Clock, state: TrainState, data: Any) -> Measure:
        measure = self._once.prepare(clock, state, data)
        return lambda state, data: at_once.lane(measure(state, data), self._place)


class Lane:
    """A run among those that are trained at once.

    Args:
      place: of its numbers in what all lanes have.
      setup: of the run alone.
      group: of all lanes.
      programs: by the name that they have in `jaxact.training.program.Program`.
      run: its folder and checkpoints; the clock is that of all lanes.
      snapshot: from which it goes on.

    Attributes:
      setup, run, snapshot: as above; the snapshot is that which was saved last.
      rows, health_rows: of `metrics.jsonl` and `health.jsonl` so far.
    """

    def __init__(
        self,
        place: int,
        setup: Setup,
        group: Setup,
        programs: Mapping[str, Once],
        run: Run,
        snapshot: Snapshot,
    ):
        self.place, self.setup, self.run, self.snapshot = place, setup, run, snapshot
        self.rows, self.health_rows = snapshot.progress["rows"], snapshot.progress["health"]
        parts: dict[str, Any] = {name: Part(once, place) for name, once in programs.items()}
        self._watched = dataclasses.replace(
            group, config=setup.config, program=group.program._replace(**parts)
        )
        folder, step = run.workdir / record_files.TENSORBOARD, int(snapshot.state.step)
        self._events = Events(folder, step, dataclasses.asdict(setup.config))

    def close(self) -> None:
        """Closes its event file."""
        self._events.close()

    @property
    def is_best_yet(self) -> bool:
        """Whether no epoch before the last had a lower validation loss."""
        return early_stopping.best_epoch(self.rows) == self.rows[-1]["epoch"]

    def is_over(self, step: int) -> bool:
        """Whether the lane has all its epochs, or as many as early stopping lets it have."""
        return fit.is_over(self.setup, step, self.rows)

    def look(self, stage: Stage, totals: Totals, view: RunView) -> None:
        """Records the epoch that has ended, if one has.

        Args:
          stage: of all lanes.
          totals: the lane's own.

        Raises:
          NonFiniteLossError: a loss of this lane, or a parameter, is not finite.
        """
        own = stage._replace(totals=totals)
        if not own.is_finite:
            raise NonFiniteLossError(fit.where_not_finite(self.setup.config, own))
        if stage.is_epoch_end:
            told = Told(view, self.setup.config.seed)
            record = self._watched, self.run, told, self._events, own, self.rows, self.health_rows
            fit.record_epoch(*record)

    def score_best(self, stage: Stage, best: Any, view: RunView) -> None:
        """Reads the test set with the parameters of its best epoch."""
        state = at_once.lane_of_state(stage.state, self.place)
        progress = {"rows": self.rows, "health": self.health_rows}
        snapshot = Snapshot(state, Totals.zero(), progress, at_once.lane(best, self.place))
        told = Told(view, self.setup.config.seed)
        fit.score_best(self.setup, self.run, told, self._events, snapshot)

    def save(self, state: TrainState, totals: Totals, best: Any) -> None:
        """Saves its part of what all lanes have, which is on the host."""
        progress = {
            "rows": self.rows,
            "health": self.health_rows,
            "clock": self.run.clock.readings(),
        }
        self.snapshot = Snapshot(
            at_once.lane_of_state(state, self.place),
            at_once.lane(totals, self.place),
            progress,
            at_once.lane(best, self.place),
            self.snapshot.preprocessing,
        )
        self.run.checkpoints.save(self.snapshot)

    def summarize(self, compilation_cache: str) -> None:
        """Writes the summary of a run that is over, without what it would have alone."""
        config = dataclasses.replace(self.setup.config, latency_samples=0)
        setup = dataclasses.replace(self.setup, config=config)
        summary = summarize(setup, self.run.clock, self.snapshot) | dict.fromkeys(NOT_ITS_OWN)
        summary["compilation_cache"] = compilation_cache
        self._events.end()
        record_files.write_json(self.run.workdir / record_files.SUMMARY, summary)


class Told:
    """A view of one lane: what it says goes to that of all, after its seed; its rows do not."""

    def __init__(self, view: RunView, seed: int):
        self._view, self._seed = view, seed

    def message(self, text: str) -> None:
        self._view.message(f"seed {self._seed}: {text}")

    def after_dispatch(self, step: int, loss: float, images_per_second: float) -> None:
        pass

    def after_epoch(self, row: Mapping[str, Any], split: str) -> None:
        pass


def on_host(tree: Any) -> Any:
    """A tree with its arrays in this process's memory, as a checkpoint can hold them."""
    return jax.device_get(jax.tree.map(without_key_types, tree))
