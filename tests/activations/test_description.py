"""The description of an activation, against what is known of functions."""

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from jaxact import activations
from jaxact.activations import Activation, registry
from jaxact.activations.verification import measured, moments, shape
from jaxact.activations.verification.description import FACTS, describe, kept_bytes
from jaxact.activations.verification.nearest import nearest
from tests.support.groups import op_by_op

pytestmark = pytest.mark.usefixtures("without_programs")
ELEMENTWISE = [name for name in activations.names() if activations.get(name).elementwise]


def fact(activation, name) -> Any:
    """The fact of that name, of a spec or of an Activation."""
    [found] = describe(activations.get(activation), [name])
    assert found.name == name
    return found


def of(function, **fields):
    return Activation(name="tried", function=function, **fields)


def test_all_are_told_in_order():
    found = describe(activations.get("prelu"))
    assert [one.name for one in found] == list(FACTS)
    assert all(one.figures for one in found)


def test_selu_is_self_normalising():
    """Klambauer et al. 2017, equation 6."""
    found = fact("selu", "self-normalising")
    assert found.figures["is_self_normalizing"]
    assert found.figures["mean"] == pytest.approx(0, abs=1e-6)
    assert found.figures["variance"] == pytest.approx(1, abs=1e-6)
    assert found.figures["spectral_radius"] == pytest.approx(0.782648, abs=1e-6)
    assert found.detail.startswith("yes: ")
    assert "to (0, 1), spectral radius 0.783" in found.detail


@pytest.mark.parametrize("spec", ["relu", "identity", "linear(slope=2)", "sigmoid"])
def test_others_are_not(spec):
    found = fact(spec, "self-normalising")
    assert not found.figures["is_self_normalizing"]
    assert found.detail.startswith("no: ")


def test_a_fixed_point_that_only_stays_where_it_is_does_not_attract():
    point = moments.fixed_point(measured.line())
    assert point.moments == pytest.approx((0, 1))
    assert point.radius == pytest.approx(1)
    assert not point.is_self_normalizing


def test_a_fixed_point_elsewhere_is_found():
    """The v for which Var[1.2 tanh(z)] is v, z ~ N(0, v)."""
    point = moments.fixed_point(1.2 * np.tanh(measured.line()))
    v = point.moments.variance
    square = integrate.quad(lambda z: (1.2 * np.tanh(z)) ** 2 * density(z, v), -9, 9)[0]
    assert square == pytest.approx(v, rel=1e-8)
    assert point.radius is not None
    assert point.radius < 1
    assert not point.is_self_normalizing


def density(z, variance=1.0):
    return stats.norm.pdf(z, scale=math.sqrt(variance))


@pytest.mark.parametrize("name", ["relu", "tanh", "mish", "hard_shrink", "binary_step"])
def test_moments_and_gain_are_the_integrals(name):
    activation = activations.get(name)
    nodes, weights = np.polynomial.legendre.leggauss(300)
    ends = [-9.0, *(kink.at for kink in activation.kinks), 9.0]
    mean = square = 0.0
    with jax.enable_x64(True):
        for low, high in itertools.pairwise(ends):
            z = low + (high - low) * (nodes + 1) / 2
            mass = (high - low) / 2 * weights * density(z)
            values = np.asarray(activation(z))
            mean, square = mean + mass @ values, square + mass @ values**2
        found = moments.moments(np.asarray(activation(measured.line())))
    assert found == pytest.approx((mean, square - mean**2), abs=1e-6)
    assert found.gain == pytest.approx(1 / math.sqrt(square), rel=1e-6)


def test_relu_has_the_gain_of_he_and_is_not_centred():
    centre = fact("relu", "mean and variance")
    assert fact("relu", "gain").figures["gain"] == pytest.approx(math.sqrt(2), rel=1e-6)
    assert centre.figures["mean"] == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-6)
    assert centre.figures["variance"] == pytest.approx(0.5 - 1 / (2 * math.pi), rel=1e-6)
    assert not centre.figures["is_zero_centred"]
    assert fact("tanh", "mean and variance").figures["is_zero_centred"]


def test_the_slope_of_gelu_is_steepest_at_the_square_root_of_2():
    figures = fact("gelu", "Lipschitz constant").figures
    assert figures["steepest_slope"]["value"] == pytest.approx(1.128904, abs=1e-6)
    assert figures["steepest_slope"]["low"] == pytest.approx(math.sqrt(2), abs=1e-3)
    assert figures["jumps_at"] is None


def test_a_jump_has_no_lipschitz_constant():
    found = fact("hard_shrink", "Lipschitz constant")
    assert abs(found.figures["jumps_at"]) == pytest.approx(0.5)
    assert found.detail.startswith("none: ")


def test_swish_has_its_minimum_and_turns_there():
    extremes, turns = fact("swish", "range"), fact("swish", "monotonic")
    assert extremes.figures["smallest"]["value"] == pytest.approx(-0.278465, abs=1e-6)
    assert extremes.figures["smallest"]["low"] == pytest.approx(-1.278465, abs=1e-3)
    assert extremes.detail.startswith("-0.2785 at x = -1.27")
    assert turns.figures["turns_at"] == pytest.approx([-1.278465], abs=2e-3)


