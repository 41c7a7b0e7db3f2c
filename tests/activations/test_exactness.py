"""Errors in units of the last place, against a function's own evaluation in float64."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import activations
from jaxact.activations import Activation
from jaxact.activations.verification import exactness, measured
from jaxact.activations.verification.description import FACTS, describe

pytestmark = pytest.mark.usefixtures("optimized")  # digits are those of users' programs
ERRORS = [name for name in FACTS if name.startswith("error")]


def fact(activation, name) -> Any:
    """The fact of that name, of a spec or of an Activation."""
    [found] = describe(activations.get(activation), [name])
    assert found.name == name
    return found


def of(function):
    return Activation(name="tried", function=function)


def test_closed_forms_are_exact():
    single, slope, *halves = (fact("mish", error).figures["largest_error_ulp"] for error in ERRORS)
    assert 0.5 < single < 2.5
    assert 0.5 < slope < 3.5
    assert all(0.4 < error <= 0.51 for error in halves)  # rounded once


def test_cancellation_is_seen():
    """1 + e^x has lost e^x where that is small; in float64 it has not, yet."""
    naive = of(lambda x: jnp.where(x > -30, jnp.log(1 + jnp.exp(jnp.minimum(x, 30))), 0))
    figures = fact(naive, ERRORS[0]).figures
    assert figures["largest_error_ulp"] > 1e6
    assert -30 < figures["at"] < -10
    assert fact("softplus", ERRORS[0]).figures["largest_error_ulp"] < 6


def test_the_middle_of_the_range_is_told_apart():
    """Far out, where 2 x overflows, snake's slope is another one in float32."""
    found = fact("snake", ERRORS[1])
    assert found.figures["largest_error_ulp"] > 1e6
    assert found.figures["largest_within_128_ulp"] < 6
    assert " within [-128, 128]), of a sample of 262,145 numbers" in found.detail


def test_what_is_no_number_in_float32_alone_is_told():
    found = fact(of(lambda x: jnp.log(jnp.exp(jnp.clip(x, -100, 100)))), ERRORS[0])
    assert math.isinf(found.figures["largest_error_ulp"])
    assert found.detail.startswith("finite in one of the two alone at x = ")
    assert 87 < abs(found.figures["at"]) < 89


def test_a_function_that_casts_to_float32_is_no_reference_to_itself():
    def single(x):
        return jnp.tanh(x.astype(jnp.float32)).astype(x.dtype)

    assert all(fact(of(single), error).figures is None for error in ERRORS)
    assert "there is no reference" in fact(of(single), ERRORS[0]).detail
    steps = fact(of(jnp.sign), ERRORS[0])  # has no other values than float32's
    assert steps.figures["largest_error_ulp"] == 0


def test_errors_are_in_units_of_the_last_place():
    x = np.asarray([0.5, 1.0, 2.0, 3.0])
    true = np.asarray([1.0, 1.5, 1e-30, 2.0**20])
    got = true.astype(np.float32)
    for place, ulp in ((0, 2.0**-23), (1, 2.0**-23), (3, 2.0**-3)):
        off = got.astype(np.float64)
        off[place] += 3 * ulp
        worst = exactness.worst(off.astype(np.float32), true, x)
        assert worst == (pytest.approx(3, abs=1e-6), x[place])
    halves = np.asarray([1.0078125, 1.5, 1e-30, 2.0**20]).astype(jnp.bfloat16)
    assert exactness.worst(halves, true, x) == (pytest.approx(1), 0.5)


def test_small_results_and_those_by_a_root_are_counted_absolutely():
    x = np.linspace(1, 3, 401)
    true = x - 2.0
    got = np.where(np.abs(true) < 0.04, 0, true).astype(np.float32)
    assert exactness.worst(got, true, x).ulp == pytest.approx(0.035 * 2**23)
    # The derivative of a function that stops for a moment does not change its sign at the root.
    got = np.where(np.abs(true) < 0.04, 0, true**2).astype(np.float32)
    assert exactness.worst(got, true**2, x).ulp == pytest.approx(0.035**2 * 2**23)
    below = np.where(true < 0, 0, true**2)  # comes to 0, and stays there
    assert exactness.worst(np.where(true < 0.04, 0, below).astype(np.float32), below, x).ulp < 2e4
    far = np.where(np.abs(true) < 0.5, 0, true).astype(np.float32)
    assert exactness.worst(far, true, x).ulp > 1e6  # no neighbourhood
    tiny = np.full(401, 1e-38)
    assert exactness.worst(np.zeros(401, np.float32), tiny, x).ulp == pytest.approx(0.01)


def test_what_is_infinite_or_nan_in_one_alone_is_an_infinite_error():
    x, largest = np.asarray([1.0, 2.0]), float(np.finfo(np.float32).max)
    nan, inf = np.nan, np.inf
    for got, true, error in [
        (nan, nan, 0),
        (inf, 1e39, 0),
        (inf, inf, 0),
        (largest, 1e39, 0),
        (-inf, -largest, 0),
        (inf, 1.0, inf),
        (nan, 1.0, inf),
        (1.0, nan, inf),
        (-inf, 1e39, inf),
    ]:
        worst = exactness.worst(np.asarray([1, got], np.float32), np.asarray([1.0, true]), x)
        assert (worst.ulp, worst.at) == (error, 2.0 if error else 1.0)


def test_a_root_at_0_is_no_excuse():
    x = np.linspace(-1, 1, 401)
    got = np.where(np.abs(x) < 0.001, 1e-6, x).astype(np.float32)
    assert exactness.worst(got, np.where(x == 0, 1e-9, x), x).ulp > 1e6


def test_the_sample_has_every_exponent_of_both_signs():
    x = measured.sample()
    assert len(x) == measured.SAMPLE + 1
    assert (np.diff(x) >= 0).all()
    for signed in (x[x > 0], -x[x < 0]):
        counts = np.bincount(np.frexp(signed)[1] + 125, minlength=254)
        assert counts.shape == (254,)
        assert counts.min() >= 257
    halves = measured.all_bfloat16().astype(np.float32)
    assert len(halves) == 2 * 254 * 2**7 + 1
