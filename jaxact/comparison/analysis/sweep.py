"""A sweep of learning rates: each activation at its own best rate beside the common one.

The rate decides rankings, so a comparison at one rate favours whom it suits. An activation's own
best is the rate with the lowest median time to the target, and among those that never reach it the
lowest mean error. It is chosen on the same runs that it is then shown with, which flatters every
activation alike.
"""

import math
from typing import Any

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.study import Study, Workload
from jaxact.presentation.columns import Column, Row, mark_best, with_interval

COLUMNS = (
    Column("activation", "activation"),
    Column("seconds_to_target", "s to target", "{:.2f}", "low", True),
    Column("error_percent", "error %", "{:.2f}", "low", True),
    Column("best_rate", "own best rate", "{:g}"),
    Column("best_seconds_to_target", "s to target", "{:.2f}", "low", True),
    Column("best_error_percent", "error %", "{:.2f}", "low", True),
)


def is_sweep(study: Study) -> bool:
    return len(study.plan.learning_rates) > 1


def best_rate(study: Study, dataset: str, activation: str) -> float | None:
    """The activation's own best rate on a data set; None without a run that ended well."""

    def merit(rate: float) -> tuple[float, float]:
        runs = study.of(Workload(dataset, rate), activation)
        seconds = statistics.median([measures.seconds_to_target(run) for run in runs]).value
        error = statistics.mean([measures.error_percent(run) for run in runs]).value
        return _or_inf(seconds), _or_inf(error)

    merits = {rate: merit(rate) for rate in study.plan.learning_rates}
    best = min(merits, key=merits.__getitem__)
    return best if math.isfinite(merits[best][1]) else None


def _or_inf(value: float) -> float:
    return math.inf if math.isnan(value) else value


def rows(study: Study, dataset: str) -> list[Row]:
    """A row an activation: its figures at the common rate, its own best rate, its figures there.

    Keys: the names of `COLUMNS`, `<name>_low`, `<name>_high` and `best` as in `tables.rows`.
    """
    table = []
    for activation in study.plan.activations:
        rate = best_rate(study, dataset, activation)
        row: Row = {"activation": activation, "best": [], "is_baseline": False, "best_rate": rate}
        row |= _figures(study, dataset, activation, study.plan.common_rate, "")
        row |= _figures(study, dataset, activation, rate, "best_")
        table.append(row)
    mark_best(table, COLUMNS, {})
    return table


def _figures(
    study: Study, dataset: str, activation: str, rate: float | None, prefix: str
) -> dict[str, Any]:
    runs = [] if rate is None else study.of(Workload(dataset, rate), activation)
    seconds = statistics.median([measures.seconds_to_target(run) for run in runs])
    error = statistics.mean([measures.error_percent(run) for run in runs])
    return {
        **with_interval(f"{prefix}seconds_to_target", *seconds),
        **with_interval(f"{prefix}error_percent", *error),
    }


def title(study: Study, dataset: str) -> str:
    rates = ", ".join(f"{rate:g}" for rate in study.plan.learning_rates)
    return (
        f"{study.plan.config.model} on {study.plan.title(dataset)}: at the common rate "
        f"{study.plan.common_rate:g}, and each at its own best of {rates}"
    )
