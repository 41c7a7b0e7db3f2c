"""Graphs of activations: right values, broken where the function jumps and nowhere else."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from experiments.plot_activations import graphs
from jaxact import activations
from jaxact.activations import Activation

# A function for each set of kinks there is, and some without.
KINKED = {activations.get(name).kinks: name for name in activations.names()}
KINKED = [name for kinks, name in KINKED.items() if kinks]
SMOOTH = ["tanh", "gelu", "softmax", "sparsemax"]


def step(x):
    return jnp.where(x > 0.3, 1.0, 0.0) + 0 * x


def test_values_are_the_functions_own():
    drawn = graphs.graph(activations.get("selu"), graphs.value, -5, 5)
    expected = activations.selu(jnp.asarray(drawn.x, jnp.float32))
    np.testing.assert_array_equal(drawn.y, np.asarray(expected, np.float64))


@pytest.mark.parametrize("name", [*KINKED, *SMOOTH])
def test_lines_are_broken_at_jumps_alone(name):
    """From point to point a line's rise changes little, however steep it is; at a jump it would."""
    activation = activations.get(name)
    for function in (graphs.value, graphs.derivative):
        drawn = graphs.graph(activation, function, -7, 9)
        assert np.all(np.diff(drawn.x) >= 0)
        assert np.isnan(drawn.y).sum() == len(drawn.jumps)
        changes = np.abs(np.diff(drawn.y, 2)) / np.maximum(1, np.abs(drawn.y[2:]))
        assert np.nanmax(changes) < 0.1, name
        if activation.elementwise:  # where another one jumps depends on its other inputs
            assert {jump.at for jump in drawn.jumps} <= {kink.at for kink in activation.kinks}


@pytest.mark.parametrize("name", KINKED)
def test_the_value_at_a_kink_is_the_registrys(name):
    activation = activations.get(name)
    drawn = graphs.graph(activation, graphs.derivative, -7, 9)
    values = {jump.at: jump.value for jump in drawn.jumps}
    kinks = [kink for kink in activation.kinks if -7 < kink.at < 9]
    assert len(values) == len(kinks) or name == "binary_step"
    for kink in kinks:
        assert values.get(kink.at, 0.0) == pytest.approx(kink.derivative, abs=1e-6)


def test_the_binary_step_jumps_itself_and_not_its_derivative():
    activation = activations.get("binary_step")
    assert graphs.graph(activation, graphs.value, -5, 5).jumps == [graphs.Jump(0.0, 0.0, 1.0, 0.0)]
    assert not graphs.graph(activation, graphs.derivative, -5, 5).jumps


def test_a_jump_that_is_not_stated_is_found():
    own = Activation("own", step)
    (jump,) = graphs.graph(own, graphs.value, -5, 5).jumps
    assert jump.at == pytest.approx(0.3, abs=1e-5)
    assert (jump.left, jump.right) == (0, 1)
    assert np.isnan(jump.value)


@pytest.mark.parametrize("spec", ["swish(beta=50.0)", "squareplus(b=0.001)"])
def test_steep_is_no_jump(spec):
    activation = activations.get(spec)
    assert not graphs.graph(activation, graphs.derivative, -5, 5).jumps


def test_unstated_kinks_of_a_known_function_are_found():
    relu = dataclasses.replace(activations.get("relu"), kinks=())
    (jump,) = graphs.graph(relu, graphs.derivative, -5, 5).jumps
    assert jump.at == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("spec", ["softmax", "softmax(axis=0)"])
def test_softmax_of_two_classes_is_the_sigmoid(spec):
    softmax, sigmoid = activations.get(spec), activations.get("sigmoid")
    x = np.linspace(-5, 5, 50)
    for function in (graphs.value, graphs.derivative):
        np.testing.assert_allclose(function(softmax, x), function(sigmoid, x), rtol=1e-5)
