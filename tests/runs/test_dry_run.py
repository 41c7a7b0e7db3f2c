"""Estimates of runs: a few steps measured, carried on to all epochs, and nothing written."""

import dataclasses
import json

import pytest

from jaxact import main
from jaxact.compilation.clock import Clock
from jaxact.runs import dry_run, estimate, fit
from jaxact.runs.estimate import Cost, Span
from jaxact.runs.records import checkpoint, record_files
from jaxact.runs.setup import initial_state, prepare
from tests.support.tiny import TINY, words

COST = Cost(
    step=Span(1.0, 2.0, 4.0),
    epoch_end=Span(0.5, 1.0, 2.0),
    end=Span(10.0, 20.0, 30.0),
    compilation=Span(1.0, 2.0, 3.0),
    cold_compilation=Span(5.0, 6.0, 7.0),
    steps_per_epoch=10,
    patience_epochs=None,
    program_bytes=2**20,
    checkpoint_bytes=2**21,
)


def test_a_run_takes_its_epochs_and_its_end():
    seconds = COST.seconds(3)
    assert seconds.low == 3 * (10 * 1 + 0.5) + 10
    assert seconds.likely == 3 * (10 * 2 + 1) + 20
    assert seconds.high == pytest.approx(1.02 * 3 * (10 * 4 + 2) + 30)  # checkpoints on the way
    assert COST.seconds(0) == COST.end


def test_early_stopping_may_end_a_run_after_its_patience():
    stopping = dataclasses.replace(COST, patience_epochs=4)
    assert stopping.seconds(20).low == COST.seconds(5).low
    assert stopping.seconds(20).likely == COST.seconds(20).likely
    assert stopping.seconds(3).low == COST.seconds(3).low


def test_a_run_leaves_one_checkpoint_or_all_that_are_kept():
    least, most = COST.disk_bytes(2)
    assert most > checkpoint.KEPT * COST.checkpoint_bytes
    assert estimate.PACKED * COST.checkpoint_bytes < least < COST.checkpoint_bytes
    assert COST.disk_bytes(9)[0] > least


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        cost = estimate.measure(TINY)
    assert list(folder.iterdir()) == []
    return cost


def test_a_cost_is_that_of_the_runs_own_programs(measured, tiny, tmp_path):
    assert measured.steps_per_epoch == tiny.train_examples // tiny.batch_size
    for span in (measured.step, measured.epoch_end, measured.end, measured.compilation):
        assert 0 < span.low <= span.likely <= span.high
    summary = fit.fit(tiny, tmp_path)
    assert measured.program_bytes == summary["train_memory_bytes"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    _, most = measured.disk_bytes(tiny.epochs)
    assert 0 < sum(path.stat().st_size for path in files) < most


def test_latency_and_the_examination_of_layers_have_their_share(tiny):
    setup = prepare(dataclasses.replace(tiny, health_examples=0, latency_samples=0))
    state = initial_state(setup, Clock())
    assert estimate.examination_seconds(setup, state) == 0
    assert estimate.classification_seconds(setup, state) == 0
    setup = prepare(dataclasses.replace(tiny, health_examples=9, latency_samples=10**6))
    assert estimate.examination_seconds(setup, state) > 0
    assert estimate.classification_seconds(setup, state) > 1  # a million takes a while anywhere


def run(*arguments, capsys):
    code = main.COMMAND.run(main.train, [*words(), "--dry_run", *arguments])
    return code, *capsys.readouterr()


@pytest.fixture
def known(monkeypatch):
    """Costs that are known without a measurement."""
    monkeypatch.setattr(estimate, "measure", lambda config: COST)


@pytest.mark.usefixtures("known")
def test_the_command_tells_what_a_new_run_takes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, printed, said = run(capsys=capsys)
    assert (code, said) == (0, "")
    assert "thin_cnn on digits with relu, seed 0" in printed
    assert "epochs: 2, of which 2 are to be trained" in printed
    assert "time: about 67 s, from 34.4 s to 2.05 min\n" in printed
    assert "memory: at most about " in printed
    assert "disk: 1.84 MiB to 4.04 MiB" in printed
    assert list(tmp_path.iterdir()) == []


def left_of(folder, epochs_done, **config):
    """A folder as a run leaves it that was stopped after some epochs."""
    (folder / record_files.CHECKPOINTS / "9").mkdir(parents=True)
    (folder / record_files.CONFIG).write_text(json.dumps(config))
    rows = "".join(json.dumps({"epoch": k + 1}) + "\n" for k in range(epochs_done))
    (folder / record_files.METRICS).write_text(rows)


@pytest.mark.usefixtures("known")
def test_of_a_run_that_was_stopped_the_rest_is_estimated(tmp_path, tiny, capsys):
    folder = tmp_path / "run"
    left_of(folder, 1, **dataclasses.asdict(tiny))
    before = sorted(folder.rglob("*"))
    code, printed, _ = run(f"--workdir={folder}", capsys=capsys)
    assert code == 0
    assert "epochs: 2, of which 1 are to be trained" in printed
    assert sorted(folder.rglob("*")) == before


@pytest.mark.usefixtures("known")
def test_what_the_run_would_be_refused_for_is_told(tmp_path, tiny, capsys):
    left_of(tmp_path / "run", 1, **dataclasses.asdict(dataclasses.replace(tiny, seed=5)))
    code, printed, said = run(f"--workdir={tmp_path / 'run'}", capsys=capsys)
    assert (code, printed, said.count("\n")) == (2, "", 1)
    assert said.startswith("jaxact: ")
    assert "seed (5 there, 0 now)" in said


def test_a_disk_without_the_room_is_warned_of(tmp_path):
    assert dry_run.disk_warning(tmp_path / "new" / "folder", 0) == []
    (warning,) = dry_run.disk_warning(tmp_path / "new" / "folder", 2**60)
    assert warning.startswith("warning: ")
    assert str(tmp_path) in warning
