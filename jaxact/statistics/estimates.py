"""Estimates over seeds: median, mean and quartiles, with misses as infinite values.

A miss, a run that never reached the target, is `math.inf`; a run that was not made is `math.nan`
and is left out. Random resampling starts from a fixed seed.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy  # its `stats` is imported when it is first used: it takes most of a second

SIGNIFICANCE = 0.05  # intervals hold 1 - SIGNIFICANCE
RESAMPLES = 9999  # of the bootstrap
_BATCH = 1_000_000  # numbers that resampling may hold at a time
Values = Sequence[float] | np.ndarray  # one a seed, or a workload
_LARGEST = 2.0**40  # sums of so large whole numbers are exact up to 8,192 of them


class Estimate(NamedTuple):
    """A figure and its 95 % interval; nan where there is none, infinite where misses make it so."""

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
    depends on n alone (93 % or more from 5 values on). BCa does not apply: the jackknife that it
    rests on fails for medians (Efron & Tibshirani 1993, chapter 11).

    Args:
      values: one a seed; inf for a miss; nan is left out.

    Returns:
      The median, inf where most are misses; the interval is nan with fewer than 2 values.
    """
    ordered = in_order(values).tolist()
    count = len(ordered)
    if not count:
        return Estimate(math.nan, math.nan, math.nan)
    below, above = ordered[(count - 1) // 2], ordered[count // 2]
    value = below if below == above else below / 2 + above / 2
    if count == 1:
        return Estimate(value, math.nan, math.nan)
    draws = (count + 1) // 2
    shares = scipy.stats.binom.sf(draws - 1, count, np.arange(1, count + 1) / count)
    first = int(np.argmax(shares >= _tail(count)))
    return Estimate(value, ordered[first], ordered[count - 1 - first])


def mean(values: Values) -> Estimate:
    """The mean, with the bootstrap's bias-corrected and accelerated (BCa) interval.

    scipy's BCa (Efron 1987) with the tails that `_tail` gives for so many values. Where all
    values are equal BCa is undefined, and the interval is the value itself.

    Args:
      values: one a seed; nan is left out.

    Returns:
      The mean; the interval is nan with fewer than 2 values or with an infinite one.
    """
    ordered = in_order(values)
    if not len(ordered):
        return Estimate(math.nan, math.nan, math.nan)
    if np.isinf(ordered).any():
        return Estimate(float(ordered[0]) + float(ordered[-1]), math.nan, math.nan)
    value = math.fsum(ordered) / len(ordered)
    if len(ordered) == 1:
        return Estimate(value, math.nan, math.nan)
    start, span = float(ordered[0]), float(np.ptp(ordered))
    if span == 0:
        return Estimate(start, start, start)
    # From 0 to a power of two: no unit makes the jackknife degenerate. And whole: their sums are
    # exact, so that what was seen, drawn in another order, is not told apart by rounding.
    whole = np.rint((ordered - start) / span * _LARGEST)
    unit = span / _LARGEST
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
