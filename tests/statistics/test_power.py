"""Power: against simulated studies, by hand where it is known exactly, and its limits."""

import re

import numpy as np
import pytest
from scipy import stats

from jaxact.statistics import SIGNIFICANCE, compare, detection, fewest_seeds, seeds_needed
from jaxact.statistics.paired_tests import sign_flip_test
from tests.support.paths import ROOT


def simulated(difference, noise, seeds, comparisons, studies):
    """Share of simulated pairs of activations that the test of a comparison tells apart."""
    rng = np.random.default_rng(seeds)
    one = rng.normal(0, noise, (studies, seeds))
    other = rng.normal(difference, noise, (studies, seeds))
    p_values = np.array([sign_flip_test(row) for row in other - one])
    return np.mean(p_values * comparisons < SIGNIFICANCE)


@pytest.mark.parametrize(
    ("difference", "seeds", "comparisons", "tolerance"),
    [(0.3, 6, 1, 0.03), (0.2, 10, 1, 0.03), (0.3, 9, 5, 0.08), (0.13, 20, 1, 0.03)],
)
def test_detection_is_that_of_simulated_studies(difference, seeds, comparisons, tolerance):
    studies = 800
    share = simulated(difference, 0.14, seeds, comparisons, studies)
    chance = 3 * np.sqrt(share * (1 - share) / studies)
    assert abs(detection(difference, 0.14, seeds, comparisons) - share) < tolerance + chance


def test_detection_by_hand():
    """Six pairs are significant only with one sign; d = 1 makes that Phi(1)^6 + Phi(-1)^6."""
    exact = stats.norm.cdf(1) ** 6 + stats.norm.cdf(-1) ** 6
    assert detection(np.sqrt(2), 1.0, 6) == pytest.approx(exact)
    assert detection(-np.sqrt(2), 1.0, 6) == pytest.approx(exact)
    assert detection(100, 1.0, 5) == 0
    assert detection(100, 1.0, 50) == 1
    assert detection(0, 1.0, 50) == pytest.approx(0.05)


@pytest.mark.parametrize(("comparisons", "seeds"), [(1, 6), (2, 7), (5, 8), (10, 9), (11, 9)])
def test_fewest_seeds_are_the_first_that_can_be_significant(comparisons, seeds):
    assert fewest_seeds(comparisons) == seeds
    for pairs, called in ((seeds, True), (seeds - 1, False)):
        values = {f"worse{k}": np.arange(pairs) + 9.0 for k in range(comparisons)}
        family = compare({"base": [0.0] * pairs, **values}, "base")
        assert {comparison.significant for comparison in family} == {called}


@pytest.mark.parametrize(
    ("difference", "comparisons", "seeds"),
    [(1, 1, 6), (0.3, 1, 7), (0.2, 1, 10), (0.1, 1, 33), (0.2, 10, 18)],
)
def test_seeds_needed(difference, comparisons, seeds):
    assert seeds_needed(difference, 0.14, comparisons=comparisons) == seeds
    assert detection(difference, 0.14, seeds, comparisons) >= 0.8
    assert detection(difference, 0.14, seeds - 1, comparisons) < 0.8


def test_many_seeds_are_those_of_the_normal_approximation():
    """n = 2 ((z_0.975 + z_0.8) noise / difference)^2."""
    expected = 2 * ((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * 0.14 / 0.001) ** 2
    assert seeds_needed(0.001, 0.14) == pytest.approx(expected, rel=1e-3)


def test_a_surer_answer_takes_more_seeds():
    needed = [seeds_needed(0.1, 0.14, power) for power in (0.5, 0.8, 0.9, 0.99)]
    assert needed == sorted(set(needed))


@pytest.mark.parametrize(
    "arguments",
    [(0, 0.14), (0.1, 0), (0.1, -1), (0.1, 0.14, 0), (0.1, 0.14, 1), (0.1, 0.14, 0.8, 0)],
)
def test_what_no_number_of_seeds_answers(arguments):
    with pytest.raises(ValueError, match="must"):
        seeds_needed(*arguments)


def test_the_page_has_the_seeds_of_the_function():
    page = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d.]+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    assert len(rows) == 5
    for difference, *seeds in rows:
        expected = [seeds_needed(float(difference), 0.14, comparisons=m) for m in (1, 5, 10)]
        assert list(map(int, seeds)) == expected
