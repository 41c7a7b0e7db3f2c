"""What a comparison may say: estimates with intervals, paired tests, performance profiles.

The unit is a seed. A miss, a run that never reached the target, is `math.inf`; a run that was not
made is `math.nan` and is left out. Every function is pure and returns the same figures each time:
random resampling starts from a fixed seed. docs/statistics.md says why each method was chosen.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import scipy  # its `stats` is imported when it is first used: it takes most of a second

SIGNIFICANCE = 0.05  # intervals hold 1 - SIGNIFICANCE
MIN_PAIRS = 5  # with fewer, nothing is tested
RESAMPLES = 9999  # of the bootstrap
EXACT_PAIRS = 13  # up to here every pattern of signs is tried, beyond as many are drawn
Values = Sequence[float] | np.ndarray  # one a seed, or a workload
_BATCH = 1_000_000  # numbers that resampling may hold at a time
_LARGEST = 2.0**40  # sums of so large whole numbers are exact up to 8,192 of them
_ROUNDING = 1e-12  # by which means may differ that are the same, relative to what is summed


class Estimate(NamedTuple):
    """A figure and its 95 % interval; nan where there is none, infinite where misses make it so."""

    value: float
    low: float
    high: float


class Comparison(NamedTuple):
    """An activation against the baseline, over the seeds that both have.

    Attributes:
      name, baseline: what is compared.
      difference: mean of name - baseline over the pairs, in the unit of the values.
      p_value: of no difference, two-sided; nan with fewer than `MIN_PAIRS` pairs.
      corrected_p_value: Holm's, over all comparisons that were made together.
      effect_size: Cohen's d_z: the mean of the differences in their standard deviations; nan where
        they do not vary or are infinite.
      pairs: seeds that both have.
      significant: whether `corrected_p_value < SIGNIFICANCE`; never with fewer than `MIN_PAIRS`
        pairs, nor where misses leave no direction in which the two differ.
    """

    name: str
    baseline: str
    difference: Estimate
    p_value: float
    corrected_p_value: float
    effect_size: float
    pairs: int
    significant: bool


def _sorted(values: Values) -> np.ndarray:
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
    ordered = _sorted(values).tolist()
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
    ordered = _sorted(values)
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


def _differences(values: Values, baseline: Values) -> np.ndarray:
    """value - baseline of every pair, in order; two misses differ by 0.

    Rounded at the 12th digit of the largest value, so that equal differences are equal: in binary
    0.3 - 0.2 and 0.2 - 0.1 are not.
    """
    left, right = np.asarray(values, float), np.asarray(baseline, float)
    both = np.stack([left, right])
    scale = np.max(np.abs(both), where=np.isfinite(both), initial=0)
    differ = left != right
    difference = np.where(np.isnan(left) | np.isnan(right), math.nan, 0.0)
    np.subtract(left, right, out=difference, where=differ)
    if scale > 1e-290:  # numpy rounds by multiplying: 10^310 would overflow
        difference = np.round(difference, 12 - math.ceil(math.log10(scale)))
    return _sorted(difference)


def _centre(differences: np.ndarray) -> np.ndarray:
    """What the test looks at: the differences, or their signed ranks where one is infinite."""
    if np.isfinite(differences).all():
        return differences
    return np.sign(differences) * scipy.stats.rankdata(np.abs(differences))


def _p_value(scores: np.ndarray) -> float:
    """Of a symmetric distribution about 0: the exact sign-flip test of the mean, two-sided.

    If two activations are alike, each pair could as well have come out the other way round. The
    p-value is the share of all 2^n patterns of signs whose mean is at least as far out.
    """
    result = scipy.stats.permutation_test(
        (scores,),
        np.mean,
        permutation_type="samples",
        n_resamples=2**EXACT_PAIRS,
        batch=max(1, _BATCH // len(scores)),
        rng=np.random.default_rng(0),
    )
    # scipy's own p-value allows for rounding in proportion to the mean, which may be next to 0.
    rounding = _ROUNDING * np.abs(scores).mean()
    as_far = np.abs(result.null_distribution) >= np.abs(result.statistic) - rounding
    if len(scores) <= EXACT_PAIRS:
        return float(as_far.mean())
    return float((as_far.sum() + 1) / (len(as_far) + 1))  # what was seen is a pattern, too


def holm(p_values: Values) -> np.ndarray:
    """Holm's corrected p-values: any of them wrongly below a level has that probability at most.

    In ascending order the i-th of m is max(p_1 m, p_2 (m - 1), ..., p_i (m - i + 1)), at most 1
    (Holm 1979). nan stays nan and does not count.
    """
    corrected = np.asarray(p_values, float).copy()
    tested = np.flatnonzero(~np.isnan(corrected))
    order = tested[np.argsort(corrected[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(corrected[order] * factors), 1)
    return corrected


def _effect_size(differences: np.ndarray) -> float:
    """Cohen's d_z, the mean over the standard deviation (of n - 1); nan where undefined."""
    if len(differences) < 2 or not np.isfinite(differences).all() or np.ptp(differences) == 0:
        return math.nan
    return float(np.mean(differences) / np.std(differences, ddof=1))


def compare(values: Mapping[str, Values], baseline: str) -> list[Comparison]:
    """Every activation against the baseline, on paired seeds, in the order of `values`.

    The test is the exact sign-flip permutation test of the mean difference. It holds its level
    at any number of pairs and for any symmetric noise, and unlike Wilcoxon's it uses the sizes of
    the differences, not their ranks alone. With misses only ranks are left; then it is Wilcoxon's
    (zeros as in Pratt 1959), and exact as well.

    Args:
      values: name to one value a seed, in the same order of seeds; inf for a miss; nan where there
        is no run: that pair is left out.
      baseline: one of the names.

    Raises:
      ValueError: no such baseline, or names with different numbers of values.
    """
    if baseline not in values:
        raise ValueError(f"baseline {baseline!r} has no values; there are: {', '.join(values)}")
    for name in values:
        if len(values[name]) != len(values[baseline]):
            raise ValueError(
                f"{name!r} has {len(values[name])} values and {baseline!r} has "
                f"{len(values[baseline])}: give one a seed, nan where there is no run"
            )
    names = [name for name in values if name != baseline]
    differences = {name: _differences(values[name], values[baseline]) for name in names}
    scores = {name: _centre(differences[name]) for name in names}
    p_values = [
        _p_value(scores[name]) if len(scores[name]) >= MIN_PAIRS else math.nan for name in names
    ]
    comparisons = []
    for name, p_value, corrected in zip(names, p_values, holm(p_values), strict=True):
        difference = mean(differences[name])
        # ranks and mean can point different ways: one miss outweighs every finite difference
        direction = np.sign(difference.value) if len(scores[name]) else 0
        agree = bool(direction and direction == np.sign(np.mean(scores[name])))
        comparisons.append(
            Comparison(
                name=name,
                baseline=baseline,
                difference=difference,
                p_value=p_value,
                corrected_p_value=float(corrected),
                effect_size=_effect_size(differences[name]),
                pairs=len(differences[name]),
                significant=bool(corrected < SIGNIFICANCE) and agree,
            )
        )
    return comparisons
