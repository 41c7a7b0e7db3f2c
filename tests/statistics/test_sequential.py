"""Tests that allow for looking: exact over all patterns of signs, and by hand."""

import itertools

import numpy as np
import pytest

from jaxact.statistics import sequential
from tests.support.samples import INF, same

PAIRS = 8
SIGNS = np.array(list(itertools.product([-1, 1], repeat=PAIRS)))
SIZES = {
    "equal": np.ones(PAIRS),
    "normal": np.abs(np.random.default_rng(0).normal(0, 1, PAIRS)),
    "rising": np.exp(np.arange(PAIRS)),
    "with misses": np.array([1.0, 2, INF, 1, INF, 3, 2, 1]),
    "all misses": np.full(PAIRS, INF),
}


@pytest.mark.parametrize("name", SIZES)
def test_no_wealth_is_made_on_average_where_signs_are_fair_coins(name):
    wealth = np.array([sequential.wealth(signs * SIZES[name]) for signs in SIGNS])
    same(wealth.mean(axis=0), np.ones(PAIRS))
    assert wealth.min() > 0  # no bet is ever lost for good
    assert wealth.max() > 20


@pytest.mark.parametrize("alternative", ["two-sided", "less"])
@pytest.mark.parametrize("name", SIZES)
def test_false_alarms_at_any_look(name, alternative):
    """Exactly: the share of all patterns that are ever below a level is that level at most."""
    p_values = np.array(
        [sequential.anytime_test(signs * SIZES[name], alternative) for signs in SIGNS]
    )
    for k in range(0, len(SIGNS), 37):  # the last look is below no earlier one
        looks = [SIGNS[k][:n] * SIZES[name][:n] for n in range(1, PAIRS + 1)]
        assert p_values[k] == min(sequential.anytime_test(look, alternative) for look in looks)
    for level in (0.5, 0.2, 0.05, 0.01):
        assert np.mean(p_values <= level) <= level
    assert np.mean(p_values <= 0.2) > 0.02  # the level is used, not avoided


def test_the_wealth_by_hand():
    """Sizes of one root mean square: stakes tanh(1/2), tanh(1), tanh(2), and 0.98 of tanh(4)."""
    stakes = np.tanh([0.5, 1.0, 2.0, 4.0])
    stakes[3] = 0.98
    same(
        sequential.wealth(np.array([1.0, 1.0, -1.0])),
        [
            np.mean(1 + stakes),
            np.mean((1 + stakes) ** 2),
            np.mean((1 + stakes) ** 2 * (1 - stakes)),
        ],
    )


def test_evidence_once_there_stays():
    rising = [-1.0] * 8
    p_value = sequential.anytime_test(np.array(rising))
    assert p_value < 0.05
    assert sequential.anytime_test(np.array([*rising, *[1.0] * 8])) == p_value
    assert sequential.anytime_test(np.array(rising), "less") == pytest.approx(p_value / 2, rel=0.1)


def test_no_difference_is_no_evidence():
    assert sequential.anytime_test(np.zeros(12)) == 1
    assert sequential.anytime_test(np.array([])) == 1
    assert sequential.wealth(np.array([0.0, 1.0]))[0] == 1


@pytest.mark.parametrize("unit", [1e-200, 1e-9, 1e12])
def test_the_unit_does_not_matter(unit):
    differences = np.random.default_rng(1).normal(1, 1, 12)
    same(sequential.wealth(unit * differences), sequential.wealth(differences))
