"""Estimates over seeds: median, mean and quartiles, with misses as infinite values.

A miss, a run that never reached the target, is `math.inf`; a run that was not made is `math.nan`
and is left out. Random resampling starts from a fixed seed.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy  # its `stats` is imported when it is first used: it takes most of a second

MIN_PAIRS = 5  # seeds: with fewer, nothing is tested, and the range stands for an interval
SIGNIFICANCE = 0.05  # intervals hold 1 - SIGNIFICANCE
RESAMPLES = 9999  # of the bootstrap; 0: means have no interval, which simulations do not need
# By seeds, the share of normal means that the interval of `mean` holds.
_MEAN_COVERAGE = {5: 0.92, 6: 0.93, 8: 0.94, 12: 0.945, 20: 0.95}
ENUMERATED = 8  # values: up to here all resamples count
_BATCH = 1_000_000  # numbers that resampling may hold at a time
Values = Sequence[float] | np.ndarray  # one a seed, or a workload
_LARGEST = 2.0**40  # sums of so large whole numbers are exact up to 8,192 of them


class Estimate(NamedTuple):
    """A figure and its interval; nan where there is none, infinite where misses make it so.

    With fewer than `MIN_PAIRS` values the two ends are the least and the greatest of them: a range.
    """

    value: float
    low: float
    high: float


def in_order(values: Values) -> np.ndarray:
    """The values in order, without nan, so that no result depends on the order of the seeds."""
    ordered = np.sort(np.asarray(values, float))
    return ordered[~np.isnan(ordered)]


@functools.cache
def _tail(count: int) -> float:
    """Share of bootstrap replicates below (and above) the interval of `count` values.

    Phi(-sqrt(n / (n - 1)) t), with t the 97.5 % point of Student's t with n - 1 degrees of freedom:
    0.025 for many values, 0.001 for five. Without it the bootstrap's 95 % interval of the mean of
    five values holds the truth in 81 % of all studies (Hesterberg 2015, "What Teachers Should Know
    About the Bootstrap", expanded percentile interval).
    """
    width = math.sqrt(count / (count - 1)) * scipy.stats.t.isf(SIGNIFICANCE / 2, count - 1)
    return float(scipy.stats.norm.sf(width))


def median(values: Values) -> Estimate:
    """The median, with the interval of the percentile bootstrap, which is exact and not drawn.

    Among resamples of n values, the k-th smallest is at most the i-th value with the probability
    that at least k of n draws fall on the first i, P(Binomial(n, i / n) >= k). The interval ends at
    the first value for which that reaches `_tail(n)`, and at its mirror image. Its ends are
    values that were seen: misses do no harm to it, and for continuous values its coverage
    depends on n alone: see `coverage`. BCa does not apply: the jackknife that it
    rests on fails for medians (Efron & Tibshirani 1993, chapter 11).

    Args:
      values: one a seed; inf for a miss; nan is left out.

    Returns:
      The median, inf where most are misses; the interval is nan with fewer than 2 values, and the
      range with fewer than `MIN_PAIRS`.
    """
    ordered = in_order(values).tolist()
    count = len(ordered)
    if not count:
        return Estimate(math.nan, math.nan, math.nan)
    below, above = ordered[(count - 1) // 2], ordered[count // 2]
    value = below if below == above else below / 2 + above / 2
    if count == 1:
        return Estimate(value, math.nan, math.nan)
    if count < MIN_PAIRS:
        return Estimate(value, ordered[0], ordered[-1])
    first = _first_of_median(count)
    return Estimate(value, ordered[first], ordered[count - 1 - first])


@functools.cache
def _first_of_median(count: int) -> int:
    """The position, from 0, of the ordered value at which the median's interval begins."""
    draws = (count + 1) // 2
    shares = scipy.stats.binom.sf(draws - 1, count, np.arange(1, count + 1) / count)
    return int(np.argmax(shares >= _tail(count)))


def mean(values: Values) -> Estimate:
    """The mean, with the bootstrap's bias-corrected and accelerated (BCa) interval.

    BCa (Efron 1987), over all resamples up to `ENUMERATED` values and by scipy's draws beyond, with
    the tails that `_tail` gives for so many values. Where all
    values are equal BCa is undefined, and the interval is the value itself.

    Args:
      values: one a seed; nan is left out.

    Returns:
      The mean; the interval is nan with fewer than 2 values or with an infinite one, and the range
      with fewer than `MIN_PAIRS`.
    """
    ordered = in_order(values)
    if not len(ordered):
        return Estimate(math.nan, math.nan, math.nan)
    if np.isinf(ordered).any():
        return Estimate(float(ordered[0]) + float(ordered[-1]), math.nan, math.nan)
    value = math.fsum(ordered) / len(ordered)
    if len(ordered) == 1:
        return Estimate(value, math.nan, math.nan)
    if len(ordered) < MIN_PAIRS:
        return Estimate(value, float(ordered[0]), float(ordered[-1]))
    start, span = float(ordered[0]), float(np.ptp(ordered))
    if span == 0:
        return Estimate(start, start, start)
    if not RESAMPLES:
        return Estimate(value, math.nan, math.nan)
    # From 0 to a power of two: no unit makes the jackknife degenerate. And whole: their sums are
    # exact, so that what was seen, drawn in another order, is not told apart by rounding.
    whole = np.rint((ordered - start) / span * _LARGEST)
    unit = span / _LARGEST
    if len(ordered) <= ENUMERATED:
        low, high = _exact_bca(whole)
        return Estimate(value, start + unit * low, start + unit * high)
    interval = scipy.stats.bootstrap(
        (whole,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=max(1, _BATCH // len(ordered)),
        confidence_level=1 - 2 * max(_tail(len(ordered)), 1 / (RESAMPLES + 1)),
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Estimate(value, start + unit * float(interval.low), start + unit * float(interval.high))


def interval_words(count: int, of: str = "mean") -> str:
    """The name of an interval of `mean` or `median` by what it holds at so many values.

    Example:
      >>> interval_words(3), interval_words(5), interval_words(8, "median")
      ('range', '92 % interval', '99 % interval')
    """
    if count < MIN_PAIRS:
        return "range"
    return f"{100 * coverage(count, of):.0f} % interval"


def intervals_in_words(count: int) -> str:
    """The intervals of so many seeds, for a legend: what they hold, or that they are a range.

    Example:
      >>> intervals_in_words(3)
      'the range of 3 seeds'
    """
    if count < MIN_PAIRS:
        return f"the range of {count} seed{'s' * (count != 1)}"
    median, mean = (f"{100 * coverage(count, of):.0f} %" for of in ("median", "mean"))
    return (
        f"an interval that holds the median in {median} and the mean of normal values in {mean} "
        f"of studies of {count} seeds"
    )


def coverage(count: int, of: str = "mean") -> float:
    """Share of studies of so many seeds whose interval holds the true `mean` or `median`.

    The median's is exact for any continuous values: 1 - 2 P(Binomial(n, 1/2) <= i), where the
    interval begins at the i-th value from 0. The mean's is that of normal values, simulated
    (`python -m benchmarks.verdicts coverage`); skew lowers it.

    Args:
      count: n, at least `MIN_PAIRS`.
      of: "mean" or "median".
    """
    if of == "median":
        return float(1 - 2 * scipy.stats.binom.cdf(_first_of_median(count), count, 0.5))
    return float(np.interp(count, [*_MEAN_COVERAGE], [*_MEAN_COVERAGE.values()]))


def _exact_bca(values: np.ndarray) -> tuple[float, float]:
    """The ends of the BCa interval of a mean, over all resamples instead of drawn ones.

    As scipy's, whose draws are too few for tails of 0.1 %: z0 from the share of resampled means
    below the mean, ties half; the acceleration from the jackknife; the means at the two levels.
    """
    count = len(values)
    weights = _multinomial(count)
    means = _multisets(count) @ values / count
    order = np.argsort(means, kind="stable")
    means, shares = means[order], np.cumsum(weights[order])
    mean_of_all = values.mean()
    below = (
        weights[order][means < mean_of_all].sum() + weights[order][means == mean_of_all].sum() / 2
    )
    z0 = scipy.stats.norm.ppf(below)
    away = (values - mean_of_all) / (count - 1)  # of the jackknife's means, from theirs
    acceleration = np.sum(away**3) / 6 / np.sum(away**2) ** 1.5

    def at(z: float) -> float:
        level = scipy.stats.norm.cdf(z0 + (z0 + z) / (1 - acceleration * (z0 + z)))
        return float(means[min(np.searchsorted(shares, level - 1e-12), len(means) - 1)])

    z = scipy.stats.norm.ppf(_tail(count))
    return at(z), at(-z)


@functools.cache
def _multisets(count: int) -> np.ndarray:
    """Counts of each of `count` values, for all outcomes of as many draws."""
    drawn = itertools.combinations_with_replacement(range(count), count)
    return np.array([np.bincount(places, minlength=count) for places in drawn], float)


@functools.cache
def _multinomial(count: int) -> np.ndarray:
    """The probability of each of `_multisets`."""
    logs = math.lgamma(count + 1) - scipy.special.gammaln(_multisets(count) + 1).sum(axis=1)
    return np.exp(logs - count * math.log(count))


def quartiles(values: Values, unit: float = 1.0) -> Estimate:
    """The median with the quartiles around it, in units of 1 / `unit`; infinite next to a miss.

    Between two values by a straight line, as numpy's "linear", which has no number between a finite
    value and infinity.

    Args:
      values: one a seed; inf for a miss; nan is left out.

    Returns:
      Median, lower and upper quartile; nan without values.
    """
    ordered = unit * in_order(values)
    if not len(ordered):
        return Estimate(math.nan, math.nan, math.nan)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
        if not math.isfinite(above):
            return float(above)
        return float(below + (place - math.floor(place)) * (above - below))

    return Estimate(at(0.5), at(0.25), at(0.75))
