"""Samples for tests of statistics, and how their results are compared."""

import math

import numpy as np
from hypothesis import settings, strategies as st
from scipy import stats

INF, NAN = math.inf, math.nan
FINITE = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))
few = settings(max_examples=40, deadline=None)


def same(left, right):
    """Equal estimates, nan with nan and infinity with infinity."""
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12)


def at_most(count, trials, share):
    """Whether `count` of `trials` is no evidence (p > 0.001) of a probability above `share`."""
    return stats.binomtest(count, trials, share, alternative="greater").pvalue > 0.001
