"""The profile of a training step: kernels, the layers that they are counted for, and the rows."""

import json

import jax
import jax.numpy as jnp
import pytest

from benchmarks import train_step
from benchmarks.contenders import jaxact_worker, step_profile
from benchmarks.contenders.protocol import Job
from benchmarks.contenders.step_profile import BETWEEN, OUTSIDE, Kernel
from jaxact.compilation.ahead_of_time import AheadOfTime
from jaxact.errors import ConfigError
from jaxact.statistics import quartiles
from jaxact.training.unlooped import StepByStep
from tests.benchmarks.stand_ins import in_process

PROGRAM = """
  %add.1 = f32[8]{0} add(%a, %b), metadata={op_name="jit(train)/jvp(Net)/Conv_0/add"}
  ROOT fusion.2 = f32[8]{0} fusion(%add.1), metadata={op_name="jit(train)/update" line=3}
  %copy.3 = f32[8]{0} copy(%b)
  %while.4 = (s32[]) while(%c), metadata={op_name="jit(train)/while"}
"""


def test_a_kernel_is_counted_for_the_operation_it_comes_from():
    known = step_profile.operations(PROGRAM)
    of_add = "jit(train)/jvp(Net)/Conv_0/add"
    assert known == {"add.1": of_add, "fusion.2": "jit(train)/update", "copy.3": ""}


@pytest.mark.parametrize(
    ("operation", "part"),
    [
        ("jit(train)/while/body/jvp(Net)/Block_1/Conv_12/dot_general", "Conv, forward"),
        ("jit(train)/transpose(jvp(Net))/BatchNorm_3", "BatchNorm, gradients"),
        ("jit(train)/jvp(ResNet18)/add", OUTSIDE),
        ("jit(train)/while_1/body", OUTSIDE),
        ("", OUTSIDE),
    ],
)
def test_a_part_is_the_innermost_layer_and_a_direction(operation, part):
    assert step_profile.part(operation) == part


def test_kernels_that_run_at_once_share_the_time():
    kernels = [Kernel("a", 0, 4e9), Kernel("b", 2e9, 6e9), Kernel("a", 8e9, 9e9)]
    assert step_profile.seconds_of(kernels) == pytest.approx({"a": 4, "b": 3})
    twice = [Kernel("a", 0, 2e9), Kernel("a", 0, 2e9), Kernel("b", 0, 2e9)]
    twice.append(Kernel("c", 1e9, 1e9))
    assert step_profile.seconds_of(twice) == pytest.approx({"a": 4 / 3, "b": 2 / 3})


def test_rows_are_the_parts_the_longest_first():
    parts = {
        name: quartiles([time]) for name, time in {"seconds": 8, "a": 2, "b": 6, "c": 0}.items()
    }
    rows = [(row["part of the step"], row["%"]) for row in step_profile.rows(parts)]
    assert rows == [("b", 75), ("a", 25)]


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="the profile is of a CPU's kernels")
@pytest.mark.usefixtures("thin_networks")
def test_a_step_is_profiled():
    job = Job("step_profile", model="resnet20", batch_size=8, examples=32, seconds=0.05)
    figures = jaxact_worker.prepare(job).measure()
    assert {"Conv, forward", "Conv, gradients", "BatchNorm, gradients", OUTSIDE, BETWEEN} < set(
        figures
    )
    assert figures["Conv, gradients"] > 0
    total = figures.pop("seconds")
    assert sum(figures.values()) == pytest.approx(total, rel=0.2)  # of steps so short


def test_a_step_that_is_no_loop_is_profiled():
    known = AheadOfTime(lambda steps, state, totals: (state + 1, totals))
    step = StepByStep(known)
    step.compile(3, jnp.zeros(()), jnp.zeros(()))
    assert step_profile.operations(step.text())


def test_it_is_measured_and_written(tmp_path, monkeypatch):
    in_process.use(monkeypatch)
    out = tmp_path / "profile.json"
    options = ["--batch_size=8", "--examples=32", "--pairs=5", "--processes=1", f"--out={out}"]
    words = ["--profile", "--model=thin_cnn", "--seconds=0.01", *options]
    assert train_step.COMMAND.run(train_step.train_step, words) == 0
    result = json.loads(out.read_text())
    assert result["benchmark"] == "step_profile"
    assert {"Conv, gradients", "Dense, forward"} < {
        row["part of the step"] for row in result["rows"]
    }


def test_elsewhere_it_is_refused(monkeypatch):
    monkeypatch.setattr(jaxact_worker.jax, "default_backend", lambda: "gpu")
    with pytest.raises(ConfigError, match=r"is for CPUs: set JAX_PLATFORMS=cpu"):
        jaxact_worker.prepare_step_profile(Job("step_profile", batch_size=8, examples=32))


def test_it_is_of_jaxact_alone():
    options = train_step.COMMAND.parse(["--profile", "--peer=jax.nn"])
    with pytest.raises(ConfigError, match=r"leave --peer=jax\.nn out"):
        train_step.train_step(options)
