"""Estimates: hand-checked values, scipy as reference, properties, and simulated samples."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from jaxact.statistics import estimates, mean, median, quartiles
from tests.support.samples import FINITE, INF, NAN, at_most, few, same

SAMPLES = st.lists(FINITE, min_size=2, max_size=12)


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
    tail = estimates._tail(count)
    noise = 5 * math.sqrt(tail / len(draws))
    assert np.mean(middle <= low) >= tail - noise
    assert np.mean(middle < low) <= tail + noise


def test_median_interval_holds_the_truth_often_enough():
    """P(x_(i) < median < x_(n + 1 - i)) = 1 - 2 P(Binomial(n, 1/2) < i), for any density."""
    for count in range(2, 40):
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
    assert estimates._tail(5) == pytest.approx(0.00096, abs=1e-5)
    assert estimates._tail(10**6) == pytest.approx(0.025, abs=1e-5)


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
    monkeypatch.setattr(estimates, "RESAMPLES", 999)
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


@pytest.mark.parametrize("count", range(1, 8))
def test_quartiles_are_numpys_and_infinite_next_to_a_miss(count):
    for missed in range(count + 1):
        values = [*range(1, count - missed + 1), *[INF] * missed]
        found = quartiles([*values, NAN], unit=100)
        for share, value in zip((0.5, 0.25, 0.75), found, strict=True):
            above = values[math.ceil(share * (count - 1))]
            finite = np.nan_to_num(values, posinf=1e9)
            expected = INF if above == INF else 100 * np.quantile(finite, share)
            assert value == pytest.approx(expected)


def test_nothing_has_no_quartiles():
    same(quartiles([]), [NAN] * 3)
    same(quartiles([NAN]), [NAN] * 3)


@pytest.mark.parametrize("count", [5, 8])
def test_all_resamples_give_the_interval_that_many_draws_come_near(count):
    values = np.random.default_rng(count).normal(0, 1, count) ** 2
    drawn = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=20_000,
        confidence_level=1 - 2 * estimates._tail(count),
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    _, low, high = mean(values)
    assert low == pytest.approx(drawn.low, abs=0.1 * np.ptp(values))
    assert high == pytest.approx(drawn.high, abs=0.1 * np.ptp(values))


def test_the_interval_of_five_values_by_hand():
    """Symmetric values: no bias, no acceleration. Of 5^5 resamples 1 is five times the lowest."""
    _, low, high = mean([-2.0, -1.0, 0.0, 1.0, 2.0])
    # the tail holds 0.1 % of 3125 resamples, 3.1: the lowest three sums are -10 (1), -9 (5)
    assert (low, high) == pytest.approx((-9 / 5, 9 / 5))


@pytest.mark.parametrize("count", range(2, 5))
def test_few_values_have_a_range(count):
    values = [3.0, 1.0, 2.0, 5.0][:count]
    assert tuple(mean(values))[1:] == tuple(median(values))[1:] == (min(values), max(values))


def test_the_median_s_coverage_by_enumeration():
    """Values lie above or below the true median like coins: so many intervals hold it."""
    for count in (5, 8, 11):
        first = estimates._first_of_median(count)
        held = [first < count - ups and ups > first for ups in range(count + 1)]
        shares = [math.comb(count, ups) / 2**count for ups in range(count + 1)]
        expected = sum(share for share, is_held in zip(shares, held, strict=True) if is_held)
        assert estimates.coverage(count, "median") == pytest.approx(expected)
