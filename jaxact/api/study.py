"""`jaxact.Study`: a comparison as Python programs and notebooks have it."""

import io
import os
import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from jaxact.activations import callables
from jaxact.api.arguments import Spec
from jaxact.comparison import answers, study as studies
from jaxact.comparison.analysis import churn, hidden_seconds
from jaxact.comparison.output import terminal
from jaxact.comparison.output.tables import study_table
from jaxact.comparison.study import DONE, Run, Workload
from jaxact.errors import ConfigError, did_you_mean
from jaxact.inference.network import Network
from jaxact.packages import needed_for
from jaxact.runs.load import load
from jaxact.runs.records import record_files

if TYPE_CHECKING:
    import pandas  # pyright: ignore[reportMissingImports]
    from matplotlib.figure import Figure

_OF_A_RUN = ("dataset", "learning_rate", "activation", "seed", "status", "note")
_WIDTH = 120  # characters, of a study that is printed


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
        known = sorted({key for run in self._runs for key in _figures(run)})
        if name.startswith("_") or name not in known:
            hint = did_you_mean(name, known)
            raise AttributeError(f"runs have no {name!r}{hint} (of {', '.join(known)})")
        values = [_figures(run).get(name) for run in self._runs]
        return np.array([np.nan if value is None else value for value in values], float)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(key for run in self._runs for key in _figures(run))})

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


