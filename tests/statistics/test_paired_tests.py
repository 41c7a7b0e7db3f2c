"""Paired tests: hand-checked values, scipy as reference, properties."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from jaxact.statistics import MIN_PAIRS, compare, holm, paired_tests
from tests.support.samples import FINITE, INF, NAN, few, same


def test_holm_by_hand():
    same(holm([0.04, 0.01, 0.03]), [0.06, 0.03, 0.06])
    same(holm([0.01, NAN, 0.9, 0.6]), [0.03, NAN, 1, 1])
    assert holm([]).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=15))
@few
def test_holm_keeps_the_order_and_only_raises(p_values):
    corrected = holm(p_values)
    assert np.all(corrected >= p_values)
    assert np.all(corrected <= np.minimum(1, np.array(p_values) * len(p_values)) + 1e-12)
    assert np.all(np.diff(corrected[np.argsort(p_values, kind="stable")]) >= 0)


def against_zero(differences):
    """The comparison of a name whose paired differences from the baseline are these."""
    values = {"base": [0.0] * len(differences), "other": list(differences)}
    (comparison,) = compare(values, "base")
    return comparison


@pytest.mark.parametrize(
    ("differences", "p_value"),
    [
        ([1.0] * 5, 2 / 32),
        ([1.0] * 6, 2 / 64),
        ([0.0] * 6, 1),
        ([1, 2, 3, 4, 5, -1], 6 / 64),  # sums of 14 or more: 16, and 14 twice
        ([1, 2, 3, 4, 5, 100], 2 / 64),
        ([INF] * 6, 2 / 64),
        ([-INF, -INF, -1, -1, -2, -3], 2 / 64),
        ([INF, -INF, 0, 0, 0], 1),
    ],
)
def test_p_value_by_hand(differences, p_value):
    assert against_zero(differences).p_value == pytest.approx(p_value)


@pytest.mark.parametrize("pairs", [5, 8, 12, 15])
def test_p_value_is_the_share_of_sign_patterns(pairs):
    differences = np.random.default_rng(pairs).normal(0.4, 1, pairs)
    sums = [abs(np.dot(s, differences)) for s in itertools.product([-1, 1], repeat=pairs)]
    expected = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-9)
    assert against_zero(differences).p_value == pytest.approx(expected)


@pytest.mark.parametrize("pairs", [6, 12])
def test_with_misses_the_test_is_wilcoxons(pairs):
    differences = np.random.default_rng(pairs).normal(0.4, 1, pairs)
    differences[np.argmax(np.abs(differences))] = INF
    ranked = np.where(np.isinf(differences), 100, differences)
    _, expected = stats.wilcoxon(ranked, method="exact")
    assert against_zero(differences).p_value == pytest.approx(expected)


def test_many_pairs_are_drawn_and_agree_with_t():
    differences = np.random.default_rng(0).normal(0.3, 1, 40)
    ours = against_zero(differences).p_value
    _, expected = stats.ttest_1samp(differences, 0)
    assert ours == pytest.approx(expected, abs=0.02)
    assert ours == against_zero(differences).p_value
    assert ours >= 1 / (paired_tests.DRAWN + 1)


@pytest.mark.parametrize("alternative", ["two-sided", "less"])
def test_drawn_patterns_agree_with_all(alternative, monkeypatch):
    scores = np.random.default_rng(1).normal(-0.3, 1, 24)
    exact = paired_tests.sign_flip_test(scores, alternative)
    monkeypatch.setattr(paired_tests, "EXACT_PAIRS", 10)
    assert paired_tests.sign_flip_test(scores, alternative) == pytest.approx(exact, abs=0.005)


def test_the_smallest_p_value_is_that_of_one_pattern_in_all():
    assert against_zero([1.0 + k for k in range(20)]).p_value == pytest.approx(2.0**-19)


def test_comparison_by_hand():
    values = {
        "relu": [1.0, 2.0, 3.0, 4.0, NAN, 5.0, 9.0],
        "elu": [2.0, 4.0, 6.0, 5.0, 7.0, 7.0, NAN],
        "tanh": [NAN] * 7,
    }
    elu, tanh = compare(values, "relu")
    assert (elu.name, elu.baseline, elu.pairs) == ("elu", "relu", 5)
    assert elu.difference.value == pytest.approx((1 + 2 + 3 + 1 + 2) / 5)
    assert 1 <= elu.difference.low < 1.8 < elu.difference.high <= 3
    assert elu.p_value == elu.corrected_p_value == pytest.approx(2 / 32)
    assert elu.effect_size == pytest.approx(1.8 / math.sqrt(0.7))
    assert tanh.pairs == 0
    assert not tanh.significant
    assert (elu.wins, elu.ties, elu.losses) == (0, 0, 5)
    # by value of elu: 2 is below 4 of relu's and ties with one, and so on
    assert elu.improvement == pytest.approx(11.5 / 36)
    same((*tanh.difference, tanh.p_value, tanh.corrected_p_value, tanh.effect_size), [NAN] * 6)


def test_the_order_is_that_of_the_names():
    values = {"a": [1.0, 2.0], "base": [1.0, 2.0], "b": [1.0, 2.0]}
    assert [comparison.name for comparison in compare(values, "base")] == ["a", "b"]
    assert compare({"base": [1.0]}, "base") == []


def test_differences_that_do_not_vary_have_no_effect_size():
    """Equal in decimals, not in binary: 0.3 - 0.2 != 0.2 - 0.1."""
    base = [0.1 * k for k in range(8)]
    (comparison,) = compare({"base": base, "other": [v + 0.1 for v in base]}, "base")
    same(comparison.difference, (0.1, 0.1, 0.1))
    assert math.isnan(comparison.effect_size)
    assert comparison.significant


@pytest.mark.parametrize("pairs", range(MIN_PAIRS))
def test_too_few_pairs_are_never_significant(pairs):
    comparison = against_zero([100.0 + k for k in range(pairs)])
    assert math.isnan(comparison.p_value)
    assert math.isnan(comparison.corrected_p_value)
    assert comparison.significant is False
    if pairs > 1:
        assert comparison.difference.low > 0


def test_pairs_left_out_do_not_count():
    values = {"base": [0.0] * 8, "other": [5.0] * 4 + [NAN] * 4}
    (comparison,) = compare(values, "base")
    assert comparison.pairs == 4
    assert not comparison.significant


@pytest.mark.parametrize("scale", [1e-305, 1e-9, 1, 1e15])
def test_the_unit_does_not_matter(scale):
    (comparison,) = compare({"base": [scale] * 6, "other": [3 * scale] * 6}, "base")
    np.testing.assert_allclose(comparison.difference, 2 * scale, rtol=1e-9)
    assert comparison.significant


def test_misses_are_compared_and_shared_misses_are_ties():
    values = {"base": [1.0] * 8 + [INF], "other": [INF] * 8 + [INF], "same": [INF] * 9}
    other, same_misses = compare(values, "base")
    assert other.difference.value == INF
    assert other.significant
    assert math.isnan(other.effect_size)
    assert same_misses.p_value == other.p_value
    (tie,) = compare({"base": [INF] * 6, "other": [INF] * 6}, "base")
    same(tie.difference, (0, 0, 0))
    assert tie.p_value == 1
    assert not tie.significant


@pytest.mark.parametrize(
    "differences", [[INF] + [-1.0] * 15, [INF] * 12 + [-INF]], ids=["one miss", "both ways"]
)
def test_ranks_that_disagree_with_the_mean_are_not_called(differences):
    comparison = against_zero(differences)
    assert comparison.corrected_p_value < 0.05
    assert not comparison.significant


@pytest.mark.parametrize(
    ("values", "baseline", "words"),
    [
        ({"a": [1.0]}, "b", "baseline 'b' has no values; there are: a"),
        ({"a": [1.0, 2.0], "b": [1.0]}, "b", "'b' has 1 values and 'a' has 2"),
    ],
)
def test_what_cannot_be_compared(values, baseline, words):
    with pytest.raises(ValueError, match=words):
        compare(values, baseline)


def test_sums_that_are_equal_are_not_told_apart_by_rounding():
    base = [0, 0, 0, 0, 883494, 0.007812, -574985, 490843]
    x = [0, -484772, 449071, -770482, 605556, 1e6, 0, 0]
    assert compare({"a": base, "b": x}, "a")[0].p_value == 1
    assert compare({"a": base, "b": x}, "b")[0].p_value == 1
    # 0.1 + 0.2 and 0.3 are as far out, in floating point not quite.
    tied = compare({"a": [0.0] * 5, "b": [0.1, 0.2, -0.3, 0.4, 0.4]}, "a")[0]
    assert tied.p_value == compare({"a": [0] * 5, "b": [1, 2, -3, 4, 4]}, "a")[0].p_value


@given(st.lists(st.tuples(FINITE, FINITE), min_size=5, max_size=9), st.randoms())
@few
def test_comparison_depends_on_the_pairs_alone(pairs, random):
    (one,) = compare({"base": [b for b, _ in pairs], "x": [x for _, x in pairs]}, "base")
    assert 0 < one.p_value <= one.corrected_p_value <= 1
    pairs = random.sample(pairs, len(pairs))
    (other,) = compare({"base": [b for b, _ in pairs], "x": [x for _, x in pairs]}, "base")
    np.testing.assert_equal(tuple(other), tuple(one))
    (back,) = compare({"x": [x for _, x in pairs], "base": [b for b, _ in pairs]}, "x")
    assert back.p_value == pytest.approx(one.p_value)
    assert back.difference.value == pytest.approx(-one.difference.value)
