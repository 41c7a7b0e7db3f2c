"""A run goes on under the settings that it began under, and says what else has changed."""

import dataclasses
import json

import jax
import pytest

from jaxact.errors import ConfigError, Interrupted
from jaxact.runs import fit
from jaxact.runs.process import environment
from jaxact.runs.records import record_files, surroundings
from tests.support.stopping import StopAfter

NOW = environment.describe()


@pytest.mark.parametrize(
    ("field", "old", "variable"),
    [
        ("enable_x64", True, "JAX_ENABLE_X64"),
        ("prng_implementation", "rbg", "JAX_DEFAULT_PRNG_IMPL"),
        ("prng_partitionable", None, "JAX_THREEFRY_PARTITIONABLE"),
        ("matmul_precision", "bfloat16", "JAX_DEFAULT_MATMUL_PRECISION"),
        ("XLA_FLAGS", "--xla_cpu_enable_fast_math=true", "XLA_FLAGS"),
    ],
)
def test_another_setting_is_refused_with_the_variable_that_sets_it(tmp_path, field, old, variable):
    assert NOW[field] != old
    (tmp_path / "checkpoints" / "3").mkdir(parents=True)
    record_files.write_json(tmp_path / "environment.json", {**NOW, field: old})
    with pytest.raises(ConfigError, match=rf"{field} {old!r} \(now .*\): set {variable} as it was"):
        surroundings.check(tmp_path, NOW, 2)
    # What is over is not asked, and what never reached a checkpoint begins again.
    record_files.write_json(tmp_path / "summary.json", {"epochs": 2})
    surroundings.check(tmp_path, NOW, 2)
    with pytest.raises(ConfigError):
        surroundings.check(tmp_path, NOW, 3)
    (tmp_path / "summary.json").unlink()
    (tmp_path / "checkpoints" / "3").rmdir()
    surroundings.check(tmp_path, NOW, 3)


def test_flags_that_only_print_and_records_of_before_are_no_change():
    flags = {"XLA_FLAGS": "--a=1 --b=2"}
    other = {"XLA_FLAGS": "--b=2 --xla_dump_to=/tmp/x --a=1"}
    assert not surroundings.changes(flags, other, surroundings.HELD)
    assert not surroundings.changes({}, NOW, surroundings.HELD)


def test_a_run_that_goes_on_elsewhere_says_so_and_keeps_both(tiny, tmp_path, monkeypatch, capsys):
    config = dataclasses.replace(tiny, health_examples=0)
    with pytest.raises(Interrupted):
        fit.fit(config, tmp_path / "run", stop=StopAfter(1))
    monkeypatch.setattr(environment, "usable_cpus", lambda: 77)
    capsys.readouterr()
    fit.fit(config, tmp_path / "run")
    assert "note: the run began under usable_cpus" in capsys.readouterr().err
    path = tmp_path / "run" / "environment.json"
    stored = json.loads(path.read_text())
    (resumed,) = stored.pop("resumed")
    assert stored["usable_cpus"] == 77
    assert resumed["before"].keys() == {"usable_cpus"}
    assert resumed["step"] > 0
    monkeypatch.undo()
    before = path.read_text()
    fit.fit(config, tmp_path / "run")  # it is over: its record stays
    assert path.read_text() == before


def test_the_random_numbers_of_a_run_are_held(tiny, tmp_path):
    with pytest.raises(Interrupted):
        fit.fit(tiny, tmp_path / "run", stop=StopAfter(1))
    before = (tmp_path / "run" / "config.json").stat().st_mtime_ns
    with (
        jax.default_prng_impl("rbg"),
        pytest.raises(ConfigError, match="set JAX_DEFAULT_PRNG_IMPL as it was"),
    ):
        fit.fit(tiny, tmp_path / "run")
    assert (tmp_path / "run" / "config.json").stat().st_mtime_ns == before
