"""A run that stops at a planted epoch, keeps the best one's parameters, and survives being killed.

Validation losses are planted, so that the best epoch and the last are known; all else is real.
"""

import contextlib
import dataclasses

import jax
import numpy as np
import pytest

from jaxact.compilation.clock import Clock
from jaxact.config import check, default_config
from jaxact.errors import ConfigError, Interrupted
from jaxact.runs import epoch_end, fit, summary
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.progress import ProgressView
from jaxact.runs.records import record_files
from jaxact.runs.records.checkpoint import Checkpoints
from jaxact.runs.setup import prepare
from jaxact.training import early_stopping
from tests.support.stopping import StopAfter
from tests.support.tiny import TINY

PLANTED = [0.9, 0.3, 0.5, 0.3, 0.1, 0.1]  # the best two epochs later are never seen
BEST, LAST, PATIENCE = 2, 4, 2


def rows_of(*losses):
    return [{"epoch": k, "validation_loss": loss} for k, loss in enumerate(losses, 1)]


@pytest.mark.parametrize(
    ("losses", "best"), [((1.0,), 1), ((3, 2, 1), 3), ((1, 2, 3), 1), ((2, 1, 1), 2)]
)
def test_the_best_epoch_is_the_first_of_the_lowest(losses, best):
    assert early_stopping.best_epoch(rows_of(*losses)) == best


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_it_is_over_when_patience_is_spent_since_the_best(patience):
    losses = [5.0, 4.0, 4.5, 4.2, 4.0, 1.0]
    over = [early_stopping.is_over(rows_of(*losses[:k]), patience) for k in range(6)]
    assert over.index(True) == 2 + patience
    assert not early_stopping.is_over(rows_of(*losses), patience)  # a new best begins anew
    assert not early_stopping.is_over(rows_of(*losses[:5]), None)


def test_the_test_set_is_not_what_a_run_may_be_stopped_by():
    config = default_config()
    config.early_stopping_epochs = 3
    with pytest.raises(ConfigError, match=r"early_stopping_epochs=3 needs config\.eval_split=val"):
        check(config)
    config.eval_split = "validation"
    assert check(config).early_stopping_epochs == 3


CONFIG = dataclasses.replace(
    TINY,
    train_examples=32,
    batch_size=8,
    eval_split="validation",
    early_stopping_epochs=PATIENCE,
    epochs=len(PLANTED),
    target_accuracy=0.0,
    steps_per_dispatch=1,
    health_examples=0,
)


@pytest.fixture(scope="module", autouse=True)
def planted():
    """Validation losses are the planted ones."""
    real = epoch_end.evaluate

    def evaluate(setup, clock, state, split, epoch):
        scores = real(setup, clock, state, split, epoch)
        if split != "test":
            scores.figures["validation_loss"] = PLANTED[epoch - 1]
        return scores

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(epoch_end, "evaluate", evaluate)
        yield


def last_snapshot(workdir, config=CONFIG):
    setup = prepare(config)
    with Checkpoints(workdir / record_files.CHECKPOINTS) as checkpoints:
        run = fit.Run(workdir, Clock(), checkpoints, StopRequest())
        return fit.begin(setup, run)


def without_times(record):
    is_time = lambda name: name.endswith(("_seconds", "_per_second", "_bytes"))  # noqa: E731
    kept = {name: value for name, value in record.items() if not is_time(name)}
    return {name: value for name, value in kept.items() if name != "seconds_to_target"}


def rows_in(workdir):
    return [without_times(row) for row in record_files.read_rows(workdir / record_files.METRICS)]


