"""Whole runs: the records they leave, and that a stopped run goes on as if it had not stopped."""

import contextlib
import dataclasses
import json
import signal
import sys

import jax
import numpy as np
import pytest

from jaxact.compilation.clock import Clock
from jaxact.errors import ConfigError, Interrupted, NonFiniteLossError
from jaxact.runs import dispatch, epoch_end, fit
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.records import record_files
from jaxact.runs.records.checkpoint import Checkpoints
from jaxact.runs.setup import initial_state, prepare
from jaxact.training import program
from tests.support.stopping import StopAfter
from tests.support.tiny import words

ROW_KEYS = {
    "epoch",
    "step",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "train_seconds",
    "eval_seconds",
    "compile_seconds",
    "wall_seconds",
    "images_per_second",
}
SUMMARY_KEYS = {
    "dataset",
    "model",
    "activation",
    "seed",
    "parameters",
    "epochs",
    "target_accuracy",
    "reached_target",
    "epoch_to_target",
    "seconds_to_target",
    "train_seconds",
    "compile_seconds",
    "wall_seconds",
    "test_accuracy",
    "error_percent",
    "images_per_second",
    "peak_memory_bytes",
    "latency_ms",
}
TIMES = {
    "train_seconds",
    "eval_seconds",
    "health_seconds",
    "compile_seconds",
    "wall_seconds",
    "images_per_second",
}


def rows_without_times(workdir):
    rows = record_files.read_rows(workdir / record_files.METRICS)
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


def final_state(config, workdir):
    """The last checkpoint's arrays."""
    setup = prepare(config)
    with Checkpoints(workdir / record_files.CHECKPOINTS) as checkpoints:
        run = fit.Run(workdir, Clock(), checkpoints, StopRequest())
        return jax.tree.map(np.asarray, fit.begin(setup, run).state)


def assert_same_run(config, first, second):
    assert rows_without_times(first) == rows_without_times(second)
    states = [final_state(config, workdir) for workdir in (first, second)]
    jax.tree.map(np.testing.assert_array_equal, *states)


@pytest.fixture
def nothing_kept():
    """No compiled program is looked for in a folder."""
    folder = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    jax.config.update("jax_compilation_cache_dir", folder)


@pytest.mark.usefixtures("nothing_kept")
def test_a_run_leaves_the_files_of_the_contract(tiny, tmp_path):
    config = dataclasses.replace(tiny, latency_samples=20, target_accuracy=0.05)
    summary = fit.fit(config, tmp_path / "run")
    workdir = tmp_path / "run"
    assert json.loads((workdir / "config.json").read_text()) == dataclasses.asdict(config)
    assert json.loads((workdir / "summary.json").read_text()) == summary
    assert summary.keys() >= SUMMARY_KEYS
    environment = json.loads((workdir / "environment.json").read_text())
    for name in ("jaxact", "python", "jax", "jaxlib", "flax", "optax", "orbax"):
        assert environment[name]
    assert environment["device_count"] >= 1
    assert {"device_kind", "cpu_model", "XLA_FLAGS", "matmul_precision", "git_commit"} <= set(
        environment
    )
    rows = record_files.read_rows(workdir / "metrics.jsonl")
    assert [row["epoch"] for row in rows] == [1, 2]
    assert [row["step"] for row in rows] == [4, 8]
    assert all(row.keys() >= ROW_KEYS for row in rows)
    assert (workdir / "checkpoints").is_dir()
    assert list((workdir / "tensorboard").glob("events.out.tfevents*"))
    assert summary["test_accuracy"] == rows[-1]["test_accuracy"]
    assert summary["error_percent"] == pytest.approx(100 * (1 - summary["test_accuracy"]))
    assert summary["epoch_to_target"] == 1
    assert summary["seconds_to_target"] == rows[0]["train_seconds"]
    assert summary["train_seconds"] == rows[-1]["train_seconds"]
    assert summary["parameters"] == 1_490
    assert summary["compilation_cache"] == "off"
    # at least the training images, which are an argument of the compiled steps
    assert 300 * 8 * 8 < summary["train_memory_bytes"] < 2**30
    latency = summary["latency_ms"]
    assert latency["samples"] == 20
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p95"] <= latency["p99"]
    assert {"mean", "host_p50", "dispatch_floor_p50"} <= latency.keys()


