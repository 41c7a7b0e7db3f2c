"""Comparisons as runs are made: pairs, skips, misses, stops, kills, refusals, and the command."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxact.comparison import study as studies
from jaxact.comparison.engines import making
from jaxact.comparison.output.tables import study_table
from jaxact.comparison.plan import Plan
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING
from jaxact.errors import ConfigError, DataError, Interrupted, NonFiniteLossError, WorkdirError
from jaxact.runs import fit
from jaxact.runs.process import huge_pages
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.records import lock, record_files
from tests.comparison.engines.alike import NETWORK
from tests.support.paths import ROOT, python_path
from tests.support.stopping import StopAfter
from tests.support.tiny import words

# What differs between two runs of the same training.
TIMES = {"images_per_second", "peak_memory_bytes", "compilation_cache", "git_dirty"}

# In training alone: what fails with any images is told before.
BROKEN = "def act(x):\n    return x.no_such_attribute if len(x) == 64 else x\n"


@pytest.fixture
def tiny(tiny):
    return dataclasses.replace(tiny, epochs=1, target_accuracy=0.0, health_examples=0)


def plan_of(config, *specs, seeds=1, **changes):
    plan = Plan(
        config=config,
        datasets=(config.dataset,),
        learning_rates=(config.learning_rate,),
        activations=specs,
        seeds=seeds,
        baseline=specs[0],
    )
    return dataclasses.replace(plan, **changes)


def make(plan, workdir, stop=None):
    return making.make_runs(
        studies.begin(workdir, plan), workdir, StopRequest() if stop is None else stop
    )


def without_times(value):
    """JSON without what two runs of the same training may differ in."""
    if isinstance(value, dict):
        return {
            name: without_times(inner)
            for name, inner in value.items()
            if name not in TIMES and not name.endswith("_seconds") and name != "seconds_to_target"
        }
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


def stored(workdir):
    return without_times(json.loads((workdir / "study.json").read_text()))


def test_runs_are_paired_and_made_once(tiny, tmp_path, monkeypatch):
    plan = plan_of(tiny, "relu", "tanh", seeds=2)
    first = make(plan, tmp_path)
    assert [(run.activation, run.seed) for run in first.runs] == [
        ("relu", 0),
        ("tanh", 0),
        ("tanh", 1),  # the order rotates
        ("relu", 1),
    ]
    assert record_files.read_rows(tmp_path / "relu" / "seed1" / "metrics.jsonl")
    monkeypatch.setattr(fit, "fit", lambda *a, **k: pytest.fail("a finished run is made again"))
    assert make(plan, tmp_path) == first == studies.load(tmp_path)


@pytest.mark.parametrize(
    ("error", "status", "note"),
    [
        (NonFiniteLossError("NaN at epoch 1; a checkpoint is kept"), DIVERGED, "NaN at epoch 1"),
        (ValueError("first line\nsecond"), FAILED, "ValueError: first line"),
        (ConfigError("this folder is another's"), FAILED, "this folder is another's"),
        (MemoryError(), FAILED, "MemoryError"),
    ],
)
def test_a_run_that_fails_does_not_end_the_others(tiny, tmp_path, monkeypatch, error, status, note):
    whole = fit.fit

    def fail_once(config, workdir, **options):
        if config.activation == "relu":
            raise error
        return whole(config, workdir, **options)

    plan = plan_of(tiny, "relu", "tanh")
    with monkeypatch.context() as patch:
        patch.setattr(fit, "fit", fail_once)
        lost, other = make(plan, tmp_path).runs
    assert (lost.status, lost.note) == (status, note)
    assert other.status == DONE
    assert studies.load(tmp_path).runs[0].note == note
    # what diverged would diverge again; what failed gets another chance
    again, _ = make(plan, tmp_path).runs
    assert again.status == (DIVERGED if status == DIVERGED else DONE)


def test_failures_leave_their_traceback(tiny, tmp_path, monkeypatch):
    def fail(config, workdir, **options):
        raise ValueError("deep inside")

    monkeypatch.setattr(fit, "fit", fail)
    make(plan_of(tiny, "relu"), tmp_path)
    log = (tmp_path / making.FAILURES).read_text()
    assert "relu, seed 0" in log
    assert "Traceback" in log
    assert "deep inside" in log


def test_an_activation_that_cannot_be_trained_fails_alone(tiny, tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(str(tmp_path))
    study = make(plan_of(tiny, "broken:act", "relu"), tmp_path / "study")
    assert [run.status for run in study.runs] == [FAILED, DONE]
    assert "no_such_attribute" in study.runs[0].note


def test_what_is_wrong_with_every_run_is_told_before_anything_is_written(tiny, tmp_path):
    workdir = tmp_path / "study"
    with pytest.raises(ConfigError, match="batch_size"):
        make(plan_of(dataclasses.replace(tiny, batch_size=999), "relu", "tanh"), workdir)
    missing = dataclasses.replace(tiny, dataset="mnist", data_dir=str(tmp_path / "data"))
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    (tmp_path / "data" / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(b"")
    with pytest.raises(DataError):
        make(plan_of(missing, "relu", "tanh"), workdir)
    # the second data set's error too, before the first's runs
    both = plan_of(missing, "relu", datasets=("digits", "mnist"))
    with pytest.raises(DataError):
        make(both, workdir)
    assert not workdir.exists()


@pytest.mark.parametrize(
    "growth",
    [
        {"seeds": 2},
        {"activations": ("tanh", "relu", "identity")},
        {"baseline": "tanh"},
        {"epochs": 2},
    ],
)
def test_a_comparison_is_extended(tiny, tmp_path, growth):
    plan = plan_of(tiny, "relu", "tanh")
    make(plan, tmp_path)
    rows = record_files.read_rows(tmp_path / "relu" / "seed0" / "metrics.jsonl")
    epochs = growth.pop("epochs", 1)
    config = dataclasses.replace(tiny, epochs=epochs)
    grown = make(dataclasses.replace(plan, config=config, **growth), tmp_path)
    assert {run.status for run in grown.runs} == {DONE}
    assert {len(run.metrics) for run in grown.runs} == {epochs}
    kept = record_files.read_rows(tmp_path / "relu" / "seed0" / "metrics.jsonl")
    assert kept[: len(rows)] == rows
    assert studies.load(tmp_path) == grown


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seeds": 1}, "seeds (2 there, 1 now)"),
        ({"activations": ("relu",)}, "activations (relu, tanh there, relu now)"),
        ({"learning_rates": (0.1,)}, "learning rates (0.001 there, 0.1 now)"),
        ({"datasets": ("mnist",)}, "datasets (digits there, mnist now)"),
        ({"targets": (0.5,)}, "target of digits (0.0 there, 0.5 now)"),
        ({"config": {"batch_size": 32}}, "config.batch_size (64 there, 32 now)"),
        ({"config": {"epochs": 1}}, "config.epochs (2 there, 1 now)"),
    ],
)
def test_another_plan_is_refused_in_a_line(tiny, tmp_path, change, told):
    config = dataclasses.replace(tiny, epochs=2)
    plan = plan_of(config, "relu", "tanh", seeds=2)
    studies.begin(tmp_path, plan).save(tmp_path)
    if fields := change.get("config"):
        change = change | {"config": dataclasses.replace(config, **fields)}
    with pytest.raises(ConfigError, match="holds another comparison") as refused:
        studies.begin(tmp_path, dataclasses.replace(plan, **change))
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_folders_that_hold_no_comparison_are_refused(tiny, tmp_path):
    plan = plan_of(tiny, "relu")
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ConfigError, match="no comparison"):
        studies.begin(tmp_path, plan)
    with pytest.raises(ConfigError, match="is a file"):
        studies.begin(tmp_path / "thesis.txt", plan)
    (tmp_path / "study.json").write_text("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        studies.begin(tmp_path, plan)


def test_two_processes_do_not_make_one_comparison(tiny, tmp_path):
    plan = plan_of(tiny, "relu")
    with lock.held(tmp_path), pytest.raises(WorkdirError, match=r"in use by another process"):
        make(plan, tmp_path)
    assert not (tmp_path / "study.json").exists()
    assert studies.begin(tmp_path, plan).with_status(MISSING)  # a lock that nobody holds is none


@pytest.mark.parametrize("looks", [1, 4, 8])
def test_a_stopped_comparison_goes_on(tiny, tmp_path, looks):
    config = dataclasses.replace(tiny, epochs=2)
    plan = plan_of(config, "relu", "tanh")
    make(plan, tmp_path / "whole")
    stopped = make(plan, tmp_path / "stopped", StopAfter(looks))
    assert MISSING in {run.status for run in stopped.runs}
    assert studies.load(tmp_path / "stopped") == stopped
    make(plan, tmp_path / "stopped")
    assert stored(tmp_path / "stopped") == stored(tmp_path / "whole")


def test_own_data_have_a_title_and_are_the_same_to_the_end(tiny, tmp_path):
    path = tmp_path / "my images.npz"
    images = np.random.default_rng(0).integers(0, 256, (150, 9, 10, 3), np.uint8)
    np.savez(path, images=images, labels=np.arange(150) % 3)
    config = dataclasses.replace(tiny, dataset=str(path), train_examples=64, test_examples=None)
    plan, workdir = plan_of(config, "relu"), tmp_path / "study"
    study = make(plan, workdir)
    assert study.runs[0].status == DONE
    assert study_table.title(study, study.workloads()[0]).startswith(
        "thin_cnn on my_images, target"
    )
    np.savez(path, images=255 - images, labels=np.arange(150) % 3)
    before = (workdir / "study.json").read_text()
    with pytest.raises(DataError, match="has changed since"):
        make(dataclasses.replace(plan, seeds=2), workdir)
    assert (workdir / "study.json").read_text() == before


def test_folders_of_data_sets_that_are_paths_stay_within_the_comparison():
    for name in ("..", ".", "../up", "/abs/my.npz", "a/b"):
        folder = studies.folder_name(name)
        assert folder == Path(folder).name
        assert not folder.startswith(".")


def arguments(workdir, *more):
    return [
        f"--workdir={workdir}",
        "--seeds=2",
        *words(target_accuracy=0, health_examples=0),
        *more,
    ]


def test_a_run_that_needs_too_much_memory_does_not_end_the_others(tiny, tmp_path, monkeypatch):
    train = fit.train

    def exhausted(setup, *more):
        if setup.activation.spec == "relu":
            report = "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 12345678 bytes."
            raise jax.errors.JaxRuntimeError(report)
        return train(setup, *more)

    monkeypatch.setattr(fit, "train", exhausted)
    study = make(plan_of(tiny, "relu", "tanh"), tmp_path)
    assert [run.status for run in study.runs] == [FAILED, DONE]
    assert study.runs[0].note.startswith("out of memory: 12,345,678 bytes more were needed")
    assert "config.batch_size (64)" in study.runs[0].note


def test_after_a_kill_the_study_is_that_of_a_run_that_went_through(commands, tmp_path):
    workdir = tmp_path / "killed"
    begun = workdir / "tanh" / "seed0" / record_files.METRICS
    given = arguments(workdir, "--activations=relu,tanh", "--config.epochs=20")
    killed = commands.run("experiments.compare", *given, signal_once=(signal.SIGKILL, begun))
    assert killed.returncode == -signal.SIGKILL
    before = studies.load(workdir)
    assert before.runs[0].status == DONE  # nothing that was finished is lost
    assert MISSING in {run.status for run in before.runs}
    for name in ("killed", "whole"):
        assert {run.status for run in make(before.plan, tmp_path / name).runs} == {DONE}
    assert stored(workdir) == stored(tmp_path / "whole")
    assert studies.load(workdir).runs[0] == before.runs[0]


def test_the_command_prints_the_answer_and_writes_its_files(tmp_path):
    (tmp_path / "broken.py").write_text(BROKEN)
    given = arguments(
        tmp_path / "run",
        "--activations=relu,broken:act",
        "--seeds=1",
        "--config.epochs=1",
        f"--config.model={NETWORK}",
        "--format=dawnbench",
        "--author=Ada",
        "--author_email=ada@example.org",
    )
    done = subprocess.run(
        [sys.executable, "-m", "experiments.compare", *given],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": python_path(tmp_path), huge_pages.VARIABLE: ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr  # for the run that failed; the other was made
    environment = record_files.read_json(tmp_path / "run" / "relu" / "seed0" / "environment.json")
    assert environment["huge_pages"] == (huge_pages.wanted({}) is not None)
    assert "relu reached 0 %" in done.stdout
    assert "broken:act, seed 0 failed: broken:act fails on float32[64," in done.stdout
    assert done.stderr.splitlines()[-1].startswith("jaxact: 1 of 2 runs failed")
    for name in ("table.md", "table.csv", "table.json", "report.html", "figures/accuracy.svg"):
        assert (tmp_path / "run" / name).stat().st_size > 0
    (entry,) = (tmp_path / "run" / "dawnbench").rglob("*.json")
    assert json.loads(entry.read_text())["framework"].startswith("JAX ")


def test_a_signal_ends_in_exit_75_with_what_is_there(commands, tmp_path):
    begun = tmp_path / "run" / "relu" / "seed0" / record_files.METRICS
    given = arguments(tmp_path / "run", "--activations=relu,tanh", "--config.epochs=2000")
    ended = commands.run("experiments.compare", *given, signal_once=(signal.SIGINT, begun))
    assert ended.returncode == Interrupted.exit_code == 75
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("jaxact: stopped by SIGINT after 0 of 4 runs; to go on, give the same")
    assert f"--workdir={tmp_path / 'run'}" in last
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "run" / "table.md").exists()
    assert {run.status for run in studies.load(tmp_path / "run").runs} == {MISSING}
