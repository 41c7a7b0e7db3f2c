"""The figures of a run that activations are compared by, and how those of many seeds are put.

A run that was not made is nan, and has no part in anything. One that diverged or failed never
reached the target: infinite; what it would have ended with is unknown: nan.
"""

import math
from collections.abc import Callable

from jaxact.comparison.study import DONE, MISSING, Run, Study, Workload

Measure = Callable[[Run], float]


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def seconds_to_target(run: Run) -> float:
    """Training seconds to the end of the first epoch at the target."""
    return _to_target(run, "seconds_to_target")


def epoch_to_target(run: Run) -> float:
    return _to_target(run, "epoch_to_target")


def _to_target(run: Run, name: str) -> float:
    if run.status == MISSING:
        return math.nan
    value = run.summary.get(name)
    return math.inf if value is None else float(value)


def train_seconds(run: Run) -> float:
    """Of the whole training."""
    return _or_nan(run.summary.get("train_seconds"))


def error_percent(run: Run) -> float:
    """On the test set, after the last epoch."""
    return _or_nan(run.summary.get("error_percent"))


def latency_ms(run: Run) -> float:
    """Mean of one sample, as the paper and DAWNBench have it."""
    return _or_nan((run.summary.get("latency_ms") or {}).get("mean"))


def latency_floor_ms(run: Run) -> float:
    """Of a dispatch that does nothing: latencies that differ by less are ties."""
    return _or_nan((run.summary.get("latency_ms") or {}).get("dispatch_floor_p50"))


def step_ms(batch_size: int) -> Measure:
    """Of one training step of a batch, in the mean over the training."""

    def measure(run: Run) -> float:
        rate = run.summary.get("images_per_second")
        return math.nan if rate is None else 1000 * batch_size / rate

    return measure


def parameters(run: Run) -> float:
    return _or_nan(run.summary.get("parameters"))


def train_memory_mib(run: Run) -> float:
    """Held by the compiled training steps: data, state and temporaries."""
    return _or_nan(run.summary.get("train_memory_bytes")) / 2**20


def by_seed(study: Study, workload: Workload, measure: Measure) -> dict[str, list[float]]:
    """Every activation's figures in the order of the seeds, so that positions are pairs."""
    return {
        activation: [measure(run) for run in study.of(workload, activation)]
        for activation in study.plan.activations
    }


def made(study: Study, workload: Workload, activation: str) -> list[Run]:
    """The runs that came to an end of some kind."""
    return [run for run in study.of(workload, activation) if run.status != MISSING]


def reached(runs: list[Run]) -> int:
    """How many are known to have reached the target."""
    return sum(run.status == DONE and bool(run.summary["reached_target"]) for run in runs)
