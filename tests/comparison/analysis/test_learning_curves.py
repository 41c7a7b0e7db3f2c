"""Curves: medians with misses, and notes on lost runs."""

import math

import numpy as np
import pytest

from jaxact import statistics
from jaxact.comparison.analysis import learning_curves
from jaxact.comparison.output.parts import lost_note
from jaxact.comparison.study import DONE, Run
from tests.support.studies import synthetic_study


def runs_of(study, spec="relu"):
    return study.made(study.workloads()[0], spec)


def run(values, status=DONE):
    rows = tuple({"epoch": k + 1, "test_loss": value} for k, value in enumerate(values))
    return Run("mnist", 1e-3, "relu", 0, status=status, metrics=rows)


def test_medians_and_intervals_are_the_statistics():
    runs = runs_of(synthetic_study(seeds=5, epochs=6))
    curve = learning_curves.curve(runs, "test_accuracy", -math.inf)
    for k, epoch in enumerate(curve.epochs):
        values = [run.metrics[k]["test_accuracy"] for run in runs]
        assert epoch == k + 1
        assert (curve.median[k], curve.low[k], curve.high[k]) == statistics.median(values)


def test_a_lost_run_counts_as_worst_from_its_end_on():
    runs = [run([3.0, 2.0, 1.0]), run([3.0, 1.0, 0.5]), run([2.0], "diverged")]
    curve = learning_curves.curve(runs, "test_loss", math.inf)
    assert curve.median.tolist() == [3.0, 2.0, 1.0]
    assert curve.high.tolist() == [3.0, math.inf, math.inf]


def test_no_median_where_half_are_lost():
    curve = learning_curves.curve([run([3.0, 2.0]), run([2.0], "failed")], "test_loss", math.inf)
    assert curve.median[0] == 2.5
    assert np.isnan([curve.median[1], curve.low[1], curve.high[1]]).all()


@pytest.mark.parametrize("runs", [[], [run([], "failed")]])
def test_nothing_gives_an_empty_curve(runs):
    assert [values.shape for values in learning_curves.curve(runs, "test_loss", math.inf)] == [
        (0,)
    ] * 4


def test_lost_runs_are_noted():
    study = synthetic_study(2, 3, 4, diverged={("relu", 0)}, failed={("relu", 1)})
    assert lost_note(runs_of(study)) == " (1 of 3 diverged, 1 of 3 failed)"
    assert lost_note(runs_of(study, "tanh")) == ""
