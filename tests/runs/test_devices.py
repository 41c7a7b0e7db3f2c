"""Runs whose batches are divided among devices: four virtual ones of the CPU."""

import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest

from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.runs import load
from jaxact.runs.loading import run_data
from jaxact.runs.records import record_files
from tests.support import killing
from tests.support.commands import Commands
from tests.support.paths import ROOT
from tests.support.tiny import words

DEVICES = 4
# With BatchNorm, dropout and max-pooling, and all that a resumed run keeps.
FIELDS = {
    "model": "tests.support.own_networks.linen_networks:Compact",
    "activation": "prelu",
    "eval_split": "validation",
    "early_stopping_epochs": 2,  # never stops, but keeps the best epoch's parameters
    "ema": 0.9,
    "precision": "float64",
}
NEAR = 1e-11  # of values around 1, in float64: some thousand times its rounding


@pytest.fixture(scope="module")
def many(own_compilation_cache, quick_compilation):
    """Commands on a machine with four devices."""
    flags = f"--xla_force_host_platform_device_count={DEVICES}"
    with Commands({"XLA_FLAGS": flags, "JAX_ENABLE_X64": "1"}) as commands:
        yield commands


def train(commands, workdir, stop_after=0, **fields):
    module, first = "jaxact.main", ()
    if stop_after:
        module, first = "tests.support.programs.stopped_run", (str(stop_after),)
    options = words(**FIELDS | fields)
    ended = commands.run(module, *first, f"--workdir={workdir}", *options)
    assert ended.returncode == (75 if stop_after else 0), ended.stderr
    return workdir


@pytest.fixture(scope="module")
def whole(many, tmp_path_factory):
    """The folder of a run on so many devices."""
    folder, made = tmp_path_factory.mktemp("whole"), {}

    def run(devices):
        if devices not in made:
            place, samples = folder / str(devices), 20 if devices > 1 else 0
            made[devices] = train(many, place, devices=devices, latency_samples=samples)
        return made[devices]

    return run


def largest_difference(first, second):
    """Of parameters and statistics, and of metrics; all of them of values around 1."""
    states = [killing.final_state(workdir) for workdir in (first, second)]
    trained = [{part: state[part] for part in ("params", "batch_stats")} for state in states]
    pairs = jax.tree.map(lambda a, b: np.abs(a - b).max(), *trained)
    differences = jax.tree.leaves(pairs)
    rows = [list(killing.rows_of(workdir)) for workdir in (first, second)]
    names = [name for name in rows[0][0] if name.endswith(("_loss", "_accuracy"))]
    differences += [
        abs(a[name] - b[name])
        for a, b in zip(*rows, strict=True)
        for name in names
        if a[name] is not None  # of the test set, which is read once, at the end
    ]
    return float(max(differences))


def test_a_run_on_many_devices_is_that_on_one_within_rounding(whole):
    assert 0 < largest_difference(whole(1), whole(DEVICES)) < NEAR


def test_records_tell_the_devices(whole):
    environment = record_files.read_json(whole(DEVICES) / record_files.ENVIRONMENT)
    assert (environment["device_count"], environment["process_count"]) == (DEVICES, 1)
    assert len(set(environment["devices"])) == DEVICES
    assert "resumed" not in environment


@pytest.fixture(scope="module")
def one(own_compilation_cache, quick_compilation):
    """Commands on a machine with one device."""
    with Commands({"JAX_ENABLE_X64": "1"}) as commands:
        yield commands


@pytest.fixture(scope="module")
def stopped(many, tmp_path_factory):
    """The folder of a run on many devices that was stopped within an epoch of four steps."""
    workdir = tmp_path_factory.mktemp("stopped") / "run"
    train(many, workdir, stop_after=6, devices=DEVICES, steps_per_dispatch=1)
    assert killing.checkpoints_of(workdir)[-1] == 6
    return workdir


def test_a_run_that_stopped_goes_on_bit_for_bit(many, whole, stopped, tmp_path):
    workdir = shutil.copytree(stopped, tmp_path / "run")
    train(many, workdir, devices=DEVICES, steps_per_dispatch=1)
    killing.assert_same(whole(DEVICES), workdir)


def assert_went_on(whole, workdir, before, after):
    assert largest_difference(whole(DEVICES), workdir) < NEAR
    environment = record_files.read_json(workdir / record_files.ENVIRONMENT)
    (resumed,) = environment["resumed"]
    assert resumed["step"] == 6
    assert resumed["before"]["device_count"] == before
    assert environment["device_count"] == after
    assert json.loads((workdir / record_files.CONFIG).read_text())["devices"] == after


def test_a_run_goes_on_where_virtual_devices_and_their_flag_are_gone(whole, one, stopped, tmp_path):
    workdir = shutil.copytree(stopped, tmp_path / "run")
    train(one, workdir, devices=1, steps_per_dispatch=1)
    assert_went_on(whole, workdir, DEVICES, 1)


def test_a_run_goes_on_on_more_devices(whole, one, many, tmp_path):
    train(one, tmp_path, stop_after=6, devices=1, steps_per_dispatch=1)
    train(many, tmp_path, devices=DEVICES, steps_per_dispatch=1)
    assert_went_on(whole, tmp_path, 1, DEVICES)


def test_latency_is_of_one_device(whole):
    latency = record_files.read_json(whole(DEVICES) / record_files.SUMMARY)["latency_ms"]
    assert latency["samples"] == 20
    assert latency["p50"] > 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"devices": 8}, "config.devices=8: JAX sees 4 devices (cpu); for virtual ones, to try it, "
         "set XLA_FLAGS=--xla_force_host_platform_device_count=8"),
        ({"devices": 3}, "config.batch_size=64 must be a multiple of config.devices=3"),
    ],
)  # fmt: skip
def test_devices_that_cannot_be_had_are_told_in_a_line(many, tmp_path, fields, message):
    ended = many.run("jaxact.main", f"--workdir={tmp_path / 'run'}", *words(**fields))
    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_float64_is_refused_where_jax_has_none(commands, tmp_path):
    arguments = f"--workdir={tmp_path / 'run'}", *words(precision="float64")
    ended = commands.run("jaxact.main", *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("jaxact: config.precision=float64 needs JAX_ENABLE_X64=1")
    assert ended.stderr.count("\n") == 1


def test_float64_is_that_of_parameters_statistics_and_metrics(whole):
    state = killing.final_state(whole(1))
    for part in ("params", "batch_stats", "opt_state", "average", "best"):
        assert np.float32 not in [leaf.dtype for leaf in jax.tree.leaves(state[part])]
    assert state["totals"]["loss"].dtype == np.float64
    for row in killing.rows_of(whole(1)):
        for loss in (row["train_loss"], row["validation_loss"]):
            assert float(np.float32(loss)) != loss


def test_a_network_of_float64_is_loaded_in_it_and_not_without(whole, monkeypatch):
    monkeypatch.chdir(ROOT)
    workdir = whole(1)
    with pytest.raises(ConfigError, match="needs JAX_ENABLE_X64=1"):
        load.load(workdir)
    fields = record_files.read_json(workdir / record_files.CONFIG)
    config = Config(**{field.name: fields[field.name] for field in dataclasses.fields(Config)})
    with jax.enable_x64(True):
        network = load.load(workdir)
        classes = network.logits(run_data.load(config).test_images).argmax(-1)
    assert {leaf.dtype for leaf in jax.tree.leaves(network.params)} == {np.dtype("float64")}
    expected = record_files.read_classes(workdir / record_files.PREDICTIONS)
    np.testing.assert_array_equal(classes, expected)
