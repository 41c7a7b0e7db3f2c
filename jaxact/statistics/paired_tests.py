"""Paired tests: each activation against a baseline over the seeds that both have."""

import functools
import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import scipy  # its `stats` is imported when it is first used: it takes most of a second

from jaxact.statistics.estimates import SIGNIFICANCE, Estimate, Values, in_order, mean

MIN_PAIRS = 5  # with fewer, nothing is tested
EXACT_PAIRS = 13  # up to here every pattern of signs is tried, beyond as many are drawn
_ROUNDING = 1e-12  # by which means may differ that are the same, relative to what is summed


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
    return in_order(difference)


def _centre(differences: np.ndarray) -> np.ndarray:
    """The values tested: the differences, or their signed ranks where one is infinite."""
    if np.isfinite(differences).all():
        return differences
    return np.sign(differences) * scipy.stats.rankdata(np.abs(differences))


@functools.lru_cache(maxsize=8)
def _signs(count: int) -> np.ndarray:
    """Patterns of signs of `count` pairs, a row each: one of every two mirrored ones, or drawn."""
    if count <= EXACT_PAIRS:
        patterns = np.arange(2 ** (count - 1))[:, None]
        return (1 - 2 * ((patterns >> np.arange(count)) & 1)).astype(np.int8)
    both = np.tile(np.array([1, -1], np.int8), (2**EXACT_PAIRS, count, 1))
    return np.random.default_rng(0).permuted(both, axis=-1)[..., 0]


def sign_flip_test(scores: np.ndarray) -> float:
    """The p-value of a mean of 0, two-sided: exact up to `EXACT_PAIRS` scores.

    If two activations are alike, each pair could as well have come out the other way round. The
    p-value is the share of all 2^n patterns of signs whose mean is at least as far out.
    """
    distances = np.abs(_signs(len(scores)) @ scores)
    # Sums in another order: what is as far out may seem nearer by rounding.
    as_far = distances >= abs(scores.sum()) - _ROUNDING * np.abs(scores).sum()
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
        sign_flip_test(scores[name]) if len(scores[name]) >= MIN_PAIRS else math.nan
        for name in names
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
