"""Metrics and health by epoch over the runs of an activation, as plain arrays."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxact import statistics
from jaxact.comparison.study import DONE, Run, Study, Workload


class Curve(NamedTuple):
    """A figure of every epoch over the runs of an activation; all of shape [epochs].

    Attributes:
      epochs: from 1.
      median: over the runs; nan where no run has the figure, or where half of them were lost.
      low, high: its interval; nan with fewer than two runs, infinite where lost runs make it.
    """

    epochs: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray


def curve(runs: Sequence[Run], field: str, lost: float) -> Curve:
    """The median of `field` of `metrics.jsonl` and its interval, epoch by epoch.

    Args:
      runs: of one activation on one workload, without those not made.
      field: such as `test_accuracy`.
      lost: what a run that diverged or failed counts as after its last epoch: -inf where high is
        good, inf where low is.
    """
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


def heat_maps(
    study: Study, workload: Workload, field: str
) -> tuple[list[str], dict[str, np.ndarray]]:
    """The layers, and by activation the medians over runs of a field of `health.jsonl`.

    Returns:
      Names of layers in the network's order; arrays [layers, epochs], nan where there is nothing.
      Activations without health rows are left out.
    """
    runs = {spec: study.of(workload, spec) for spec in study.plan.activations}
    runs = {spec: [run for run in of_spec if run.health] for spec, of_spec in runs.items()}
    rows = [row for of_spec in runs.values() for run in of_spec for row in run.health]
    layers = list(dict.fromkeys(layer["layer"] for row in rows for layer in row["layers"]))
    epochs = max((row["epoch"] for row in rows), default=0)
    maps = {}
    for spec, of_spec in runs.items():
        if not of_spec:
            continue
        values = np.full((len(of_spec), len(layers), epochs), math.nan)
        for k, run in enumerate(of_spec):
            for row in run.health:
                for layer in row["layers"]:
                    if layer.get(field) is not None:
                        values[k, layers.index(layer["layer"]), row["epoch"] - 1] = layer[field]
        maps[spec] = _median_of_runs(values)
    return layers, maps


def _median_of_runs(values: np.ndarray) -> np.ndarray:
    """The median over the first axis, without nan; nan where there is nothing else."""
    median = np.full(values.shape[1:], math.nan)
    has_any = ~np.isnan(values).all(0)
    median[has_any] = np.nanmedian(values[:, has_any], 0)
    return median
