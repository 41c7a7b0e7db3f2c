"""A run of one's own function goes on with that function alone."""

import dataclasses

import pytest

from jaxact.errors import ConfigError
from jaxact.runs import fit
from jaxact.runs.records import record_files, workdirs
from tests.support.own_files import LEAKY, LEAKY_OTHERWISE, TANH, write_module


@pytest.fixture(autouse=True)
def uncached(monkeypatch):
    """Two texts of a test are as old as each other, which is all that compiled files look at."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)


@pytest.fixture
def modules(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def config_of(workdir):
    return record_files.read_json(workdir / record_files.CONFIG)


def test_a_function_that_changes_is_refused_and_one_that_is_rewritten_is_not(
    tiny, modules, tmp_path
):
    config = dataclasses.replace(tiny, activation="mine:act", epochs=1)
    workdir = tmp_path / "run"
    write_module(modules, LEAKY)
    first = fit.fit(config, workdir)
    stored = config_of(workdir)[workdirs.FUNCTION]
    write_module(modules, LEAKY_OTHERWISE)
    assert fit.fit(config, workdir) == first
    assert config_of(workdir)[workdirs.FUNCTION] == stored
    write_module(modules, TANH)
    before = {path: path.stat().st_mtime_ns for path in workdir.rglob("*")}
    told = rf"^mine:act has changed since --workdir={workdir} .*choose another --workdir, or bring"
    for epochs in (1, 2):
        with pytest.raises(ConfigError, match=told) as caught:
            fit.fit(dataclasses.replace(config, epochs=epochs), workdir)
        assert "remake" not in str(caught.value)
    assert {path: path.stat().st_mtime_ns for path in workdir.rglob("*")} == before


def test_without_a_fingerprint_nobody_can_tell(modules, tmp_path):
    write_module(modules, LEAKY)
    fields = {"activation": "mine:act", "epochs": 1}
    record_files.write_json(tmp_path / record_files.CONFIG, fields)
    workdirs.check_workdir(tmp_path, fields | workdirs.function_record("mine:act"))
    (tmp_path / record_files.CHECKPOINTS / "4").mkdir(parents=True)  # it has trained
    with pytest.raises(ConfigError, match="cannot be told whether that has changed"):
        workdirs.check_workdir(tmp_path, fields | workdirs.function_record("mine:act"))
    fields["activation"] = "relu"  # follows from jaxact's version
    record_files.write_json(tmp_path / record_files.CONFIG, fields)
    assert workdirs.function_record("relu") == {}
    workdirs.check_workdir(tmp_path, fields | workdirs.function_record("relu"))


def test_a_function_that_is_wrong_in_this_network_is_told_before_anything_is_written(
    tiny, modules, tmp_path
):
    write_module(modules, "def act(x):\n    return x * jnp.ones(16)\n")  # fits 16 channels alone
    with pytest.raises(ConfigError, match=r"^mine:act fails on float32\[.*jaxact\.check mine:act"):
        fit.fit(dataclasses.replace(tiny, activation="mine:act"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_is_discarded_whole(tmp_path):
    run = tmp_path / "seed0"
    for name in ("seed0", ".seed0.discarded"):  # what a killed process left
        (tmp_path / name).mkdir()
        (tmp_path / name / record_files.CONFIG).write_text("{}")
    workdirs.discard(run)
    workdirs.discard(run)
    assert list(tmp_path.iterdir()) == []
