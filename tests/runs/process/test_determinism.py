"""`config.deterministic`: the flag before the backend starts, and what is said and recorded."""

import json
import os

import jax
import pytest

from jaxact.errors import ConfigError
from jaxact.runs.process import determinism
from tests.support.paths import python
from tests.support.tiny import words


def test_a_run_says_records_and_sets_it(commands, tmp_path):
    workdir = tmp_path / "run"
    fields = words(epochs=1, health_examples=0, deterministic=True)
    done = commands.run("jaxact.main", f"--workdir={workdir}", *fields)
    assert done.returncode == 0, done.stderr
    known = json.loads((workdir / "environment.json").read_text())
    assert determinism.FLAG in known["XLA_FLAGS"].split()
    assert known["deterministic"] == "always, as on every CPU"
    assert "on a CPU results are deterministic without it" in done.stderr


def test_it_knows_whether_jax_has_started():
    code = (
        "import jax; from jaxact.runs.process.determinism import backend_is_up as up;"
        "before = up(); jax.devices(); print(before, up(), jax.device_count())"
    )
    printed = python("-c", code, env=os.environ | {"JAX_PLATFORMS": "cpu"})
    assert printed.split() == ["False", "True", str(jax.device_count("cpu"))]


@pytest.mark.parametrize("given", ["", "--xla_cpu_max_isa=AVX2", f"--xla_a=1 {determinism.FLAG}"])
def test_flags_of_the_user_stay(monkeypatch, given):
    monkeypatch.setenv("XLA_FLAGS", given)
    determinism.ensure(True)
    flags = os.environ["XLA_FLAGS"].split()
    assert flags == [flag for flag in given.split() if flag != determinism.FLAG] + [
        determinism.FLAG
    ]


def test_on_a_gpu_that_is_up_it_comes_too_late(monkeypatch):
    jax.devices()
    monkeypatch.setenv("XLA_FLAGS", "")
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with pytest.raises(ConfigError, match=f"start it with XLA_FLAGS={determinism.FLAG}"):
        determinism.ensure(True)
    assert os.environ["XLA_FLAGS"] == ""
    monkeypatch.setenv("XLA_FLAGS", determinism.FLAG)
    determinism.ensure(True)
    assert determinism.describe(True) == f"yes, by {determinism.FLAG}"
    assert determinism.describe(False) == "not asked for"