def test_a_runs_memory_is_that_of_its_own_images(tiny, tmp_path):
    few = dataclasses.replace(tiny, epochs=1, health_examples=0)
    more = dataclasses.replace(few, train_examples=None)
    of_more, of_few = (
        fit.fit(config, tmp_path / str(config.train_examples))["train_memory_bytes"]
        for config in (more, few)
    )
    assert of_more - of_few >= (1437 - 300) * 8 * 8


def test_clocks_add_up(tiny, tmp_path):
    summary = fit.fit(tiny, tmp_path / "run")
    rows = record_files.read_rows(tmp_path / "run" / "metrics.jsonl")
    for name in ("train_seconds", "eval_seconds", "wall_seconds"):
        assert 0 < rows[0][name] < rows[1][name]
    on_clocks = sum(summary[f"{name}_seconds"] for name in ("train", "eval", "compile"))
    assert on_clocks < summary["wall_seconds"]


def test_a_target_that_is_never_reached_is_null(tiny, tmp_path):
    config = dataclasses.replace(tiny, target_accuracy=1.0)
    summary = fit.fit(config, tmp_path / "run")
    assert summary["reached_target"] is False
    assert summary["epoch_to_target"] is None
    assert summary["seconds_to_target"] is None


def test_a_target_is_reached_by_who_meets_it_exactly(tiny, tmp_path):
    fit.fit(tiny, tmp_path / "first")
    accuracies = [
        row["test_accuracy"]
        for row in record_files.read_rows(tmp_path / "first" / record_files.METRICS)
    ]
    best = max(accuracies)
    summary = fit.fit(dataclasses.replace(tiny, target_accuracy=best), tmp_path / "second")
    assert summary["reached_target"] is True
    assert summary["epoch_to_target"] == 1 + accuracies.index(best)


def test_evaluation_and_health_are_on_their_own_clocks_alone(tiny):
    setup, clock = prepare(tiny), Clock()
    state = initial_state(setup, clock)
    for name, measure in (
        ("eval_seconds", lambda: epoch_end.evaluate(setup, clock, state, "test", 1)),
        ("health_seconds", lambda: epoch_end.examine(setup, clock, state, 1)),
    ):
        measure()  # compiles
        before = clock.readings()
        measure()
        after = clock.readings()
        grown = {key for key in before if after[key] > before[key]}
        assert grown - {"wall_seconds"} == {name}


def test_with_a_validation_split_the_test_set_is_read_once(tiny, tmp_path):
    config = dataclasses.replace(tiny, eval_split="validation", target_accuracy=0.0)
    summary = fit.fit(config, tmp_path / "run")
    rows = record_files.read_rows(tmp_path / "run" / "metrics.jsonl")
    assert [row["test_accuracy"] is None for row in rows] == [True, False]
    assert all(0 <= row["validation_accuracy"] <= 1 for row in rows)
    assert summary["epoch_to_target"] == 1


