"""Comparisons beside each other, one for each cell of an experiment, grown together seed by seed.

Each lies in a folder of its own, as `python -m experiments.compare` leaves one: it is resumed, its
runs hold their records, and `python -m experiments.report` draws it. Learning rates of which each
activation has its own are chosen in each cell by the rule of all comparisons: by validation images,
on seeds of their own (`jaxact.comparison.analysis.sweep`).
"""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from experiments.common import training_options
from jaxact.command import Options
from jaxact.comparison import compare, live, study as studies
from jaxact.comparison.analysis import hidden_seconds, verdicts
from jaxact.comparison.analysis.measures import Measure
from jaxact.comparison.engines import lanes
from jaxact.comparison.engines.engine import Engine
from jaxact.comparison.engines.in_process import InProcess
from jaxact.comparison.live import StudyView
from jaxact.comparison.options import make_plan
from jaxact.comparison.plan import Plan
from jaxact.comparison.study import FAILED, MISSING, Run, Study, Workload
from jaxact.config import Config
from jaxact.errors import ConfigError, Interrupted
from jaxact.runs.process.signals import stop_on_signals
from jaxact.runs.setup import prepare

Cells = Mapping[str, Study]  # folder within the experiment's to its comparison


def config_of(options: Options, **fields: object) -> Config:
    """The configuration of a cell: what the options say, but for the fields that it sets itself.

    Runs are evaluated on validation images after each epoch, and on the test set at their end.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    common = {name: value for name, value in vars(options).items() if name not in fields}
    return training_options.config_of(Options(**common), eval_split="validation", **fields)


def plan_of(
    config: Config, options: Options, rates: tuple[float, ...], margin_points: float
) -> Plan:
    """The comparison of a cell: `--activations` on `--seeds`, each at the best of several rates.

    Args:
      rates: the middle one is taken where several are as good.
      margin_points: a difference of errors, in percentage points, that is of no account.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    is_swept = len(rates) > 1
    plan = make_plan(
        dataclasses.replace(
            config,
            learning_rate=rates[len(rates) // 2],
            # cells are paired: where there is nothing to choose, those seeds are left out
            seed=config.seed + (0 if is_swept else options.rate_seeds),
        ),
        options.activations,
        options.seeds,
        learning_rates=",".join(map(repr, rates)),
        rate_seeds=options.rate_seeds if is_swept else None,
        margin_points=margin_points,
    )
    return dataclasses.replace(plan, only_own_rates=is_swept)


def make(
    workdir: Path,
    plans: Mapping[str, Plan],
    engine: Engine | None = None,
) -> dict[str, Study]:
    """The comparisons of all plans, with the same number of seeds each, all runs made.

    They grow seed by seed, or by as many as are made at once, the first one another each time, so
    that what disturbs the machine disturbs all alike, and what is there when it is stopped are
    whole pairs.

    Args:
      plans: by folder within `workdir`.
      engine: makes the runs; None: this process, one after the other, nothing compiled meanwhile.

    Raises:
      ConfigError, DataError: before any run is made.
      WorkdirError: another process is at work there.
      Interrupted: by SIGTERM or SIGINT; what is there has been saved.
      RunsFailed: some runs ended in an error that is no outcome of training.
    """
    engine = engine or InProcess(compile_ahead=0)
    at_once = lanes.seeds_of(engine)
    names = [*plans]
    stored = {name: _begin(workdir, name, plan) for name, plan in plans.items()}
    made = Made(plans, stored)
    with stop_on_signals() as stop:
        most_seeds = max(plan.seeds for plan in plans.values())
        for turn, seeds in enumerate(range(0, most_seeds, at_once)):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                seeds_now = min(seeds + at_once, plans[name].seeds)
                plan = _going_on(workdir / name, plans[name], seeds_now)
                made.studies[name], _ = compare.make(
                    studies.begin(workdir / name, plan),
                    workdir / name,
                    stop,
                    engine=engine,
                    follow=functools.partial(CellView, cell=name, made=made),
                )
                if stop:
                    raise Interrupted(
                        f"stopped by {stop.name} after {made.count} of {made.total} runs; to go "
                        f"on, give the same command with --workdir={workdir}"
                    )
                if failed := made.studies[name].with_status(FAILED):
                    raise compare.RunsFailed(
                        f"{len(failed)} runs of {workdir / name} failed ({failed[0].note}); the "
                        "same command tries them again"
                    )
    return made.studies


class Made:
    """The progress of a grid.

    Attributes:
      studies: the comparisons as they are, by cell.
      total: runs of all, the choice of rates included.
    """

    def __init__(self, plans: Mapping[str, Plan], stored: Mapping[str, Study]):
        self.studies = dict(stored)
        self._runs = {name: _count_of(plan) for name, plan in plans.items()}
        self.total = sum(self._runs.values())

    @property
    def count(self) -> int:
        """The runs that have ended."""
        return sum(map(self._ended, self.studies))

    def seconds_left(self) -> float | None:
        """Expected seconds, once each cell has a run: those to be made take the mean of its own."""
        left = 0.0
        for name, study in self.studies.items():
            done = [live.wall_seconds(run) for run in study.runs if run.summary]
            todo = self._runs[name] - self._ended(name)
            if todo > 0 and not done:
                return None
            left += max(todo, 0) * float(np.mean(done)) if done else 0.0
        return left or None

    def _ended(self, name: str) -> int:
        study = self.studies[name]
        return len(study.runs) - len(study.with_status(MISSING))


class CellView(StudyView):
    """Follows the comparison of a cell on stderr, with its place among all runs of the grid."""

    def __init__(self, study: Study, cell: str, made: Made):
        self._cell, self._made = cell, made
        super().__init__(study)

    def message(self, text: str) -> None:
        super().message(f"{self._cell}: {text}")

    def end_run(self, study: Study, run: Run) -> None:
        self._made.studies[self._cell] = study
        super().end_run(study, run)

    def position(self) -> str:
        return f"{self._made.count}/{self._made.total}"

    def seconds_left(self) -> float | None:
        return self._made.seconds_left()


def own(study: Study) -> Workload:
    """The workload of a cell: each activation at its own rate, or all at the one there is."""
    return study.workloads()[-1]


def by_seed(study: Study, measure: Measure) -> dict[str, list[float]]:
    """The figures of each activation in the order of the seeds; a diverged error is infinite."""
    return verdicts.values_of(study, own(study), measure)


def over_activations(values: Mapping[str, list[float]]) -> list[float]:
    """The mean over the activations, seed by seed."""
    return np.mean([*values.values()], axis=0).tolist()


def without_marked_seconds(cells: Cells) -> tuple[dict[str, Study], list[str]]:
    """The cells without any seconds, if a run was made beside other work; and a line that says so.

    Cells are compared by their seconds: those of one are not held against others' that lack some.
    """
    is_marked = any(hidden_seconds.is_marked(run) for study in cells.values() for run in study.runs)
    drawn = {
        name: hidden_seconds.without_seconds(study, everywhere=True) if is_marked else study
        for name, study in cells.items()
    }
    return drawn, ["runs were made beside other work: no seconds"] * is_marked


def _count_of(plan: Plan) -> int:
    return len(plan.activations) * (plan.rate_seeds * len(plan.learning_rates) + plan.seeds)


def _begin(workdir: Path, name: str, plan: Plan) -> Study:
    """The comparison as its folder holds it, once it is known that its runs can be made."""
    folder = workdir / name
    if (folder / studies.STUDY).exists():
        plan = plan.going_on(studies.load(folder).plan)
    study = studies.begin(folder, plan)
    try:
        prepare(next(plan.runs()))
    except ConfigError as error:
        raise ConfigError(f"{name}: {str(error).removeprefix('config.')}") from error
    return study


def _going_on(folder: Path, plan: Plan, seeds: int) -> Plan:
    """The plan with so many seeds, or those that a stored one has, and with its choices."""
    if not (folder / studies.STUDY).exists():
        return dataclasses.replace(plan, seeds=seeds)
    stored = studies.load(folder).plan
    return dataclasses.replace(plan, seeds=max(seeds, stored.seeds)).going_on(stored)
