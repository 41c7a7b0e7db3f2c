"""A comparison that is only told: the runs to be made, and the time, memory and disk they take."""

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.command import Option
from jaxact.comparison.engines.attempts import one_line
from jaxact.comparison.engines.making import check_before_training
from jaxact.comparison.price import Price
from jaxact.comparison.study import DONE, MISSING, Study
from jaxact.config import Config
from jaxact.errors import JaxactError
from jaxact.presentation import numbers, tables
from jaxact.runs import estimate
from jaxact.runs.dry_run import MEANING, disk_warning, nothing_written, resources
from jaxact.runs.estimate import Cost, Span
from jaxact.runs.process import environment

# Tables, figures and the report, of a comparison and of each of its workloads.
DRAWING_SECONDS, WORKLOAD_SECONDS = 2.0, 3.0
DRAWING_BYTES, WORKLOAD_BYTES = 5 * 2**20, 2**20

OPTION = Option(False, MEANING)

Pair = tuple[str, str]  # data set, activation


@dataclasses.dataclass(frozen=True)
class StudyEstimate:
    """The time, memory and disk that a comparison is expected to take from where it stands.

    Attributes:
      study: its plan and the runs that are there.
      costs: of the runs to be made, by data set and activation.
      failures: why such runs will fail, by the same.
      seconds: of the runs to be made, of compilation, and of what is drawn.
      more_runs: the most that may be added by what the runs show.
      more_seconds: of those.
      memory_bytes: the peak of this process, or of its accelerator, which did the same work.
      disk_bytes: the least and the most that is added.
    """

    study: Study
    costs: Mapping[Pair, Cost]
    failures: Mapping[Pair, str]
    seconds: Span
    more_runs: int
    more_seconds: Span
    memory_bytes: int
    disk_bytes: tuple[int, int]


def of_study(
    study: Study, workdir: Path, most_seeds: int | None = None, remake: Collection[str] = ()
) -> StudyEstimate:
    """The estimate of what is left of a comparison; nothing is written.

    One program is compiled for each activation on each data set, and works for some seconds.

    Args:
      study: as `jaxact.comparison.study.begin` has it.
      workdir: its folder, which need not be there.
      most_seeds: that there may come to be; None: those of the plan.
      remake: the activations whose runs are replaced, as `begin` had it.

    Raises:
      ConfigError, DataError: no run can be made.
    """
    check_before_training(study, workdir, remake)
    todo = [
        (config, max(config.epochs - len(run.metrics), 0))
        for config, run in zip(study.plan.runs(), study.runs, strict=True)
        if run.status == MISSING
    ]
    costs, failures = measured([config for config, _ in todo])
    seconds, least, most = drawing_seconds(study), 0, 0
    for config, epochs_left in todo:
        if cost := costs.get(pair_of(config)):
            seconds += cost.seconds(epochs_left)
            low, high = cost.disk_bytes(epochs_left)
            least, most = least + low, most + high
    programs = Counter(pair for pair, _ in {(pair_of(c), c.learning_rate) for c, _ in todo})
    for pair, cost in costs.items():
        seconds += cost.compilation + unseen_compilation(cost) * (programs[pair] - 1)
    added = possible_runs(study, most_seeds)
    more_seconds = Span()
    for pair, count in added.items():
        if cost := costs.get(pair):
            more_seconds += cost.seconds(study.plan.config.epochs) * count
    drawn_bytes = DRAWING_BYTES + len(study.workloads()) * WORKLOAD_BYTES
    return StudyEstimate(
        study=study,
        costs=costs,
        failures=failures,
        seconds=seconds,
        more_runs=added.total(),
        more_seconds=more_seconds,
        memory_bytes=environment.peak_memory_bytes(),
        disk_bytes=(least + drawn_bytes, most + 2 * drawn_bytes),
    )


def pair_of(config: Config) -> Pair:
    return config.dataset, config.activation


def measured(configs: Sequence[Config]) -> tuple[dict[Pair, Cost], dict[Pair, str]]:
    """The costs of runs, each pair measured by its first run; or in a line why it fails."""
    costs: dict[Pair, Cost] = {}
    failures: dict[Pair, str] = {}
    for config in configs:
        if (pair := pair_of(config)) in costs.keys() | failures.keys():
            continue
        try:
            costs[pair] = estimate.measure(config)
        except JaxactError:
            raise
        except Exception as error:  # the runs of the others are made all the same
            failures[pair] = one_line(error)
    return costs, failures


