"""Verdicts: each comes out by its own rule, corrected for what is compared with it."""

import math

import numpy as np
import pytest
from scipy import stats

from jaxact.statistics import (
    BETTER,
    EQUIVALENT,
    MIN_PAIRS,
    UNDECIDED,
    WORSE,
    Margin,
    all_pairs,
    compare,
    corrected,
    excess,
    flipped,
    holm,
)
from tests.support.samples import INF, NAN, same


def against_zero(differences, margin: float | None = 0.2, **options):
    values = {"base": [10.0] * len(differences), "other": [10 + d for d in differences]}
    (comparison,) = compare(values, "base", margin, **options)
    return comparison


@pytest.mark.parametrize("anytime", [False, True])
@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([-1.0, -1.1, -0.9] * 6, BETTER),
        ([1.0, 1.1, 0.9] * 6, WORSE),
        ([0.01, -0.02, 0.01] * 6, EQUIVALENT),
        ([0.0] * 20, EQUIVALENT),
        ([0.05, 0.051, 0.049] * 6, WORSE),  # of no account, but told apart all the same
        ([1.0, -1.0, 0.9, -0.9] * 4, UNDECIDED),
        ([-5.0] * 4, UNDECIDED),
        ([INF] * 12, WORSE),
        ([INF, -INF] * 6, UNDECIDED),
    ],
)
def test_each_verdict(differences, verdict, anytime):
    comparison = against_zero(differences, anytime=anytime)
    assert comparison.verdict == verdict
    assert comparison.significant == (verdict in (BETTER, WORSE))


def test_without_a_margin_none_is_equivalent():
    comparison = against_zero([0.0] * 20, None)
    assert comparison.verdict == UNDECIDED
    assert math.isnan(comparison.equivalence_p_value)


def test_equivalence_by_hand():
    """All of 5 differences are within the margin: 1 of 32 patterns is as far from each end."""
    assert against_zero([0.1, -0.1, 0.0, 0.1, 0.0]).equivalence_p_value == pytest.approx(1 / 32)
    # one of them is beyond the upper end: its sign flipped is as far
    assert against_zero([0.3, -0.1, 0.0, 0.1, 0.0]).equivalence_p_value == pytest.approx(3 / 32)


def test_equivalence_is_like_students_two_one_sided_tests():
    differences = np.random.default_rng(0).normal(0.05, 0.2, 25)
    t = [(differences.mean() + end) / stats.sem(differences) for end in (-0.2, 0.2)]
    above, below = stats.t.cdf(t[0], 24), stats.t.sf(t[1], 24)
    ours = against_zero(differences).equivalence_p_value
    assert ours == pytest.approx(max(above, below), abs=0.01)


@pytest.mark.parametrize(
    ("times", "verdict"),
    [(102.0, EQUIVALENT), (106.0, UNDECIDED), (98.0, EQUIVALENT), (94.0, UNDECIDED)],
)
def test_a_relative_margin_is_a_share_of_the_baseline(times, verdict):
    """Noise of 20 % of the common time, alike in both: the ratio is what is tested."""
    base = 100 * (1 + 0.2 * np.sin(np.arange(12)))
    noise = 8 * np.cos(3 * np.arange(12))  # and enough of their own to tell nothing apart
    noise -= noise.mean()
    values = {"base": base, "other": base * times / 100 + noise * (abs(times - 100) / 3)}
    (comparison,) = compare(values, "base", Margin(0.05, is_relative=True))
    assert comparison.verdict in (verdict, UNDECIDED)
    is_within = abs(times - 100) < 5
    assert (comparison.equivalence_p_value < 0.5) == is_within


@pytest.mark.parametrize(
    ("shift", "is_shown"), [(0.5, True), (-0.5, True), (0.2, False), (0.1, False)]
)
def test_excess_shows_a_difference_beyond_the_margin_either_way(shift, is_shown):
    noise = 0.05 * np.cos(np.arange(10))
    p_value = excess(10 + shift + noise, np.full(10, 10.0), Margin(0.2))
    assert (p_value < 0.05) == is_shown
    assert math.isnan(excess([1.0] * (MIN_PAIRS - 1), [2.0] * (MIN_PAIRS - 1), Margin(0.2)))


def test_all_pairs_are_corrected_for_each_other():
    random = np.random.default_rng(0)
    values = {name: random.normal(k / 4, 0.3, 12) for k, name in enumerate("abcd")}
    pairs = all_pairs(values, 0.1)
    assert [(c.name, c.baseline) for c in pairs] == [
        (a, b) for a, b in ("ab", "ac", "ad", "bc", "bd", "cd")
    ]
    alone = [
        compare({c.baseline: values[c.baseline], c.name: values[c.name]}, c.baseline, 0.1)[0]
        for c in pairs
    ]
    same([c.p_value for c in pairs], [c.p_value for c in alone])
    same([c.corrected_p_value for c in pairs], holm([c.p_value for c in alone]))
    same(
        [c.corrected_equivalence_p_value for c in pairs],
        holm([c.equivalence_p_value for c in alone]),
    )
    assert {c.verdict for c in pairs} >= {BETTER, UNDECIDED}


def test_a_comparison_seen_from_the_other_side():
    values = {"a": [1.0, 2, 3, 4, 5, 7], "b": [2.0, 2, 5, 4.5, 7, 7]}
    (one,) = compare(values, "a", 0.2)
    (other,) = compare(values, "b", 0.2)
    back = flipped(one)
    assert (back.name, back.baseline, back.verdict) == (other.name, other.baseline, other.verdict)
    for field in ("p_value", "effect_size", "wins", "ties", "losses", "improvement"):
        assert getattr(back, field) == pytest.approx(getattr(other, field)), field
    assert back.difference.value == pytest.approx(other.difference.value)
    assert back.wins != back.losses


def test_families_are_corrected_together():
    """At 12 seeds 1 of 6 is told apart alone (p = 0.0005 x 6), not among 600."""
    shifted = [0.3 + 0.1 * (-1) ** k for k in range(12)]
    family = [against_zero(shifted)] * 3
    assert {c.verdict for c in family} == {WORSE}
    few, more = corrected([family, [against_zero(shifted)]])
    assert [len(few), len(more)] == [3, 1]
    assert {c.verdict for c in (*few, *more)} == {WORSE}
    many = corrected([family] * 200)
    assert {c.verdict for c in many[0]} == {UNDECIDED}


@pytest.mark.parametrize("margin", [0.0, -0.1, NAN, INF])
def test_a_margin_is_a_positive_number(margin):
    with pytest.raises(ValueError, match="margin must be a positive number"):
        against_zero([1.0] * 6, margin)


@pytest.mark.parametrize(
    ("values", "margin", "message"),
    [
        ([[1.0], [2.0]], None, "values must be a mapping"),
        ({"a": 1.0, "b": 2.0}, None, r"'a' has values of shape \[\]"),
        ({"a": np.ones((3, 2)), "b": np.ones((3, 2))}, None, r"shape \[3, 2\]: give \[seeds\]"),
        ({"a": ["x"], "b": ["y"]}, None, "the values of 'a' must be numbers"),
        ({"a": [1.0], "b": [2.0]}, "0.2", "margin must be a positive number, not '0.2'"),
        ({}, None, "baseline 'a' has no values; there are: none"),
    ],
)
def test_what_is_no_number_a_seed_is_refused(values, margin, message):
    with pytest.raises(ValueError, match=message):
        compare(values, "a", margin)
