"""The study without the seconds that say little: those of runs made beside other work.

Everything that is drawn or tabulated starts from what `without_seconds` gives, so that no output
can show, or rank by, what it leaves out; `study.json` and the runs' folders keep it.
"""

import dataclasses
from typing import Any

from jaxact.comparison.study import MISSING, Row, Run, Study
from jaxact.runs.process import shared_machine


def is_marked(run: Run) -> bool:
    """Whether a run that has ended was made beside other work: its seconds are not its own."""
    return run.status != MISSING and shared_machine.is_beside(run.environment)


def without_seconds(study: Study, everywhere: bool = False) -> Study:
    """The study without seconds, latencies and rates of the runs made beside other work.

    On a workload, the other runs of the same seed lose theirs as well: seeds are pairs, and a
    median over some seeds of one activation is not held against that over others of another. Where
    each has its own learning rate, those of the seed at all rates do.

    Args:
      everywhere: every run loses them.
    """

    def pair(run: Run) -> tuple[str, float | None, int]:
        return run.dataset, None if study.plan.rate_seeds else run.learning_rate, run.seed

    hidden = {pair(run) for run in study.runs if everywhere or is_marked(run)}
    runs = (untimed(run) if pair(run) in hidden else run for run in study.runs)
    return dataclasses.replace(study, runs=tuple(runs))


def untimed(run: Run) -> Run:
    """A run without its seconds, latencies and rates."""
    metrics = tuple(map(_without_times, run.metrics))
    return dataclasses.replace(
        run, is_timed=False, summary=_without_times(run.summary), metrics=metrics
    )


def _without_times(record: Row) -> dict[str, Any]:
    is_time = lambda name: "second" in name or name.endswith("_ms")  # noqa: E731
    return {name: value for name, value in record.items() if not is_time(name)}


def notes(study: Study) -> list[str]:
    """A line on the seconds that `without_seconds` left out, where it did, and why."""
    made = [run for run in study.runs if run.status != MISSING]
    hidden, marked = [run for run in made if not run.is_timed], [*filter(is_marked, made)]
    if not hidden:
        return []
    if not marked:
        return ["no seconds are shown, as --without_seconds asks"]
    pairs = "; those of the same seed go with them" if len(hidden) > len(marked) else ""
    machine = [run for run in marked if shared_machine.is_marked(run.environment)]
    reasons = [
        f"{len(machine)} were made on a machine with other work ({shared_machine.VARIABLE})"
    ] * bool(machine)
    if at_once := [run for run in marked if shared_machine.is_at_once(run.environment)]:
        reasons.append(f"{len(at_once)} were trained several seeds at once")
    return [
        f"no seconds are shown of {len(hidden)} of {len(made)} runs: {', '.join(reasons)}{pairs}"
    ]
