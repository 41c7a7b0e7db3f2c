"""Statistics: hand-checked values, scipy as reference, properties, and simulated studies."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from jaxact.statistics import paired
from jaxact.statistics.paired import compare, holm, mean, median

INF, NAN = math.inf, math.nan
FINITE = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))
SAMPLES = st.lists(FINITE, min_size=2, max_size=12)
few = settings(max_examples=40, deadline=None)


def same(left, right):
    """Equal estimates, nan with nan and infinity with infinity."""
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12)


def at_most(count, trials, share):
    """Whether `count` of `trials` is no evidence (p > 0.001) of a probability above `share`."""
    return stats.binomtest(count, trials, share, alternative="greater").pvalue > 0.001


@pytest.fixture
def fewer_resamples(monkeypatch):
    """For simulations that do not look at BCa intervals, or look at very many."""
    monkeypatch.setattr(paired, "RESAMPLES", 199)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (NAN, NAN, NAN)),
        ([NAN, NAN], (NAN, NAN, NAN)),
        ([3.0], (3, NAN, NAN)),
        ([INF], (INF, NAN, NAN)),
        ([3.0, NAN, 1.0], (2, 1, 3)),
        ([2.0] * 6, (2, 2, 2)),
        ([5.0, 1.0, 2.0, 4.0, 3.0], (3, 1, 5)),
        ([5.0, INF, 2.0, 4.0, 3.0], (4, 2, INF)),
        ([5.0, INF, INF, INF, 3.0], (INF, 3, INF)),
        ([4.0, INF], (INF, 4, INF)),
        ([INF] * 5, (INF, INF, INF)),
        (list(range(1, 12)), (6, 3, 9)),
        (list(range(1, 21)), (10.5, 6, 15)),
    ],
)
def test_median(values, expected):
    same(median(values), expected)


@pytest.mark.parametrize("count", [5, 7, 11, 20])
def test_median_has_the_interval_that_resampling_tends_to(count):
    """With the middle two drawn apart; ends are compared by their shares, as draws are noisy."""
    values = np.arange(count, dtype=float)
    draws = np.sort(np.random.default_rng(0).choice(values, (50_000, count)), axis=1)
    middle = draws[:, (count - 1) // 2]
    low = median(values).low
    tail = paired._tail(count)
    noise = 5 * math.sqrt(tail / len(draws))
    assert np.mean(middle <= low) >= tail - noise
    assert np.mean(middle < low) <= tail + noise


@pytest.mark.parametrize("count", range(2, 40))
def test_median_interval_holds_the_truth_often_enough(count):
    """P(x_(i) < median < x_(n + 1 - i)) = 1 - 2 P(Binomial(n, 1/2) < i), for any density."""
    low = median(range(1, count + 1)).low
    coverage = 1 - 2 * stats.binom.cdf(low - 1, count, 0.5)
    assert coverage >= (0.93 if count >= 5 else 1 - 2 * 0.5**count)
    if count > 6:  # and no wider than it needs to be
        assert 1 - 2 * stats.binom.cdf(low, count, 0.5) < 0.98


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (NAN, NAN, NAN)),
        ([NAN], (NAN, NAN, NAN)),
        ([0.25], (0.25, NAN, NAN)),
        ([0.25, NAN], (0.25, NAN, NAN)),
        ([0.1] * 7, (0.1, 0.1, 0.1)),
        ([1.0, 3.0], (2, 1, 3)),
        ([1.0, INF, 2.0], (INF, NAN, NAN)),
        ([1.0, -INF], (-INF, NAN, NAN)),
        ([INF, -INF], (NAN, NAN, NAN)),
    ],
)
def test_mean(values, expected):
    same(mean(values), expected)


@pytest.mark.parametrize(("seeds", "noise"), [(8, 0.1), (20, 0.05)])
def test_mean_is_scipys_bca_at_the_stated_level(seeds, noise):
    """With other draws, which move the ends by a few percent of the width."""
    values = np.random.default_rng(seeds).lognormal(size=seeds)
    tail = stats.norm.cdf(-math.sqrt(seeds / (seeds - 1)) * stats.t.ppf(0.975, seeds - 1))
    interval = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, confidence_level=1 - 2 * float(tail), rng=1
    ).confidence_interval
    ours = mean(values)
    assert ours.value == pytest.approx(values.mean())
    width = interval.high - interval.low
    assert abs(ours.low - interval.low) < noise * width
    assert abs(ours.high - interval.high) < noise * width
    assert ours.high - values.mean() > values.mean() - ours.low  # as skewed as the values


def test_tail_grows_to_the_usual_one():
    assert paired._tail(5) == pytest.approx(0.00096, abs=1e-5)
    assert paired._tail(10**6) == pytest.approx(0.025, abs=1e-5)


def test_a_large_sample_fits_in_memory():
    values = np.random.default_rng(0).normal(size=3000)
    interval = mean(values)
    error = values.std() / math.sqrt(len(values))
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


@pytest.mark.parametrize(
    ("seeds", "draw", "least"),
    [
        (5, lambda rng, n: rng.normal(size=n), 0.88),
        (10, lambda rng, n: rng.normal(size=n), 0.92),
        (10, lambda rng, n: rng.lognormal(0, 0.5, n) - math.exp(0.125), 0.90),
        (20, lambda rng, n: rng.normal(size=n), 0.93),
    ],
    ids=["5 normal", "10 normal", "10 skewed", "20 normal"],
)
def test_mean_interval_holds_the_truth_often_enough(seeds, draw, least, monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 1999)
    rng = np.random.default_rng(seeds)
    intervals = [mean(draw(rng, seeds)) for _ in range(400)]
    missed = sum(not interval.low <= 0 <= interval.high for interval in intervals)
    assert at_most(missed, 400, 1 - least)
    assert missed > 0.01 * 400  # an interval that always holds the truth says nothing


@given(SAMPLES, st.randoms())
@few
def test_order_does_not_matter(values, random):
    shuffled = random.sample(values, len(values))
    assert median(shuffled) == median(values)
    assert mean(shuffled) == mean(values)


def test_the_sample_drawn_in_another_order_is_not_another_one():
    values = [0.0, 0.0, 0.0, 2.007812, -1.0]
    moved = mean([0.5 * value + 1 for value in values])
    np.testing.assert_allclose(moved, [0.5 * figure + 1 for figure in mean(values)], rtol=1e-9)


@pytest.mark.parametrize("estimate", [mean, median])
@given(SAMPLES, st.integers(-1000, 1000), st.sampled_from([0.5, 1, 4]))
@few
def test_another_unit_or_origin_moves_the_interval_along(estimate, values, shift, scale):
    moved = estimate([scale * value + shift for value in values])
    expected = [scale * figure + shift for figure in estimate(values)]
    np.testing.assert_allclose(moved, expected, rtol=1e-9, atol=1e-6)


@given(st.lists(st.one_of(FINITE, st.just(INF), st.just(NAN)), max_size=12))
@few
def test_median_lies_in_its_interval(values):
    value, low, high = median(values)
    present = [value for value in values if not math.isnan(value)]
    assert math.isnan(value) == (not present)
    if len(present) > 1:
        assert min(present) <= low <= value <= high <= max(present)


@given(SAMPLES)
@few
def test_mean_interval_lies_among_the_values(values):
    value, low, high = mean(values)
    slack = 1e-9 * max(map(abs, values))
    assert min(values) - slack <= low <= high <= max(values) + slack
    assert min(values) - slack <= value <= max(values) + slack


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


@pytest.mark.parametrize("pairs", [5, 8, 12])
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
    assert ours >= 2 / (2**paired.EXACT_PAIRS + 1)


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


@pytest.mark.parametrize("pairs", range(paired.MIN_PAIRS))
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
        ({"a": [1.0, 2.0], "b": [1.0]}, "b", "'a' has 2 values and 'b' has 1"),
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


def study(rng, seeds, shifts, noise=0.13):
    """Error in percent of a baseline and of activations that differ from it by `shifts`."""
    common = rng.normal(0, 0.05, seeds)  # what a seed does to all alike
    means = {"base": 8.0, **{f"shift{k}": 8.0 + shift for k, shift in enumerate(shifts)}}
    return {name: mean + common + rng.normal(0, noise, seeds) for name, mean in means.items()}


@pytest.mark.usefixtures("fewer_resamples")
def test_equal_activations_are_seldom_called_different():
    """Family-wise: a study errs when it calls any of its equal activations different."""
    rng = np.random.default_rng(0)
    studies = 300
    wrong = sum(
        any(comparison.significant for comparison in compare(study(rng, 8, [0] * 4), "base"))
        for _ in range(studies)
    )
    assert at_most(wrong, studies, 0.05)
    assert wrong > 0  # the level is used, not avoided


@pytest.mark.usefixtures("fewer_resamples")
def test_a_planted_difference_is_found_and_the_others_are_not():
    rng = np.random.default_rng(1)
    found = wrong = 0
    for _ in range(100):
        planted, *equal = compare(study(rng, 10, [0.3, 0, 0]), "base")
        found += planted.significant and planted.difference.value > 0
        wrong += any(comparison.significant for comparison in equal)
    assert at_most(100 - found, 100, 0.1)
    assert at_most(wrong, 100, 0.05)
