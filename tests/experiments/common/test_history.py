"""Networks trained in memory: the same as a run's, and what is read off their curves."""

import dataclasses
import math

import pytest

from experiments.common import history
from jaxact.config import Config
from jaxact.runs import fit
from jaxact.runs.records import record_files
from jaxact.runs.setup import prepare

HISTORY = history.History(None, [0.5, 0.1, 0.2, 0.05], [1.0] * 4, [1.5, 3.0, 4.5, 6.0], True)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("accuracy", "epochs", "seconds"), [(0.5, 1, 1.5), (0.9, 2, 3.0), (0.93, 4, 6.0)]
)
def test_the_target_is_reached_at_the_first_epoch_that_has_it(accuracy, epochs, seconds):
    assert HISTORY.epochs_to(accuracy) == epochs
    assert HISTORY.seconds_to(accuracy) == seconds


def test_a_target_that_is_never_reached_is_infinite():
    assert HISTORY.epochs_to(0.99) == HISTORY.seconds_to(0.99) == math.inf


def test_a_history_is_that_of_a_run(tmp_path):
    config = dataclasses.replace(
        Config(), model="thin_cnn", train_examples=64, test_examples=30, batch_size=32, epochs=2,
        seed=3, latency_samples=0, health_examples=0, augmentation="flip,crop",
        steps_per_dispatch=1,
    )  # fmt: skip
    seen = history.train(prepare(dataclasses.replace(config, seed=0)), seed=3)
    fit.fit(config, tmp_path / "run")
    rows = record_files.read_rows(tmp_path / "run" / record_files.METRICS)
    assert seen.errors == [1 - row["test_accuracy"] for row in rows]
    assert seen.losses == pytest.approx([row["train_loss"] for row in rows], rel=1e-6)
    assert seen.is_finite
    assert seen.seconds == sorted(seen.seconds)
