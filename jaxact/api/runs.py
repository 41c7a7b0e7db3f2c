"""The runs of an activation in a study, as arrays."""

from pathlib import Path
from typing import Any

import numpy as np

from jaxact.comparison.study import Run
from jaxact.errors import did_you_mean
from jaxact.inference.network import Network
from jaxact.runs.load import load

_OF_A_RUN = ("dataset", "learning_rate", "activation", "seed", "status", "note")


class Runs:
    """The runs of one activation: `runs.error_percent` and other figures, an array, a seed each.

    Attributes:
      spec: of the activation.
      seeds: int `[runs]`.
      workdirs: the folder of each run.
    """

    def __init__(self, spec: str, runs: list[Run], workdirs: list[Path]):
        self.spec, self.workdirs = spec, workdirs
        self.seeds = np.array([run.seed for run in runs])
        self._runs = runs

    def __getattr__(self, name: str) -> np.ndarray:
        """A figure of `summary.json`, float `[runs]`: nan where there is none."""
        if name.startswith("_"):  # also of a copy that is being made, which has nothing yet
            raise AttributeError(name)
        known = sorted({key for run in self._runs for key in figures_of(run)})
        if not known:
            ends = "; ".join(f"seed {run.seed} {run.status}: {run.note}" for run in self._runs)
            raise AttributeError(f"no run of {self.spec} has figures ({ends})")
        if name not in known:
            hint = did_you_mean(name, known)
            raise AttributeError(f"runs have no {name!r}{hint} (of {', '.join(known)})")
        values = [figures_of(run).get(name) for run in self._runs]
        return np.array([np.nan if value is None else value for value in values], float)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(key for run in self._runs for key in figures_of(run))})

    def load(self, seed: int | None = None) -> Network:
        """The network that a run has trained; of the first seed, if none is given.

        Raises:
          ConfigError, WorkdirError: it is not there (any more).
          KeyError: no run has that seed.
        """
        places = dict(zip(self.seeds.tolist(), self.workdirs, strict=True))
        seed = next(iter(places)) if seed is None else seed
        if seed not in places:
            raise KeyError(f"no run has seed {seed} (of {', '.join(map(str, places))})")
        return load(places[seed])

    def __len__(self) -> int:
        return len(self._runs)

    def __repr__(self) -> str:
        return f"Runs({self.spec!r}, seeds {', '.join(map(str, self.seeds))})"


def identity(run: Run) -> dict[str, Any]:
    """Which run it is, and how it ended."""
    return {name: getattr(run, name) for name in _OF_A_RUN}


def figures_of(run: Run) -> dict[str, Any]:
    """The numbers of a run's summary, those of its latency as `latency_ms_p50`."""
    latency = run.summary.get("latency_ms") or {}
    figures = {**run.summary, **{f"latency_ms_{name}": value for name, value in latency.items()}}
    return {
        name: value
        for name, value in figures.items()
        if name not in _OF_A_RUN and (value is None or isinstance(value, int | float))
    }
