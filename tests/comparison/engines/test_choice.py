"""Options of an engine: what does not go together, or is not there, is told in a line."""

import sys

import pytest

from jaxact.comparison import compare
from jaxact.comparison.engines import choice
from jaxact.comparison.engines.in_process import InProcess
from jaxact.comparison.engines.processes import slots
from jaxact.comparison.engines.processes.workers import Workers
from jaxact.errors import ConfigError
from jaxact.runs.process import cores, determinism
from tests.support.tiny import words


def options(**given):
    return {name: option.default for name, option in choice.OPTIONS.items()} | given


def test_runs_are_made_here_unless_more_is_asked_for():
    assert isinstance(choice.engine_of(options()), InProcess)
    assert isinstance(choice.engine_of(options(parallel=1, compile_ahead=2)), InProcess)
    assert isinstance(choice.engine_of(options(cpus_per_run=1)), Workers)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"address": "auto"}, "--address=auto is of use with --engine=ray alone"),
        ({"storage": "x", "engine": "slurm"}, "--storage=x is of use with --engine=ray alone"),
        ({"slurm_minutes": 5}, "--slurm_minutes=5 is of use with --engine=slurm alone"),
        ({"compile_ahead": 1, "engine": "ray"}, "--compile_ahead=1 is of use with --engine=local"),
        ({"compile_ahead": 1, "cpus_per_run": 1}, "--compile_ahead=1 is of use where one process"),
        ({"parallel": 10**6}, "--parallel=1000000 with 1 core for each run is more than the"),
        ({"cpus_per_run": 10**6}, "--cpus_per_run=1000000 is more than the"),
        ({"gpus_per_run": 1}, "--gpus_per_run=1: JAX finds no GPU here"),
        (
            {"engine": "slurm", "slurm_parameters": "mem"},
            "--slurm_parameters=mem must hold NAME=VALUE",
        ),
        (
            {"engine": "slurm", "slurm_cluster": "local", "slurm_partition": "gpu"},
            "--slurm_partition and --slurm_parameters are of no use with --slurm_cluster=local",
        ),
    ],
)
def test_what_does_not_go_together_is_told_in_a_line(given, told):
    with pytest.raises(ConfigError) as refused:
        choice.engine_of(options(**given))
    assert str(refused.value).startswith(told)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("engine", "package"), [("ray", "ray"), ("slurm", "submitit")])
def test_a_package_that_is_missing_is_named_before_anything_is_written(
    engine, package, monkeypatch, tmp_path, capsys
):
    monkeypatch.setitem(sys.modules, package, None)
    workdir = tmp_path / "study"
    arguments = [f"--engine={engine}", f"--workdir={workdir}", "--activations=relu", *words()]
    assert compare.COMMAND.run(compare.compare, arguments) == ConfigError.exit_code
    assert f'pip install "jaxact[{engine}]"' in capsys.readouterr().err
    assert not workdir.exists()


@pytest.fixture
def two_gpus(monkeypatch):
    """A machine of eight cores and two GPUs, of which this process holds none."""
    chosen = {}
    monkeypatch.setattr(slots, "gpus", lambda: ["2", "5"])
    monkeypatch.setattr(cores, "usable", lambda: list(range(8)))
    monkeypatch.setattr(cores, "physical_cores", lambda found: [[core] for core in found])
    monkeypatch.setattr(determinism, "backend_is_up", lambda: False)
    monkeypatch.setattr(slots.jax.config, "update", chosen.__setitem__)
    return chosen


def test_each_run_has_a_gpu_of_its_own(two_gpus):
    made = slots.slots(2, None, None)
    assert [slot.variables for slot in made] == [
        {"CUDA_VISIBLE_DEVICES": "2"},
        {"CUDA_VISIBLE_DEVICES": "5"},
    ]
    assert [slot.cores for slot in made] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert two_gpus == {"jax_platforms": "cpu"}  # this process takes none


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((3, None, None), "--parallel=3 needs 3 GPUs, and there are 2: give at most --parallel=2"),
        ((2, None, 2), "--parallel=2 needs 4 GPUs, and there are 2: give at most --parallel=1"),
    ],
)
def test_no_two_runs_share_a_gpu(two_gpus, given, told):
    with pytest.raises(ConfigError, match=told):
        slots.slots(*given)
    assert not two_gpus


def test_a_process_that_holds_a_gpu_is_told(two_gpus, monkeypatch):
    monkeypatch.setattr(determinism, "backend_is_up", lambda: True)
    monkeypatch.setattr(slots.jax, "default_backend", lambda: "gpu")
    with pytest.raises(ConfigError, match="this process holds one: start it anew"):
        slots.slots(2, None, None)


def test_on_cores_if_so_asked(two_gpus):
    assert slots.slots(2, 1, 0)[1].variables == {"JAX_PLATFORMS": "cpu"}
    assert not two_gpus