@pytest.mark.parametrize(
    ("function", "detail"),
    [
        (lambda x: -jnp.tanh(x), "non-increasing over [-40, 40]"),
        (lambda x: jnp.zeros_like(x), "constant over [-40, 40]"),
        (jax.nn.relu, "non-decreasing over [-40, 40]"),
        (jnp.abs, "turns at x = "),
        (jnp.sin, " and 23 more times over [-40, 40]"),
    ],
)
def test_turns_in_words(function, detail):
    assert detail in fact(of(function), "monotonic").detail


@op_by_op(measured.line())
def on_the_line(activation, x):
    return activation(x)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_turns_are_as_the_registry_says(name):
    found = shape.turns(measured.line(), on_the_line(name))
    assert (not found.at) == activations.get(name).monotonic


def test_ranges_in_words():
    assert fact("relu", "range").detail == "0 from x = -3.4e+38 to 0, 3.4e+38 at x = 3.4e+38"


def test_memory_is_that_of_the_residuals():
    assert kept_bytes(activations.get("relu")) == 4
    assert kept_bytes(of(lambda x: x + 1)) == 0
    assert kept_bytes(of(lambda x: 2 * x)) == 0
    assert kept_bytes(of(lambda x: x * x)) == 4  # x, twice
    assert kept_bytes(of(lambda x: x * jnp.exp(x))) == 8
    learned = kept_bytes(activations.get("learned_swish"))
    assert learned > kept_bytes(activations.get("swish")) == 4
    assert fact("softmax", "memory for the gradient").figures["bytes_an_element_of_relu"] == 4


def neighbours(activation):
    return fact(activation, "nearest").figures["functions"]


def test_the_nearest_are_found():
    assert neighbours("identity")[0]["name"] == "linear"
    assert fact("identity", "nearest").detail.startswith("the same as linear; ")
    own = of(lambda x: x * jax.nn.sigmoid(x))
    assert fact(own, "nearest").detail.startswith("the same as swish; ")
    double = fact(of(lambda x: 2 * jnp.tanh(x)), "nearest")
    assert double.detail.startswith("tanh scaled by 2; ")
    assert double.figures["functions"][0]["scale"] == pytest.approx(2)
    assert len(double.figures["functions"]) == 3


def test_distances_are_the_largest_differences():
    relu = {one["name"]: one for one in neighbours(of(jax.nn.relu))}
    assert relu["relu"]["is_same"]
    assert not relu["relu6"]["is_same"]  # but over [-5, 5] it is
    assert relu["relu6"]["value"] == 0
    [first, *_] = neighbours("quick_gelu")
    x = np.linspace(-5, 5, 100_001)
    with jax.enable_x64(True):
        one, other = (activations.get(name) for name in ("quick_gelu", first["name"]))
        largest = np.abs(np.asarray(one(x) - other(x))).max()
        steepest = np.abs(np.asarray(one.derivative(x) - other.derivative(x))).max()
    assert (first["value"], first["derivative"]) == pytest.approx((largest, steepest), rel=1e-3)


def test_the_same_over_the_interval_alone_is_told_so():
    naive = fact(of(lambda x: jnp.log(1 + jnp.exp(x))), "nearest")
    assert naive.detail.startswith("the same as softplus over [-5, 5]; ")


def test_a_function_of_another_shape_is_told():
    said = [one.detail for one in describe(of(lambda x: x[:1]), ["range", "gain", "nearest"])]
    assert said[0].startswith("not measured: ValueError: it does not keep the shape of its input")
    assert len({*said}) == 1


def test_equal_values_with_another_derivative_are_not_the_same():
    straight = of(activations.binary_step, derivative_function=jnp.ones_like)
    step = next(one for one in neighbours(straight) if one["name"] == "binary_step")
    assert (step["value"], step["derivative"], step["is_same"]) == (0, 1, False)


def test_small_functions_are_not_all_the_same():
    small = neighbours(of(lambda x: 1e-7 * jnp.sin(3 * x)))
    assert len(small) == 3
    assert not any(one["is_same"] or one["scale"] for one in small)


def test_a_registered_function_that_fails_is_left_out(monkeypatch):
    monkeypatch.setattr(registry, "_definitions", dict(registry._definitions))
    activations.register("broken", lambda x: x.no_such_attribute)
    results = np.zeros((2, len(measured.plane())))
    assert "broken" not in [one.name for one in nearest(of(jnp.zeros_like), results, count=99)]


def test_what_is_not_elementwise_gets_what_can_be_said():
    found = {one.name: one for one in describe(activations.get("softmax"))}
    said = [name for name, one in found.items() if one.figures is not None]
    assert said == ["memory for the gradient"]
    assert found["gain"].detail.startswith("not measured: it is not elementwise")


def test_what_fails_says_why():
    def picky(x):
        raise RuntimeError("never today")

    assert all("RuntimeError: never today" in one.detail for one in describe(of(picky)))
    forward_only = jax.custom_vjp(jnp.tanh)
    forward_only.defvjp(picky, picky)
    slope, gain = (fact(of(forward_only), name) for name in ("Lipschitz constant", "gain"))
    assert gain.figures["gain"] == pytest.approx(1.5925, abs=1e-3)
    assert slope.figures is None
    assert slope.detail.startswith("not measured: RuntimeError: never today (test_description.py, ")
    log = fact(of(jnp.log), "gain")
    assert (log.figures, log.detail) == (None, "not measured: it is nan at x = -40")
