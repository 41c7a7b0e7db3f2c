"""Tests on paired seeds: differences, the exact sign-flip test, Holm's correction."""

import functools
import math
from typing import Literal

import numpy as np
import scipy  # its `stats` is imported when it is first used: it takes most of a second

from jaxact.statistics.estimates import Values

EXACT_PAIRS = 30  # up to here every pattern of signs counts, beyond DRAWN of them are drawn
DRAWN = 2**16
_ROUNDING = 1e-12  # by which means may differ that are the same, relative to what is summed

Alternative = Literal["two-sided", "less"]


def differences(values: Values, baseline: Values, factor: float = 1.0) -> np.ndarray:
    """value - factor * baseline of every pair, in the order of the seeds; two misses differ by 0.

    Rounded at the 12th digit of the largest value, so that equal differences are equal: in binary
    0.3 - 0.2 and 0.2 - 0.1 are not. A pair with a nan is left out.
    """
    left, right = np.asarray(values, float), factor * np.asarray(baseline, float)
    both = np.stack([left, right])
    scale = np.max(np.abs(both), where=np.isfinite(both), initial=0)
    differ = left != right
    difference = np.where(np.isnan(left) | np.isnan(right), math.nan, 0.0)
    np.subtract(left, right, out=difference, where=differ)
    if scale > 1e-290:  # numpy rounds by multiplying: 10^310 would overflow
        difference = np.round(difference, 12 - math.ceil(math.log10(scale)))
    return difference[~np.isnan(difference)]


def scores(differences: np.ndarray) -> np.ndarray:
    """The values tested: the differences, or their signed ranks where one is infinite."""
    if np.isfinite(differences).all():
        return differences
    return np.sign(differences) * scipy.stats.rankdata(np.abs(differences))


@functools.cache
def _signs(count: int) -> np.ndarray:
    """All patterns of signs of `count` pairs, a row each."""
    patterns = np.arange(2**count)[:, None]
    return 1.0 - 2 * ((patterns >> np.arange(count)) & 1)


@functools.lru_cache(maxsize=4)
def _drawn_signs(count: int) -> np.ndarray:
    both = np.random.default_rng(0).integers(0, 2, (DRAWN, count), np.int8)
    return 1.0 - 2 * both


def _as_low(scores: np.ndarray, limit: float) -> float:
    """Share of the patterns of signs whose sum is at most `limit`.

    Of all patterns, as sums of one half of the scores and of the other: those of the second that
    stay below are counted by bisection (Horowitz and Sahni 1974). Of drawn ones, what was seen
    is a pattern, too.
    """
    if len(scores) > EXACT_PAIRS:
        return float((np.sum(_drawn_signs(len(scores)) @ scores <= limit) + 1) / (DRAWN + 1))
    half = len(scores) // 2
    first, second = (_signs(len(part)) @ part for part in (scores[:half], scores[half:]))
    counts = np.searchsorted(np.sort(second), limit - first, side="right")
    return float(counts.sum() / 2 ** len(scores))


def sign_flip_test(scores: np.ndarray, alternative: Alternative = "two-sided") -> float:
    """The p-value under the sign-flip test of symmetry about 0: exact up to `EXACT_PAIRS` scores.

    If two activations are alike, each pair could as well have come out the other way round. The
    p-value is the share of all 2^n patterns of signs whose mean is at least as far out.

    Args:
      scores: one a pair, [pairs]; their order does not matter.
      alternative: "two-sided", or "less": that they lie below 0.
    """
    ordered = np.sort(scores)
    # Sums in another order: what is as far out may seem nearer by rounding.
    tolerance = _ROUNDING * np.abs(ordered).sum()
    if alternative == "less":
        return _as_low(ordered, ordered.sum() + tolerance)
    limit = -abs(ordered.sum()) + tolerance
    return 1.0 if limit >= 0 else min(1.0, 2 * _as_low(ordered, limit))


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
