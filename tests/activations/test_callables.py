"""Functions in the place of specs."""

import functools
import math

import jax
import jax.numpy as jnp
import pytest

from jaxact import activations
from jaxact.activations import ActivationError, callables, fingerprint


def own(x):
    """x, and a tenth of it below 0."""
    return jnp.where(x > 0, x, 0.1 * x)


def of_a_cell(name="own"):
    """A function as a notebook has it."""

    def function(x, slope=0.2):
        return jnp.where(x > 0, x, slope * x)

    function.__name__ = name
    return function


@pytest.mark.parametrize(
    ("function", "spec"),
    [
        (jnp.sin, "jax.numpy:sin"),
        (jax.nn.gelu, "jax.nn:gelu"),
        (own, f"{__name__}:own"),
        (activations.get("mish").function, "mish"),
        (functools.partial(activations.elu, alpha=0.5), "elu(alpha=0.5)"),
        (functools.partial(own), f"{__name__}:own"),
        (of_a_cell(), "own"),
        (of_a_cell("other"), "other"),
        (functools.partial(of_a_cell("third"), slope=0.5), "third"),
    ],
)  # fmt: skip
def test_a_function_has_the_spec_by_which_it_is_found(function, spec):
    activation = activations.get(function)
    assert activation.spec == callables.spec_of(function) == spec
    assert activations.get(spec) == activation
    plain = function if not isinstance(function, functools.partial) else function.func
    assert float(activation(0.5)) == pytest.approx(float(plain(0.5)), rel=1e-6)


@pytest.mark.parametrize("name", ["<lambda>", "relu", "2wrong", "größe!"])
def test_a_name_that_cannot_stand_alone_has_a_fingerprint(name):
    one, two = of_a_cell(name), of_a_cell(name)
    other = functools.partial(one, slope=0.3)
    specs = [activations.get(f).spec for f in (one, two, other)]
    assert specs[0] == specs[1] != specs[2]
    assert all(activations.get(spec).spec == spec for spec in specs)
    assert specs[0] != name


def test_the_latest_of_one_name_counts_and_the_unique_name_stays():
    first, second = of_a_cell("bent"), functools.partial(of_a_cell("bent"), slope=0.4)
    unique = activations.get(callables.spec_of(first, is_unique=True))
    activations.get(first)
    activations.get(second)
    assert float(activations.get("bent")(-1.0)) == pytest.approx(-0.4)
    assert float(unique(-1.0)) == pytest.approx(-0.2)


def test_an_activation_of_a_program_is_found_again():
    made = activations.Activation("made", own, reference="here")
    spec = callables.spec_of(made)
    assert activations.get(spec).function is own
    assert activations.get(spec).reference == "here"
    assert callables.spec_of(activations.get("relu")) == "relu"


@pytest.mark.parametrize("wrong", [3, None, math.pi, ["relu"]])
def test_what_is_no_function_is_refused(wrong):
    with pytest.raises(ActivationError, match="given as text"):
        activations.get(wrong)


def test_what_no_other_process_finds_is_sent_to_no_command():
    with pytest.raises(ActivationError, match="it branches") as given:
        callables.spec_of(lambda x: x if x > 0 else 0 * x)
    assert "jaxact.check" not in str(given.value)
    with pytest.raises(ActivationError, match=r"jaxact\.check math:tanh"):
        fingerprint.tried(activations.get("math:tanh"))


def test_two_activations_of_one_name_are_told_apart():
    slopes = [(("slope", value),) for value in (0.1, 0.3)]
    made = [activations.Activation("made", of_a_cell(), constants=slope) for slope in slopes]
    plain = [callables.spec_of(one) for one in made]
    specs = [callables.spec_of(one, is_unique=True) for one in made]
    assert plain == ["made", "made"]
    assert [activations.get(spec).constants for spec in specs] == slopes
