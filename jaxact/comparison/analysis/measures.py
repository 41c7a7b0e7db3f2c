"""The figures of a run that activations are compared by, and how those of many seeds are put.

A run that was not made is nan, and has no part in anything. One that diverged or failed never
reached the target: infinite; what it would have ended with is unknown: nan.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxact import statistics
from jaxact.comparison.analysis import machines
from jaxact.comparison.price import Price
from jaxact.comparison.study import DONE, MISSING, Run, Study, Workload
from jaxact.config import Config

Measure = Callable[[Run], float]
# Test images of published data sets, for runs of versions that did not record how many.
_TEN_THOUSAND = ("mnist", "fashion_mnist", "cifar10", "cifar100")
CLASSIFICATIONS = 10_000  # whose cost DAWNBench asks for


class Profile(NamedTuple):
    """A performance profile.

    Attributes:
      ratios: to the soonest time, from 1 to a little beyond the last at which a share rises.
      shares: each activation's, of the workloads.
      workloads: how many.
    """

    ratios: np.ndarray
    shares: dict[str, np.ndarray]
    workloads: int


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def seconds_to_target(run: Run) -> float:
    """Training seconds to the end of the first epoch at the target; nan where none are shown."""
    return _to_target(run, "seconds_to_target") if run.is_timed else math.nan


def epoch_to_target(run: Run) -> float:
    return _to_target(run, "epoch_to_target")


def _to_target(run: Run, name: str) -> float:
    if run.status == MISSING:
        return math.nan
    unknown = math.nan if run.status == DONE else None  # of a run made elsewhere
    value = run.summary.get(name, unknown)
    return math.inf if value is None else float(value)


class TimeAxis(NamedTuple):
    """The axis along which activations reach the target.

    Attributes:
      measure: of a run, where on the axis it did.
      field: of `metrics.jsonl`, where an epoch ended.
      title, unit: of the axis, and of its numbers.
      reading: a number in words.
    """

    measure: Measure
    field: str
    title: str
    unit: str
    reading: str


SECONDS = TimeAxis(seconds_to_target, "train_seconds", "training time (s)", "s", "{} s")
EPOCHS = TimeAxis(epoch_to_target, "epoch", "epoch", "epochs", "epoch {}")


def time_axis(study: Study, workload: Workload) -> TimeAxis:
    """Seconds; epochs where runs have ended, and none shows seconds that can be ranked."""
    made = [run for name in study.plan.activations for run in study.made(workload, name)]
    is_ranked = any(run.is_timed for run in made) and machines.are_ranked(made)
    return SECONDS if is_ranked or not made else EPOCHS


def on_axis(axis: TimeAxis, runs: Sequence[Run]) -> list[Run]:
    """The runs that have a place on an axis, if only at its infinite end."""
    return [run for run in runs if not math.isnan(axis.measure(run))]


def cost_to_target(price: Price) -> Measure:
    """The cost of the training seconds to the target; no more than they is counted."""
    return lambda run: price.of_seconds(seconds_to_target(run))


def cost_of_classifications(price: Price) -> Measure:
    """The cost of 10,000 classifications, one after the other, at the mean latency of one."""
    return lambda run: price.of_seconds(CLASSIFICATIONS * latency_ms(run) / 1000)


def train_seconds(run: Run) -> float:
    """Seconds of the whole training."""
    return _or_nan(run.summary.get("train_seconds"))


def error_percent(run: Run) -> float:
    """Error on the test set after the last epoch, in percent."""
    return _or_nan(run.summary.get("error_percent"))


def latency_ms(run: Run) -> float:
    """Mean of one sample, as the paper and DAWNBench have it."""
    return _or_nan((run.summary.get("latency_ms") or {}).get("mean"))


def latency_floor_ms(run: Run) -> float:
    """The latency of a dispatch that does nothing: latencies that differ by less are ties."""
    return _or_nan((run.summary.get("latency_ms") or {}).get("dispatch_floor_p50"))


def step_ms(config: Config) -> Measure:
    """Milliseconds of a training step, in the mean over the training."""

    def measure(run: Run) -> float:
        rate = run.summary.get("images_per_second")
        return math.nan if rate is None else 1000 * config.batch_size / rate

    return measure


def parameters(run: Run) -> float:
    return _or_nan(run.summary.get("parameters"))


def parameters_ratio(run: Run) -> float:
    """Parameters over those of the same network with ReLU."""
    return parameters(run) / _or_nan(run.summary.get("parameters_with_relu"))


def train_memory_mib(run: Run) -> float:
    """Held by the compiled training steps: data, state and temporaries."""
    return _or_nan(run.summary.get("train_memory_bytes")) / 2**20


def test_examples(study: Study, workload: Workload) -> int:
    """The number of test images of a workload; 0 where it is not known."""
    runs = [run for spec in study.plan.activations for run in study.of(workload, spec)]
    recorded = max((run.summary.get("test_examples", 0) for run in runs), default=0)
    if not recorded and study.plan.elsewhere is None and workload.dataset in _TEN_THOUSAND:
        return study.plan.config.test_examples or 10_000
    return recorded


def most_seeds(study: Study) -> int:
    """The largest number of seeds of which an activation has runs, by which intervals are named."""
    return max(
        len(study.made(workload, name))
        for workload in study.workloads()
        for name in study.plan.activations
    )


def by_seed(study: Study, workload: Workload, measure: Measure) -> dict[str, list[float]]:
    """Every activation's figures in the order of the seeds, so that positions are pairs."""
    return {
        activation: [measure(run) for run in study.of(workload, activation)]
        for activation in study.plan.activations
    }