def assert_equal(first, second):
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_a_run_stops_and_ends_in_the_parameters_of_its_best_epoch(tmp_path, monkeypatch, capsys):
    timed = []
    keep = lambda classifier, variables, *_: timed.append(variables) or {}  # noqa: E731
    monkeypatch.setattr(summary.latency, "measure", keep)
    config = dataclasses.replace(CONFIG, latency_samples=1)
    result = fit.fit(config, tmp_path / "run")
    assert (result["stopped_early"], result["best_epoch"]) == (True, BEST)
    assert (result["epochs"], result["epochs_trained"]) == (len(PLANTED), LAST)
    assert f"epoch {BEST}, whose parameters are kept" in capsys.readouterr().err

    # A run of as many epochs as the best one had ends in the same.
    until_best = dataclasses.replace(CONFIG, epochs=BEST, early_stopping_epochs=None)
    expected = fit.fit(until_best, tmp_path / "until_best")
    for name in ("test_loss", "test_accuracy", "error_percent"):
        assert result[name] == expected[name]
    snapshot = last_snapshot(tmp_path / "run", config)
    reference = last_snapshot(tmp_path / "until_best", until_best)
    assert_equal(snapshot.chosen.params, reference.state.params)
    assert_equal(timed[0][0]["params"], reference.state.params)
    assert int(snapshot.state.step) == 4 * LAST

    rows = rows_in(tmp_path / "run")
    assert [row["validation_loss"] for row in rows] == PLANTED[:LAST]
    assert [row["test_loss"] is not None for row in rows] == [k == BEST for k in range(1, LAST + 1)]
    assert rows[BEST - 1] == rows_in(tmp_path / "until_best")[-1] | {
        "validation_loss": PLANTED[BEST - 1]
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupts: its summary, its rows, and its last snapshot."""
    workdir = tmp_path_factory.mktemp("whole") / "run"
    result = without_times(fit.fit(CONFIG, workdir))
    return result, rows_in(workdir), last_snapshot(workdir)


def test_a_run_that_is_not_stopped_keeps_its_best_epoch_too(tmp_path, whole):
    result = fit.fit(dataclasses.replace(CONFIG, epochs=3), tmp_path / "run")
    assert (result["stopped_early"], result["best_epoch"]) == (False, BEST)
    assert result["test_loss"] == rows_in(tmp_path / "run")[BEST - 1]["test_loss"]
    # More epochs go on from the last epoch and not from the best.
    result = fit.fit(CONFIG, tmp_path / "run")
    assert result["stopped_early"]
    assert rows_in(tmp_path / "run") == whole[1]
    # It has stopped for good, however many epochs it is given.
    result = fit.fit(dataclasses.replace(CONFIG, epochs=9), tmp_path / "run")
    assert (result["epochs"], result["epochs_trained"]) == (9, LAST)
    assert rows_in(tmp_path / "run") == whole[1]


class Killed(Exception):
    """Ends a run as SIGKILL does: between the row of an epoch and its checkpoint."""


class KillAt(ProgressView):
    epoch = 0

    def after_epoch(self, row, split):
        if row["epoch"] == self.epoch:
            raise Killed


def assert_goes_on(config, workdir, whole):
    """A run that was interrupted ends as the whole one."""
    assert not (workdir / record_files.SUMMARY).exists()
    result, rows, expected = whole
    assert without_times(fit.fit(config, workdir)) == result
    assert rows_in(workdir) == rows
    snapshot = last_snapshot(workdir)
    assert_equal((snapshot.state, snapshot.best), (expected.state, expected.best))


# Before the first row, just after the best epoch, in the next, and in the one that is the last.
@pytest.mark.parametrize("looks", [2, 8, 10, 14])
def test_a_stopped_run_goes_on_with_its_best_epoch(tmp_path, whole, looks):
    config = dataclasses.replace(CONFIG, checkpoint_every_epochs=3)
    with pytest.raises(Interrupted, match="SIGTERM"):
        fit.fit(config, tmp_path / "run", stop=StopAfter(looks))
    assert_goes_on(config, tmp_path / "run", whole)


# Every second epoch saved, the first and the third leave what they leave with every one saved.
@pytest.mark.parametrize(("every", "epoch"), [(1, 1), (1, 2), (1, 3), (1, 4), (2, 2), (2, 4)])
def test_a_killed_run_goes_on_with_its_best_epoch(tmp_path, monkeypatch, whole, every, epoch):
    config = dataclasses.replace(CONFIG, checkpoint_every_epochs=every)
    monkeypatch.setattr(KillAt, "epoch", epoch)
    with contextlib.suppress(Killed):
        fit.fit(config, tmp_path / "run", follow=KillAt)
    assert_goes_on(config, tmp_path / "run", whole)
