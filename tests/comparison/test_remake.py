"""A comparison with a function of one's own that changes: refused, or its runs made anew."""

import dataclasses
import errno
import os

import numpy as np
import pytest

from jaxact.comparison import compare, options, study as studies
from jaxact.comparison.engines import making
from jaxact.comparison.output import files
from jaxact.comparison.plan import Plan
from jaxact.comparison.study import DONE, MISSING
from jaxact.errors import ConfigError, DataError, WorkdirError
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.records import lock, record_files, workdirs
from tests.support.own_files import LEAKY, LEAKY_OTHERWISE, TANH, write_module
from tests.support.tiny import words


@pytest.fixture
def modules(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture
def plan(tiny):
    config = dataclasses.replace(tiny, epochs=1, health_examples=0)
    specs = ("mine:act", "identity")
    return Plan(config, (config.dataset,), (config.learning_rate,), specs, 1, "identity")


def make(plan, workdir, remake=()):
    study = studies.begin(workdir, plan, remake)
    return making.make_runs(study, workdir, StopRequest(), remake=remake)


def stamps(workdir):
    return {path: path.stat().st_mtime_ns for path in workdir.rglob("*") if path.is_file()}


def test_a_spec_written_otherwise_is_the_same_activation(plan, modules):
    write_module(modules, "def act(x, slope=0.1):\n    return x * slope\n")

    def planned(*specs):
        return dataclasses.replace(plan, activations=specs, baseline=specs[0])

    stored = planned("mine:act(slope=2)", "hard_silu")
    now = planned("mine:act(slope=2.0)", "hard_swish").going_on(stored)
    assert (now.activations, now.baseline) == (stored.activations, stored.baseline)
    assert options.split_remake("mine:act(slope=2.0)", now) == ["mine:act(slope=2)"]
    more = planned("mine:act(slope=3)", "hard_silu", "hard_swish")
    assert more.going_on(stored) == more


def test_a_comparison_goes_on_with_its_data_under_another_path_and_with_no_others(plan, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    labels = np.arange(60) % 3
    for name, shift in (("here", 0), ("elsewhere", 0), ("others", 1)):
        np.savez(tmp_path / f"{name}.npz", images=images + np.uint8(shift), labels=labels)

    def planned(name):
        config = dataclasses.replace(plan.config, train_examples=None, test_examples=None)
        return dataclasses.replace(
            plan,
            config=dataclasses.replace(config, batch_size=16),
            datasets=(str(tmp_path / f"{name}.npz"),),
            activations=("identity",),
        )

    made = make(planned("here"), tmp_path / "study")
    before = stamps(tmp_path / "study" / "identity")
    moved = make(planned("elsewhere"), tmp_path / "study")
    assert [run.summary for run in moved.runs] == [run.summary for run in made.runs]
    assert stamps(tmp_path / "study" / "identity") == before
    with pytest.raises(DataError, match=r"others\.npz has changed since"):
        make(planned("others"), tmp_path / "study")


def test_a_full_disk_is_told_with_the_folder_and_what_to_do(plan, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))

    monkeypatch.setattr(files, "write_all", full)
    given = [*words(epochs=1), "--activations=identity", "--seeds=1"]
    parsed = compare.COMMAND.parse([*given, f"--workdir={tmp_path / 'study'}"])
    with pytest.raises(WorkdirError, match=r"study cannot be written \(File too large\); what is"):
        compare.compare(parsed)


def test_a_changed_function_is_refused_or_its_runs_are_made_anew(plan, modules, tmp_path):
    workdir = tmp_path / "study"
    write_module(modules, LEAKY)
    old = make(plan, workdir)
    write_module(modules, LEAKY_OTHERWISE)
    assert studies.begin(workdir, plan) == old
    write_module(modules, TANH)
    before = stamps(workdir)
    more = dataclasses.replace(plan, seeds=2)
    told = r"^mine:act has changed since .*choose another --workdir, .* --remake=mine:act, or bring"
    with pytest.raises(ConfigError, match=told):
        studies.begin(workdir, more)
    # and by the runs alone
    (workdir / studies.STUDY).rename(tmp_path / "set_aside.json")
    with pytest.raises(ConfigError, match=told):
        studies.begin(workdir, more)
    (tmp_path / "set_aside.json").rename(workdir / studies.STUDY)

    # Until it is certain that the runs begin, the old ones stay.
    too_many = dataclasses.replace(plan, config=dataclasses.replace(plan.config, batch_size=999))
    with pytest.raises(ConfigError, match="batch_size"):
        make(too_many, workdir, ["mine:act"])
    with lock.held(workdir), pytest.raises(WorkdirError, match="in use"):
        make(plan, workdir, ["mine:act"])
    assert stamps(workdir).keys() - {workdir / lock.LOCK} == before.keys() - {workdir / lock.LOCK}
    assert all(
        stamps(workdir)[path] == moment for path, moment in before.items() if path.name != lock.LOCK
    )

    new = make(plan, workdir, ["mine:act"])
    assert [run.status for run in new.runs] == [DONE, DONE]
    assert new.runs[1] == old.runs[1]
    assert new.runs[0].metrics[0]["train_loss"] != old.runs[0].metrics[0]["train_loss"]
    folder = workdir / "mine_act"
    assert [path.name for path in folder.iterdir()] == ["seed0"]
    config = record_files.read_json(folder / "seed0" / record_files.CONFIG)
    assert config[workdirs.FUNCTION] == new.functions["mine:act"]
    assert new.functions["mine:act"]["values"] != old.functions["mine:act"]["values"]
    assert studies.begin(workdir, plan) == studies.load(workdir) == new


def test_what_is_no_run_is_not_removed(plan, modules, tmp_path):
    write_module(modules, LEAKY)
    workdir = tmp_path / "study"
    (workdir / "mine_act" / "seed0").mkdir(parents=True)
    (workdir / "mine_act" / "seed0" / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match=r"holds files but no config\.json"):
        studies.begin(workdir, plan, ["mine:act"])


def test_a_run_that_diverged_is_made_anew_too(plan, tmp_path):
    plan = dataclasses.replace(plan, activations=("identity",))
    diverged = studies.Run("digits", plan.learning_rates[0], "identity", 0, studies.DIVERGED)
    studies.Study(plan, (diverged,)).save(tmp_path)
    assert studies.begin(tmp_path, plan).runs == (diverged,)
    assert [run.status for run in studies.begin(tmp_path, plan, ["identity"]).runs] == [MISSING]


@pytest.mark.parametrize("status", [studies.FAILED, studies.DIVERGED])
def test_a_function_that_failed_may_be_mended(plan, modules, tmp_path, status):
    plan = dataclasses.replace(plan, activations=("mine:act",), baseline="mine:act")
    write_module(modules, LEAKY)
    run = studies.Run("digits", plan.learning_rates[0], "mine:act", 0, status)
    study = studies.begin(tmp_path / "study", plan).with_run(run)
    (tmp_path / "study").mkdir()
    study.save(tmp_path / "study")
    write_module(modules, TANH)
    if status == studies.DIVERGED:  # which counts as a result
        with pytest.raises(ConfigError, match="mine:act has changed since"):
            studies.begin(tmp_path / "study", plan)
    else:
        assert [r.status for r in studies.begin(tmp_path / "study", plan).runs] == [MISSING]


def test_a_function_that_is_wrong_in_this_network_ends_the_comparison(plan, modules, tmp_path):
    write_module(modules, "def act(x):\n    return x * jnp.ones(16)\n")  # fits 16 channels alone
    plan = dataclasses.replace(plan, activations=("identity", "mine:act"))
    with pytest.raises(ConfigError, match=r"^mine:act fails on float32\["):
        make(plan, tmp_path / "study")
    assert not (tmp_path / "study").exists()