class Study:
    """A comparison of activations; `jaxact.compare` makes it, `Study.load` reads one from a folder.

    In a notebook it shows its answer and its table; `print(study)` prints them.
    """

    def __init__(self, study: studies.Study, workdir: Path, is_temporary: bool = False):
        """Takes a study and its folder, which goes with this object if it is temporary."""
        self.workdir = workdir
        self._study = study
        self._drawn = hidden_seconds.without_seconds(study)
        if is_temporary:
            weakref.finalize(self, shutil.rmtree, workdir, ignore_errors=True)

    @classmethod
    def load(cls, workdir: str | os.PathLike[str]) -> "Study":
        """The study that `jaxact.compare` or `experiments.compare` left in a folder.

        Raises:
          ConfigError: there is none.
        """
        place = Path(workdir).expanduser()
        return cls(churn.with_churn(studies.load(place), place), place)

    @property
    def activations(self) -> tuple[str, ...]:
        """The specs that are compared."""
        return self._study.plan.activations

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that are compared."""
        return tuple(self._study.plan.shown_seeds)

    def answer(self) -> str:
        """The answer in words; of several data sets or rates, a line each."""
        texts = [answers.answer(self._drawn, workload) for workload in self._drawn.workloads()]
        if len(texts) == 1:
            return texts[0]
        titles = map(self._drawn.workload_title, self._drawn.workloads())
        return "\n".join(f"{title}: {text}" for title, text in zip(titles, texts, strict=True))

    def findings(self) -> str:
        """What became of the paper's findings, as Markdown; "" where this is not its protocol."""
        return answers.as_markdown(self._drawn)

    def __getitem__(self, key: Spec | tuple[Any, ...]) -> Runs:
        """The runs of an activation: `study["mish"]`, `study[my_function]`.

        Args:
          key: an activation; of several data sets or rates with these behind it, as far as they
            are needed: `study["mish", "mnist", 1e-3]`; the first, if not given.

        Raises:
          KeyError: it is not compared.
        """
        activation, *rest = key if isinstance(key, tuple) else (key,)
        spec = self._spelled(activation)
        workload = self._workload(*rest)
        plan, folders = self._study.plan, []
        runs = self._study.of(workload, spec)
        places = {(c.dataset, c.learning_rate, c.activation, c.seed): c for c in plan.runs()}
        for run in runs:
            config = places.get((run.dataset, run.learning_rate, run.activation, run.seed))
            folders.append(self.workdir if config is None else self.workdir / plan.folder(config))
        return Runs(spec, runs, folders)

    def __iter__(self) -> Iterator[Runs]:
        """The runs of each activation, in their order."""
        return (self[spec] for spec in self.activations)

    def table(self) -> "pandas.DataFrame":
        """A row an activation: figures, intervals, tests and verdicts, as in `table.json`."""
        rows = [
            {"dataset": part["dataset"], "learning_rate": part["learning_rate"]} | row
            for part in study_table.as_json(self._drawn)["workloads"]
            for row in part["rows"]
        ]
        return _frame(rows)

    def to_frame(self) -> "pandas.DataFrame":
        """A row a run: which it is, how it ended, and the figures of its `summary.json`."""
        return _frame([_identity(run) | _figures(run) for run in self._drawn.runs])

    def curves(self) -> "pandas.DataFrame":
        """A row an epoch of each run: which run it is, and the figures of its `metrics.jsonl`."""
        return _frame(
            [_identity(run) | dict(row) for run in self._drawn.runs for row in run.metrics]
        )

    def figure(
        self, name: str = "accuracy", dataset: str = "", learning_rate: float | None = None
    ) -> "Figure":
        """A figure of the report, as matplotlib has it: `.savefig("mine.pdf")`.

        Args:
          name: accuracy, loss, time_to_accuracy, error, error_against_latency, health_dead,
            health_saturated, health_gradient_norm or performance_profile.
          dataset, learning_rate: of several, which; the first, if not given.

        Raises:
          ConfigError: there is no such figure, or the study has no data for it.
        """
        with needed_for("a figure"):
            from jaxact.comparison.output import figures

        known = {**figures.OF_A_WORKLOAD, **figures.OF_ALL}
        if name not in known:
            raise ConfigError(
                f"figure {name!r} is unknown{did_you_mean(name, known)} (of {', '.join(known)})"
            )
        if name in figures.OF_ALL:
            figure = figures.OF_ALL[name](self._drawn)
        else:
            figure = known[name](self._drawn, self._workload(dataset, learning_rate))
        if figure is None:
            raise ConfigError(f"the study has no data for figure {name!r}")
        return figure

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Writes the report, a page that needs no network, and returns its path."""
        if not self._drawn.with_status(DONE):
            raise ConfigError("no run of the study is done: there is nothing to report")
        with needed_for("the report"):
            from jaxact.comparison.output import report

        place = Path(path).expanduser()
        record_files.write_text(place, report.page(self._drawn))
        return place

    def save(self, workdir: str | os.PathLike[str]) -> Path:
        """Writes `study.json` into a folder, from which tables, figures and report can be drawn."""
        place = Path(workdir).expanduser()
        place.mkdir(parents=True, exist_ok=True)
        self._study.save(place)
        return place / studies.STUDY

    def __repr__(self) -> str:
        plan, count = self._study.plan, len(self.seeds)
        names = ", ".join(map(plan.subject, plan.datasets))
        return f"Study({', '.join(self.activations)}; {names}; {count} seed{'s' * (count != 1)})"

    def __str__(self) -> str:
        text = io.StringIO()
        terminal.show(self._drawn, Console(file=text, width=_WIDTH, highlight=False))
        return text.getvalue().rstrip()

    def _repr_html_(self) -> str:
        return study_table.as_html(self._drawn)

    def _spelled(self, activation: Spec) -> str:
        try:
            spec = self._study.plan.spelled(callables.spec_of(activation))
        except ConfigError as error:
            raise KeyError(str(error)) from error
        if spec not in self.activations:
            hint = did_you_mean(spec, self.activations)
            raise KeyError(f"{spec} is not compared{hint} ({', '.join(self.activations)})")
        return spec

    def _workload(self, dataset: str = "", learning_rate: Any = None) -> Workload:
        for workload in self._study.workloads():
            names = (workload.dataset, self._study.plan.title(workload.dataset), "")
            if dataset in names and learning_rate in (workload.learning_rate, None):
                return workload
        known = "; ".join(map(self._study.workload_title, self._study.workloads()))
        raise KeyError(f"nothing is compared on {dataset} {learning_rate or ''} ({known})")


def _identity(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in _OF_A_RUN}


def _figures(run: Run) -> dict[str, Any]:
    """The numbers of a run's summary, those of its latency as `latency_ms_p50`."""
    latency = run.summary.get("latency_ms") or {}
    figures = {**run.summary, **{f"latency_ms_{name}": value for name, value in latency.items()}}
    return {
        name: value
        for name, value in figures.items()
        if name not in _OF_A_RUN and (value is None or isinstance(value, int | float))
    }


def _frame(rows: list[dict[str, Any]]) -> "pandas.DataFrame":
    with needed_for("a frame"):
        import pandas  # pyright: ignore[reportMissingImports]
    return pandas.DataFrame(rows)
