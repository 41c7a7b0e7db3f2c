"""jaxact and its peers at one job, in turn: what `train_step` and `latency` share."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import results, shared
from benchmarks.contenders.protocol import Job
from benchmarks.contenders.workers import Contender, Worker, in_turn, running
from benchmarks.timing import pairing
from jaxact.command import Options
from jaxact.statistics import Estimate, quartiles

BUSY_CPUS = 0.1


class Alternation(NamedTuple):
    """The measurements of contenders in turn.

    Attributes:
      job: of all contenders, but for what is a contender's own.
      details: contender to what it said of itself.
      figures: contender to figure to its values, one a round.
    """

    job: Job
    details: dict[str, dict[str, Any]]
    figures: dict[str, dict[str, list[float]]]

    def spread(self, contender: str, figure: str, unit: float = 1.0) -> Estimate:
        """Median and quartiles, in units of 1 / `unit`."""
        return quartiles(self.figures[contender][figure], unit)

    def ratio(self, contender: str, figure: str) -> Estimate | None:
        """jaxact's figure over the contender's, pair by pair; None for jaxact itself."""
        if contender == "jaxact":
            return None
        return pairing.ratio(self.figures["jaxact"][figure], self.figures[contender][figure])


def prepared(
    workers: dict[str, Worker], contenders: Sequence[Contender], job: Job
) -> dict[str, dict[str, Any]]:
    """Has every worker prepare, one after the other; contender to its details."""
    return {
        contender.name: workers[contender.name].prepare(
            dataclasses.replace(job, **contender.changes)
        )
        for contender in contenders
    }


def shares(pairs: int, processes: int) -> list[int]:
    """The pairs that each process measures: all of them, shared out as evenly as can be."""
    processes = min(pairs, processes)
    return [pairs // processes + (k < pairs % processes) for k in range(processes)]


def alternate(task: str, options: Options, **changes: Any) -> Alternation:
    """Measures as the options say.

    A process keeps the memory that it happened to get, good or bad, for as long as it lives. So
    each contender has several, one after the other.

    Args:
      task: of the job.
      options: of the command line.
      **changes: what else is different in the job.
    """
    job = dataclasses.replace(shared.job(task, options), **changes)
    contenders = shared.takes_part(options)
    details, turns = {}, []
    for pairs in shares(options.pairs, options.processes):
        with running(contenders) as workers:
            details = prepared(workers, contenders, job)
            turns.append(pairing.alternate(in_turn(workers), pairs))
    figures = pairing.joined(turns)
    warn_of_busy_others(figures)
    return Alternation(job, details, figures)


def warn_of_busy_others(figures: dict[str, dict[str, list[float]]]) -> None:
    busiest = max(quartiles(values["others_cpu"]).value for values in figures.values())
    if busiest > BUSY_CPUS:
        print(f"note: workers kept {busiest:.2f} CPUs busy out of turn", file=sys.stderr)


def variant(details: dict[str, Any]) -> str:
    """The way in which a contender chose to run."""
    if "layout" in details:
        return f"{details['options']}, {details['layout']}"
    steps = details.get("steps_per_dispatch")
    return f"{steps} steps a dispatch" if steps else "jit"


def publish(
    benchmark: str, what: str, options: Options, measured: Alternation, rows: list[dict[str, Any]]
) -> None:
    """Writes and prints what was measured; `what` begins the table's title."""
    job, peer = measured.job, options.peer
    environments = {name: known.pop("environment") for name, known in measured.details.items()}
    platform = environments["jaxact"]["platform"]
    words = (benchmark, job.model, job.activation, str(job.batch_size), job.precision, peer)
    path = options.out or results.default_path(*words, platform)
    results.publish(
        Path(path),
        benchmark,
        f"{what}: {job.model}, {job.activation}, {job.precision}",
        {
            **dataclasses.asdict(job),
            "peer": peer,
            "pairs": options.pairs,
            "processes": options.processes,
        },
        environments,
        rows,
        details=measured.details,
        figures=measured.figures,
    )
