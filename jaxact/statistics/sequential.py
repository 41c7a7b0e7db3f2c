"""Tests that stay valid however often they are looked at: a wealth that bets on signs.

If two activations are alike, the sign of each pair's difference is a fair coin whatever its size
and whatever came before. Who starts with 1 and stakes the share b of it on the sign s, with |b| <=
1, has 1 + b s times as much after it, and on average no more than before. That the wealth ever
reaches 1 / p has the probability p at most (Ville 1939), over all looks together: its inverse is a
p-value at any time, so seeds may be added until it is small, or for any other reason.

The stake is tanh(k |d|) of the pair's difference d, which makes the wealth the product of
exp(k d) / cosh(k d) (de la Peña 1999). No k is best for every effect: the wealth is the mean over
`STAKES`, in units of the differences' root mean square so far. An e-process of Ramdas, Grünwald,
Vovk and Shafer 2023, "Game-theoretic statistics and safe anytime-valid inference". Koning and van
Meer 2025, "Sequentializing a test: anytime validity is free", lose less, but need to know the last
seed and the law of the differences beforehand; this needs neither.
"""

import numpy as np

from jaxact.statistics.paired_tests import Alternative

STAKES = (0.5, 1.0, 2.0, 4.0)  # k, times the root mean square
_FARTHEST = 3.0  # root mean squares: no pair, nor a miss, counts for more
_MOST = 0.98  # of the wealth at stake: one pair alone never ends a bet


def wealth(differences: np.ndarray) -> np.ndarray:
    """The wealth of betting on differences above 0, after each pair.

    Args:
      differences: one a pair, in the order in which they were seen, [pairs]; infinite for a miss.
    """
    is_known = np.isfinite(differences)
    largest = np.max(np.abs(differences), where=is_known, initial=0) or 1.0
    differences = differences / largest  # whatever the unit, squares are numbers
    squares = np.where(is_known, differences, 0.0) ** 2
    seen = np.maximum(np.cumsum(is_known), 1)
    spread = np.sqrt(np.cumsum(squares) / seen)
    sizes = np.full(len(differences), 1.0)  # nothing finite to measure a miss by
    np.divide(np.abs(differences), spread, out=sizes, where=spread > 0)
    sizes = np.where(differences == 0, 0.0, np.minimum(sizes, _FARTHEST))
    stakes = np.minimum(np.tanh(np.multiply.outer(STAKES, sizes)), _MOST)
    return np.cumprod(1 + stakes * np.sign(differences), axis=1).mean(axis=0)


def anytime_test(differences: np.ndarray, alternative: Alternative = "two-sided") -> float:
    """The p-value of a mean of 0 that holds at every look: 1 over the largest wealth so far.

    Args:
      differences: one a pair, in the order in which they were seen, [pairs]; infinite for a miss.
      alternative: "two-sided", half of the wealth on each side, or "less": that the mean is
        below 0.
    """
    if not len(differences):
        return 1.0
    below = wealth(-differences)
    richest = below if alternative == "less" else (below + wealth(differences)) / 2
    return float(min(1.0, 1 / richest.max()))
