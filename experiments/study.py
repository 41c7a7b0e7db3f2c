"""A comparison as data: what was planned, what each run left, and `study.json`, which holds both.

Everything that is drawn or tabulated starts from a `Study`, so that a table, a figure and the
report can be made again from the folder of a comparison, or from its `study.json` alone.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.training import records

STUDY = "study.json"
FORMAT = 1

DONE = "done"
DIVERGED = "diverged"  # the loss became NaN or infinite: a miss
FAILED = "failed"  # any other error: a miss that says why
MISSING = "missing"  # not made yet

Row = Mapping[str, Any]


def folder_name(spec: str) -> str:
    """A spec as the name of a folder: itself, with what file systems dislike replaced."""
    return re.sub(r"[^\w.=(),+-]", "_", spec).lstrip(".") or "_"


@dataclasses.dataclass(frozen=True)
class Plan:
    """The runs of a comparison: every activation with every seed, rate and data set.

    Attributes:
      config: what all runs share; its dataset, learning_rate, activation and seed are replaced.
      datasets, learning_rates, activations: in the order of the tables; activations as specs.
      seeds: runs of each, with seeds 0 to seeds - 1.
      baseline: the activation that the others are compared with; one of `activations`.
    """

    config: Config
    datasets: tuple[str, ...]
    learning_rates: tuple[float, ...]
    activations: tuple[str, ...]
    seeds: int
    baseline: str

    def runs(self) -> Iterator[Config]:
        """Seed by seed, so that a study that is stopped early has whole pairs."""
        for seed in range(self.seeds):
            for dataset in self.datasets:
                for rate in self.learning_rates:
                    for spec in self.activations:
                        yield dataclasses.replace(
                            self.config,
                            dataset=dataset,
                            learning_rate=rate,
                            activation=spec,
                            seed=seed,
                        )

    def folder(self, run: Config) -> Path:
        """Of a run, within the comparison's: `<activation>/seed<k>`.

        With several data sets or rates, one folder of each kind stands before it.
        """
        parts = []
        if len(self.datasets) > 1:
            parts.append(folder_name(run.dataset))
        if len(self.learning_rates) > 1:
            parts.append(f"learning_rate={run.learning_rate:g}")
        return Path(*parts, folder_name(run.activation), f"seed{run.seed}")

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Row) -> "Plan":
        return cls(
            config=Config(**value["config"]),
            datasets=tuple(value["datasets"]),
            learning_rates=tuple(value["learning_rates"]),
            activations=tuple(value["activations"]),
            seeds=value["seeds"],
            baseline=value["baseline"],
        )


@dataclasses.dataclass(frozen=True)
class Run:
    """What one run left.

    Attributes:
      dataset, learning_rate, activation, seed: which run it is.
      status: DONE, DIVERGED, FAILED or MISSING.
      note: why it is not done, in a line; "" if it is.
      summary: as in `summary.json`; empty unless done.
      metrics: the rows of `metrics.jsonl`, one an epoch.
      health: the rows of `health.jsonl`, one an epoch, `{"epoch": n, "layers": [{"layer": name,
        "dead": share, "saturated": share, "mean": m, "deviation": s, "gradient_norm": g}, ...]}`;
        empty where health was not recorded.
      environment: as in `environment.json`.
    """

    dataset: str
    learning_rate: float
    activation: str
    seed: int
    status: str = MISSING
    note: str = ""
    summary: Row = dataclasses.field(default_factory=dict)
    metrics: tuple[Row, ...] = ()
    health: tuple[Row, ...] = ()
    environment: Row = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Workload:
    """What activations are compared on: one data set, trained at one rate."""

    dataset: str
    learning_rate: float


@dataclasses.dataclass(frozen=True)
class Study:
    """A plan and its runs, in the plan's order."""

    plan: Plan
    runs: tuple[Run, ...]

    def workloads(self) -> list[Workload]:
        return [
            Workload(dataset, rate)
            for dataset in self.plan.datasets
            for rate in self.plan.learning_rates
        ]

    def of(self, workload: Workload, activation: str) -> list[Run]:
        """The runs of an activation on a workload, by seed."""
        return [
            run
            for run in self.runs
            if run.activation == activation and Workload(run.dataset, run.learning_rate) == workload
        ]

    def save(self, workdir: Path) -> None:
        records.write_json(
            workdir / STUDY,
            {
                "format": FORMAT,
                "plan": self.plan.as_json(),
                "runs": [dataclasses.asdict(run) for run in self.runs],
            },
        )


def read_run(workdir: Path, plan: Plan, config: Config, note: str = "", status: str = "") -> Run:
    """A run as its folder holds it; `status` and `note` if it ended in an error."""
    folder = workdir / plan.folder(config)
    summary_path = folder / records.SUMMARY
    summary: Row = records.read_json(summary_path) if summary_path.exists() else {}
    if summary and summary["epochs"] != config.epochs:
        summary = {}  # of a shorter run, which is to go on

    def rows(name: str) -> tuple[Row, ...]:
        path = folder / name
        return tuple(records.read_rows(path)) if path.exists() else ()

    environment_path = folder / records.ENVIRONMENT
    return Run(
        dataset=config.dataset,
        learning_rate=config.learning_rate,
        activation=config.activation,
        seed=config.seed,
        status=status or (DONE if summary else MISSING),
        note=note,
        summary=summary,
        metrics=rows(records.METRICS),
        health=rows(records.HEALTH),
        environment=records.read_json(environment_path) if environment_path.exists() else {},
    )


def load(workdir: Path) -> Study:
    """The study of a folder, as its `study.json` has it.

    Raises:
      ConfigError: there is none, or it is not one of this program.
    """
    path = workdir / STUDY
    if not path.exists():
        raise ConfigError(f"{workdir} holds no {STUDY}: give the --workdir of a comparison")
    value = records.read_json(path)
    try:
        if value["format"] != FORMAT:
            raise ConfigError(f"{path} has format {value['format']}, this program reads {FORMAT}")
        return Study(Plan.from_json(value["plan"]), tuple(_run(row) for row in value["runs"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} is not a comparison's: {error!r}") from error


def _run(row: Row) -> Run:
    tuples: dict[str, Sequence[Row]] = {name: tuple(row[name]) for name in ("metrics", "health")}
    return Run(**{**row, **tuples})
