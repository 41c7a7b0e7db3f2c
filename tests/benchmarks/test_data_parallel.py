"""The benchmark of several devices beside one: what it compares, and what it refuses."""

import dataclasses

import jax
import numpy as np
import pytest

from benchmarks.data_parallel import __main__ as program
from jaxact.compilation.clock import Clock
from jaxact.runs.setup import initial_state, prepare


def test_parameters_are_those_after_the_steps_asked_for(tiny):
    config = dataclasses.replace(tiny, optimizer="sgd", learning_rate=0.1)
    found = program.parameters_after(config, (1, 3))
    first = initial_state(prepare(config), Clock()).params
    before = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(jax.device_get(first))])
    moved = [float(np.abs(found[step] - before).max()) for step in (1, 3)]
    assert found.keys() == {1, 3}
    assert 0 < moved[0] < moved[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--steps=0,10"], "--steps=0,10 must be whole numbers from 1"),
        (["--steps=a"], "--steps=a must be whole numbers from 1"),
        ([], "needs JAX_ENABLE_X64=1"),
    ],
)
def test_what_cannot_be_measured_is_told_in_a_line(words, message, capsys):
    assert program.COMMAND.run(program.data_parallel, words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_devices_that_do_not_divide_the_batch_are_refused(capsys):
    with jax.enable_x64(True):
        assert program.COMMAND.run(program.data_parallel, ["--devices=3"]) == 2
    assert "--devices=3 must divide the batch, 128" in capsys.readouterr().err