def unseen_compilation(cost: Cost) -> Span:
    """The compilation for a further learning rate, a constant of the program; it may be kept."""
    return Span(cost.compilation.low, cost.cold_compilation.likely, cost.cold_compilation.high)


def drawing_seconds(study: Study) -> Span:
    """The start of the command and what it does once all runs are made."""
    seconds = estimate.START_SECONDS + DRAWING_SECONDS + len(study.workloads()) * WORKLOAD_SECONDS
    return Span.about(seconds)


def possible_runs(study: Study, most_seeds: int | None) -> Counter[Pair]:
    """The most runs that may be added by what those of the plan show, by data set and activation.

    Seeds of a study that goes on until it is decided, and learning rates of an activation's own.
    """
    plan, added = study.plan, Counter()
    most = plan.seeds if most_seeds is None else max(most_seeds, plan.seeds)
    for dataset, spec in itertools.product(plan.datasets, plan.activations):
        now = then = len(plan.learning_rates)
        if plan.rate_seeds:  # shown at the common rate, and at their own once it is known
            own = plan.own_rate(dataset, spec)
            now = len({plan.common_rate, plan.common_rate if own is None else own})
            then = 2 if own is None else now
        added[dataset, spec] = then * most - now * plan.seeds
    return +added


def show(found: StudyEstimate, workdir: Path, price: Price | None = None) -> None:
    """Prints the estimate of a comparison."""
    study, plan = found.study, found.study.plan
    for line in plan_lines(study):
        print(line)
    tables.console().print(tables.as_rich(rows(found), "runs to be made"))
    for (dataset, spec), why in found.failures.items():
        print(f"{spec} on {plan.title(dataset)} will fail, and the others go on: {why}")
    if found.more_runs:
        more = numbers.duration(found.more_seconds.likely)
        print(f"at most {found.more_runs} runs more, by what these show: up to {more} on top")
    programs = [cost.program_bytes or 0 for cost in found.costs.values()]
    program_bytes = max(programs, default=0) or None
    for line in resources(found.seconds, program_bytes, found.memory_bytes, found.disk_bytes):
        print(line)
    if price is not None:
        low, likely, high = (price.of_seconds(s) for s in dataclasses.astuple(found.seconds))
        print(f"price: about {likely:.2f} {price.currency}, from {low:.2f} to {high:.2f}")
    for line in (*disk_warning(workdir, found.disk_bytes[1]), nothing_written(workdir)):
        print(line)


def plan_lines(study: Study) -> list[str]:
    """The plan in words, and how many of its runs are there."""
    plan = study.plan
    seeds = [*plan.choosing_seeds, *plan.shown_seeds]
    shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    done, todo = len(study.with_status(DONE)), len(study.with_status(MISSING))
    others = len(study.runs) - done - todo
    rates = ", ".join(f"{rate:g}" for rate in plan.learning_rates)
    named = f"learning rate{'s' * (len(plan.learning_rates) > 1)} {rates}"
    if plan.rate_seeds:
        named += f" (chosen on {plan.rate_seeds} of the seeds)"
    return [
        f"{plan.config.model} on {', '.join(map(plan.title, plan.datasets))}; "
        f"{len(plan.activations)} activations; {shown}; {named}; "
        f"{numbers.count(plan.config.epochs, 'epoch')}",
        f"runs: {len(study.runs)}, of which {done} are done"
        + (f", {others} diverged" if others else "")
        + f", and {todo} to be made",
    ]


def rows(found: StudyEstimate) -> list[tables.Row]:
    """A row for each activation on each data set, with the figures of its runs."""
    plan = found.study.plan
    counts = Counter(((run.dataset, run.activation), run.status) for run in found.study.runs)
    listed = []
    for pair in itertools.product(plan.datasets, plan.activations):
        cost = found.costs.get(pair)
        row: dict[str, Any] = {"activation": pair[1]}
        if len(plan.datasets) > 1:
            row["data"] = plan.title(pair[0])
        row |= {"done": counts[pair, DONE], "to be made": counts[pair, MISSING]}
        if cost is not None:
            row |= {
                "ms a step": 1000 * cost.step.likely,
                "s a run": cost.seconds(plan.config.epochs).likely,
                "s compilation": cost.cold_compilation.likely,
                "MiB": (cost.program_bytes or math.nan) / 2**20,
            }
        listed.append(row)
    return listed