def test_runs_are_deterministic_and_seeds_differ(tiny, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fit.fit(dataclasses.replace(tiny, seed=seed), tmp_path / name)
    assert rows_without_times(tmp_path / "a") == rows_without_times(tmp_path / "b")
    assert rows_without_times(tmp_path / "a") != rows_without_times(tmp_path / "c")


def test_results_do_not_depend_on_the_steps_a_dispatch(tiny, tmp_path):
    for steps in (1, 3, 4):
        config = dataclasses.replace(tiny, steps_per_dispatch=steps)
        fit.fit(config, tmp_path / str(steps))
    assert (
        rows_without_times(tmp_path / "1")
        == rows_without_times(tmp_path / "3")
        == rows_without_times(tmp_path / "4")
    )


# Of BatchNorm in `test_own_networks.py`.
CASES = {
    "dropout, learnable, schedule, augmentation": {
        "activation": "prelu",
        "learning_rate_schedule": "one_cycle",
        "augmentation": "crop_flip",
        "weight_decay": 0.01,
    },
    "random activation, soft labels, whitening": {
        "activation": "rrelu",
        "augmentation": "rotate,pca_color,mixup",
        "preprocessing": "zca_whitening",
    },
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("looks", [2, 5])
def test_a_stopped_run_goes_on_bit_for_bit(tiny, tmp_path, monkeypatch, case, looks):
    config = dataclasses.replace(tiny, steps_per_dispatch=1, health_examples=0, **CASES[case])
    fit.fit(config, tmp_path / "whole")

    with monkeypatch.context() as patch:
        patch.setattr(fit, "stop_on_signals", lambda: contextlib.nullcontext(StopAfter(looks)))
        with pytest.raises(Interrupted, match="SIGTERM"):
            fit.fit(config, tmp_path / "stopped")
    before = final_state(config, tmp_path / "stopped")
    assert 0 < int(before.step) < 8
    summary = fit.fit(config, tmp_path / "stopped")
    assert summary["epochs"] == 2
    assert_same_run(config, tmp_path / "whole", tmp_path / "stopped")


def test_more_epochs_go_on_from_a_finished_run_and_its_clock(tiny, tmp_path):
    fit.fit(tiny, tmp_path / "run")
    first = record_files.read_rows(tmp_path / "run" / "metrics.jsonl")
    summary = fit.fit(dataclasses.replace(tiny, epochs=3), tmp_path / "run")
    rows = record_files.read_rows(tmp_path / "run" / "metrics.jsonl")
    assert rows[:2] == first
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[2]["train_seconds"] > rows[1]["train_seconds"]
    assert rows[2]["wall_seconds"] > rows[1]["wall_seconds"]
    assert summary["epochs"] == 3


def test_a_planned_schedule_is_not_stretched(tiny, tmp_path):
    config = dataclasses.replace(tiny, learning_rate_schedule="cosine", health_examples=0)
    summary = fit.fit(config, tmp_path / "run")
    with pytest.raises(ConfigError, match="cosine learning rate was planned for 2 epochs"):
        fit.fit(dataclasses.replace(config, epochs=3), tmp_path / "run")
    assert fit.fit(config, tmp_path / "run") == summary


def test_an_accelerator_trains_the_same_in_dispatches_of_an_epoch(tiny, tmp_path, monkeypatch):
    # XLA's own convolution and a length that it knows, on this processor.
    fit.fit(tiny, tmp_path / "cpu")
    monkeypatch.setattr(program, "_build", program._build.__wrapped__)  # a program of its own
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    lengths = []
    monkeypatch.setattr(dispatch, "argument", lambda steps: lengths.append(steps) or steps)
    fit.fit(tiny, tmp_path / "gpu")
    assert lengths == [4, 4]
    for ours, theirs in zip(
        *map(rows_without_times, (tmp_path / "cpu", tmp_path / "gpu")), strict=True
    ):
        assert ours == pytest.approx(theirs, rel=1e-3)


def test_a_finished_run_is_not_made_again(tiny, tmp_path):
    first = fit.fit(tiny, tmp_path / "run")
    assert fit.fit(tiny, tmp_path / "run") == first


def test_rows_after_the_checkpoint_are_trained_again_not_doubled(tiny, tmp_path):
    config = dataclasses.replace(tiny, epochs=3, checkpoint_every_epochs=2)
    fit.fit(dataclasses.replace(config, epochs=2), tmp_path / "run")
    record_files.append_row(tmp_path / "run" / "metrics.jsonl", {"epoch": 3, "step": 12})
    fit.fit(config, tmp_path / "run")
    assert [row["epoch"] for row in rows_without_times(tmp_path / "run")] == [1, 2, 3]


def test_checkpoints_are_made_at_the_epochs_asked_for(tiny, tmp_path):
    fit.fit(dataclasses.replace(tiny, epochs=3, checkpoint_every_epochs=2), tmp_path / "run")
    steps = sorted(int(p.name) for p in (tmp_path / "run" / "checkpoints").iterdir() if p.is_dir())
    assert steps == [8, 12]


@pytest.mark.parametrize("change", [{"seed": 5}, {"activation": "tanh"}, {"learning_rate": 0.1}])
def test_another_configuration_in_the_same_workdir_is_refused(tiny, tmp_path, change):
    fit.fit(tiny, tmp_path / "run")
    before = {p: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()}
    with pytest.raises(ConfigError, match=next(iter(change))):
        fit.fit(dataclasses.replace(tiny, **change), tmp_path / "run")
    assert {p: p.read_bytes() for p in before} == before


def test_fewer_epochs_than_trained_are_refused(tiny, tmp_path):
    fit.fit(tiny, tmp_path / "run")
    with pytest.raises(ConfigError, match="trained 2 epochs"):
        fit.fit(dataclasses.replace(tiny, epochs=1), tmp_path / "run")


def test_a_folder_with_other_files_is_refused(tiny, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ConfigError, match="no run"):
        fit.fit(tiny, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_loss_that_is_not_finite_keeps_the_last_checkpoint(tiny, tmp_path):
    module = tmp_path / "exploding.py"
    module.write_text(
        "import jax.numpy as jnp\ndef explode(x):\n    return x * jnp.exp(jnp.exp(jnp.abs(x)))\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        config = dataclasses.replace(tiny, activation="exploding:explode", learning_rate=1.0)
        with pytest.raises(NonFiniteLossError, match=r"epoch 1, step \d+ .*no checkpoint had been"):
            fit.fit(config, tmp_path / "run")
    finally:
        sys.path.remove(str(tmp_path))
    assert not (tmp_path / "run" / "summary.json").exists()
    assert not (tmp_path / "run" / "metrics.jsonl").exists()


def test_loss_falls_and_images_are_learned(tiny, tmp_path):
    config = dataclasses.replace(tiny, train_examples=None, epochs=12, health_examples=0)
    fit.fit(config, tmp_path / "run")
    rows = record_files.read_rows(tmp_path / "run" / "metrics.jsonl")
    assert rows[-1]["train_loss"] < 0.4 * rows[0]["train_loss"]
    assert rows[-1]["test_accuracy"] > 0.8


def test_sigterm_saves_a_checkpoint_and_exits_75(commands, tmp_path):
    workdir = tmp_path / "run"
    arguments = [f"--workdir={workdir}", *words(epochs=2000)]
    begun = workdir / record_files.METRICS
    ended = commands.run("jaxact.main", *arguments, signal_once=(signal.SIGTERM, begun))
    assert ended.returncode == 75
    assert "stopped by SIGTERM" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert [p.name for p in (workdir / "checkpoints").iterdir() if p.name.isdigit()]


def test_the_command_trains_prints_and_resumes(commands, tmp_path):
    arguments = [f"--workdir={tmp_path / 'run'}", *words(epochs=1)]
    for _ in range(2):
        done = commands.run("jaxact.main", *arguments)
        assert done.returncode == 0, done.stderr
        assert "test accuracy" in done.stdout
    assert [row["epoch"] for row in record_files.read_rows(tmp_path / "run" / "metrics.jsonl")] == [
        1
    ]


def test_a_second_start_finds_its_programs_compiled(commands, tmp_path):
    folder = tmp_path / "compiled"
    used = {}
    for name in ("first", "second"):
        workdir = tmp_path / name
        done = commands.run(
            "jaxact.main",
            *words(health_examples=0),
            f"--workdir={workdir}",
            f"--compilation_cache={folder}",
        )
        assert done.returncode == 0, done.stderr
        used[name] = json.loads((workdir / "summary.json").read_text())["compilation_cache"]
    assert used == {"first": "cold", "second": "warm"}
    assert rows_without_times(tmp_path / "first") == rows_without_times(tmp_path / "second")
