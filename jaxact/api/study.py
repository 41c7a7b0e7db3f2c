"""`jaxact.Study`: a comparison as Python programs and notebooks have it."""

import io
import os
import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console

from jaxact import activations
from jaxact.activations import callables, fingerprint
from jaxact.api.arguments import Spec
from jaxact.api.runs import Runs, figures_of, identity
from jaxact.api.words import for_python, in_python
from jaxact.comparison import answers, study as studies
from jaxact.comparison.analysis import churn, hidden_seconds
from jaxact.comparison.output import terminal
from jaxact.comparison.output.tables import study_table
from jaxact.comparison.study import DONE, Workload
from jaxact.errors import ConfigError, did_you_mean
from jaxact.packages import needed_for
from jaxact.runs.records import record_files, workdirs

if TYPE_CHECKING:
    import pandas  # pyright: ignore[reportMissingImports]
    from matplotlib.figure import Figure

_WIDTH = 120  # characters, of a study that is printed


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
        with for_python():
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
        workloads = self._drawn.workloads()
        texts = [in_python(answers.answer(self._drawn, workload)) for workload in workloads]
        if len(texts) == 1:
            return texts[0]
        titles = map(self._drawn.workload_title, workloads)
        return "\n".join(f"{title}: {text}" for title, text in zip(titles, texts, strict=True))

    def findings(self) -> str:
        """The paper's findings and what became of them, as Markdown; "" for another protocol."""
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
        if len(rest) > 2:
            raise KeyError("study[activation, dataset, learning_rate] takes no more")
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

    def __len__(self) -> int:
        return len(self.activations)

    def __contains__(self, activation: object) -> bool:
        """Whether an activation is compared."""
        try:
            return bool(self._spelled(cast(Spec, activation)))
        except KeyError:
            return False

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
        return _frame([identity(run) | figures_of(run) for run in self._drawn.runs])

    def curves(self) -> "pandas.DataFrame":
        """A row an epoch of each run: which run it is, and the figures of its `metrics.jsonl`."""
        return _frame(
            [identity(run) | dict(row) for run in self._drawn.runs for row in run.metrics]
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
            from jaxact.presentation.figure import figure_of

        known = {**figures.OF_A_WORKLOAD, **figures.OF_ALL}
        if name not in known:
            raise ConfigError(
                f"figure {name!r} is unknown{did_you_mean(str(name), known)} (of "
                f"{', '.join(known)})"
            )
        if name in figures.OF_ALL:
            chart = figures.OF_ALL[name](self._drawn)
        else:
            chart = known[name](self._drawn, self._workload(dataset, learning_rate))
        if chart is None:
            raise ConfigError(f"the study has no data for figure {name!r}")
        return figure_of(chart)

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Writes the report, a page that needs no network, and returns its path.

        Raises:
          ConfigError: no run is done, or the path is not one of a file.
          WorkdirError: it cannot be written.
        """
        if not self._drawn.with_status(DONE):
            raise ConfigError("no run of the study is done: there is nothing to report")
        with needed_for("the report"):
            from jaxact.comparison.output import report

        place = Path(path).expanduser()
        if not place.name or place.is_dir():
            raise ConfigError(f"{place} is a folder: give the path of a file, such as report.html")
        with for_python(), workdirs.told(place.parent):
            place.parent.mkdir(parents=True, exist_ok=True)
            record_files.write_text(place, report.page(self._drawn))
        return place

    def save(self, workdir: str | os.PathLike[str]) -> Path:
        """Writes `study.json` into a folder, from which tables, figures and report can be drawn.

        Raises:
          ConfigError: the folder holds another comparison, or cannot be one.
          WorkdirError: it cannot be written.
        """
        place = Path(workdir).expanduser()
        with for_python(), workdirs.told(place):
            workdirs.check_place(place)
            is_there = (place / studies.STUDY).exists()
            if is_there and self._study.plan.differences(studies.load(place).plan):
                raise ConfigError(f"{place} holds another comparison: choose another folder")
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
        return in_python(text.getvalue().rstrip())

    def _repr_html_(self) -> str:
        return in_python(study_table.as_html(self._drawn))

    def _spelled(self, activation: Spec) -> str:
        """The spec of an activation that is compared; raises KeyError for another."""
        plan, changed = self._study.plan, ""
        try:
            spec = plan.spelled(callables.spec_of(activation))
            specs = (
                [spec]
                if isinstance(activation, str)
                else [spec, callables.spec_of(activation, True)]
            )
            for one in (one for one in specs if one in self.activations):
                changed = changed or self._change(one, activation)
                if not changed:
                    return one
        except ConfigError as error:
            raise KeyError(str(error)) from error
        if changed:
            raise KeyError(
                f"{spec} was redefined ({changed}): study[{spec!r}] has what was compared"
            )
        hint = did_you_mean(spec, self.activations)
        raise KeyError(f"{spec} is not compared{hint} ({', '.join(self.activations)})")

    def _change(self, spec: str, activation: Spec) -> str:
        """The difference of a function from the one that was compared, in words; "" if none."""
        stored = self._study.functions.get(spec)
        if isinstance(activation, str) or not stored:
            return ""
        now = fingerprint.fingerprint(activations.get(activation))
        return fingerprint.change(stored, now) if now else ""

    def _workload(self, dataset: str = "", learning_rate: Any = None) -> Workload:
        for workload in self._study.workloads():
            names = (workload.dataset, self._study.plan.title(workload.dataset), "")
            if dataset in names and learning_rate in (workload.learning_rate, None):
                return workload
        known = "; ".join(map(self._study.workload_title, self._study.workloads()))
        asked = " ".join(
            str(value) for value in (dataset, learning_rate) if value not in ("", None)
        )
        raise KeyError(f"nothing is compared on {asked} ({known})")


def _frame(rows: list[dict[str, Any]]) -> "pandas.DataFrame":
    with needed_for("a frame"):
        import pandas  # pyright: ignore[reportMissingImports]
    return pandas.DataFrame(rows)