def reached(runs: Sequence[Run]) -> int:
    """The number of runs known to have reached the target."""
    return sum(run.status == DONE and bool(run.summary.get("reached_target")) for run in runs)


def count_statuses(runs: Sequence[Run], words: Mapping[str, str]) -> str:
    """`2 diverged, 1 to do`: how many runs have each status, by its words; "" where none has."""
    counts = Counter(run.status for run in runs)
    return ", ".join(f"{counts[status]} {word}" for status, word in words.items() if counts[status])


def reached_over_time(
    runs: Sequence[Run], axis: TimeAxis = SECONDS
) -> tuple[np.ndarray, np.ndarray]:
    """Places on an axis and the share of runs at the target from each on.

    Where a run missed the target, the last share stands for as long as the longest run trained.

    Args:
      runs: that have a place on it.
      axis: of seconds or epochs.
    """
    times = [axis.measure(run) for run in runs]
    at, shares = statistics.reached_over_time(times)
    trained = max((row[axis.field] for run in runs for row in run.metrics), default=0.0)
    if not np.isfinite(times).all() and trained > at[-1]:
        return np.append(at, trained), np.append(shares, shares[-1])
    return at, shares


def performance_profile(study: Study) -> Profile | None:
    """The profile of the median times to the target over the workloads that all have run.

    Of each data set one: where rates were chosen, each at its own.

    Returns:
      None with fewer than two such workloads, or if nobody solved one, or their seconds are not
      ranked.
    """
    medians = {name: [] for name in study.plan.activations}
    for workload in study.workloads():
        if study.plan.own_rates and workload.learning_rate is not None:
            continue
        if time_axis(study, workload) is not SECONDS:
            return None
        for name, times in by_seed(study, workload, seconds_to_target).items():
            medians[name].append(statistics.median(times).value)
    table = np.array(list(medians.values()))
    is_whole = ~np.isnan(table).any(axis=0)
    is_solved = is_whole & np.isfinite(table).any(axis=0)
    if is_whole.sum() < 2 or not is_solved.any():
        return None
    slower = table[:, is_solved] / table[:, is_solved].min(axis=0)
    ratios = np.unique(np.append(slower[np.isfinite(slower)], 1.0))
    ratios = np.append(ratios, 1.05 * ratios[-1])  # so that the last step is seen
    shares = statistics.performance_profile(medians, ratios)
    return Profile(ratios, shares, int(is_whole.sum()))
