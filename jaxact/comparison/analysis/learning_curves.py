"""What figures of a study show, as plain arrays; a run that diverged or failed counts as a miss."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxact import data, statistics
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING, Run, Study, Workload


class Curve(NamedTuple):
    """A figure of every epoch over the runs of an activation; all of shape [epochs].

    Attributes:
      epochs: from 1.
      median: over the runs; nan where no run has the figure, or where half of them were lost.
      low, high: its 95 % interval; nan with fewer than two runs, infinite where lost runs make it.
    """

    epochs: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray


def made(runs: Sequence[Run]) -> list[Run]:
    """The runs that came to an end, good or bad: all but those not made yet."""
    return [run for run in runs if run.status != MISSING]


def curve(runs: Sequence[Run], field: str, lost: float) -> Curve:
    """The median of `field` of `metrics.jsonl` and its interval, epoch by epoch.

    Args:
      runs: of one activation on one workload.
      field: such as `test_accuracy`.
      lost: what a run that diverged or failed counts as after its last epoch: -inf where high is
        good, inf where low is.
    """
    runs = made(runs)
    length = max((row["epoch"] for run in runs for row in run.metrics), default=0)
    values = np.full((len(runs), length), math.nan)
    for k, run in enumerate(runs):
        if run.status != DONE:
            last = max((row["epoch"] for row in run.metrics), default=0)
            values[k, last:] = lost
        for row in run.metrics:
            if row.get(field) is not None:
                values[k, row["epoch"] - 1] = row[field]
    estimates = [statistics.median(column.tolist()) for column in values.T]
    median, low, high = np.array(estimates, float).reshape(length, 3).T
    is_lost = np.isinf(median)
    return Curve(
        epochs=np.arange(1, length + 1),
        median=np.where(is_lost, math.nan, median),
        low=np.where(is_lost, math.nan, low),
        high=np.where(is_lost, math.nan, high),
    )


def seconds_to_target(runs: Sequence[Run]) -> list[float]:
    """Training seconds to the target of each run that was made; inf for a miss."""
    return [
        math.inf if (seconds := run.summary.get("seconds_to_target")) is None else seconds
        for run in made(runs)
    ]


def train_seconds(runs: Sequence[Run]) -> float:
    """How long the longest run trained; 0 if none did."""
    return max((row["train_seconds"] for run in runs for row in run.metrics), default=0.0)


def lost_note(runs: Sequence[Run]) -> str:
    """` (1 of 3 diverged)` for the legend, or "" where every run was trained to its end."""
    runs = made(runs)
    counts = {
        word: sum(run.status == status for run in runs)
        for status, word in ((DIVERGED, "diverged"), (FAILED, "failed"))
    }
    parts = [f"{count} of {len(runs)} {word}" for word, count in counts.items() if count]
    return f" ({', '.join(parts)})" if parts else ""


def title_of(study: Study, workload: Workload) -> str:
    """What was trained: `small_cnn on mnist, learning rate 0.001`."""
    config = study.plan.config
    name = data.title(workload.dataset)
    return f"{config.model} on {name}, learning rate {workload.learning_rate:g}"


def target_of(study: Study, workload: Workload) -> float:
    """The accuracy to reach, from 0 to 1: what the runs were trained with, else the plan's."""
    summaries = [run.summary for run in study.runs if run.dataset == workload.dataset]
    targets = [summary["target_accuracy"] for summary in summaries if summary]
    return targets[0] if targets else study.plan.config.target_accuracy
