"""Power: the seeds it takes to tell two activations apart, before any is trained."""

import math

import scipy  # its `stats` is imported when it is first used: it takes most of a second

from jaxact.statistics.estimates import MIN_PAIRS, SIGNIFICANCE
from jaxact.statistics.paired_tests import EXACT_PAIRS


def fewest_seeds(comparisons: int = 1) -> int:
    """Below this many seeds no difference, however large, is called significant.

    The sign-flip test of n pairs has no p-value under 2^(1 - n), and Holm's correction takes the
    smallest of m p-values m times: n is the first with m 2^(1 - n) < 0.05.
    """
    seeds = MIN_PAIRS
    while comparisons * 2.0 ** (1 - seeds) >= SIGNIFICANCE:
        seeds += 1
    return seeds


def detection(difference: float, noise: float, seeds: int, comparisons: int = 1) -> float:
    """Probability that `jaxact.statistics.compare` calls a true difference significant.

    For normal noise, and seeds that do not help each other (nothing gained by pairing): the power
    of the two-sided t test of n differences with standard deviation sqrt(2) noise, at the level
    that the sign-flip test attains. Where only n differences of one sign are significant, it is
    Phi(d)^n + Phi(-d)^n for d = difference / (sqrt(2) noise). Within 0.08 of simulations where a
    handful of patterns of signs decide, within 0.03 elsewhere.

    Args:
      difference, noise: of the means, and the standard deviation over seeds of one activation, in
        the same unit.
      seeds: n, of each.
      comparisons: m, made together; each at the level 0.05 / m of Holm's first step.

    Raises:
      ValueError: noise is not positive, or there are fewer than 1 comparisons.
    """
    if not noise > 0 or comparisons < 1:
        raise ValueError(
            f"noise must be positive and comparisons at least 1, not {noise:g} and {comparisons}"
        )
    if seeds < fewest_seeds(comparisons):
        return 0.0
    size = abs(difference) / (math.sqrt(2) * noise)
    level = SIGNIFICANCE / comparisons
    if seeds <= EXACT_PAIRS:
        patterns = math.ceil(level * 2 ** (seeds - 1)) - 1  # of one sign that are significant
        if patterns == 1:
            return float(scipy.stats.norm.cdf(size) ** seeds + scipy.stats.norm.sf(size) ** seeds)
        level = patterns * 2.0 ** (1 - seeds)
    limit = scipy.stats.t.isf(level / 2, seeds - 1)
    shift = size * math.sqrt(seeds)
    if shift > limit + 20:  # certain; the noncentral t is not accurate that far out
        return 1.0
    return float(
        scipy.stats.nct.sf(limit, seeds - 1, shift) + scipy.stats.nct.cdf(-limit, seeds - 1, shift)
    )


def seeds_needed(difference: float, noise: float, power: float = 0.8, comparisons: int = 1) -> int:
    """The fewest seeds with which `detection` is at least `power`.

    Args:
      difference, noise, comparisons: as for `detection`.
      power: between 0 and 1.

    Raises:
      ValueError: a difference of 0, which no number of seeds shows, or as `detection`.
    """
    if not difference or not 0 < power < 1:
        raise ValueError(
            f"difference must not be 0 and power within (0, 1), not {difference:g} and {power:g}"
        )
    low = fewest_seeds(comparisons)
    if detection(difference, noise, low, comparisons) >= power:
        return low
    high = 2 * low
    while detection(difference, noise, high, comparisons) < power:
        low, high = high, 2 * high
    while high - low > 1:  # detection grows with the seeds: halve the gap
        middle = (low + high) // 2
        if detection(difference, noise, middle, comparisons) < power:
            low = middle
        else:
            high = middle
    return high
