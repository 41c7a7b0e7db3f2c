"""Performance profiles and shares over time: by hand, and what always holds of them."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from jaxact.statistics import performance_profile, reached_over_time
from tests.support.samples import INF, NAN, few, same


def test_performance_profile_by_hand():
    """Best times 10, 20, 5 and none; the last workload was not tried by all."""
    times = {
        "a": [10.0, 40.0, INF, INF, 1.0],
        "b": [15.0, 20.0, 5.0, INF, NAN],
        "c": [INF, INF, INF, INF, 1.0],
    }
    profile = performance_profile(times, [0.9, 1, 1.5, 2, 1e9, INF])
    assert list(profile) == ["a", "b", "c"]
    same(profile["a"], [0, 0.25, 0.25, 0.5, 0.5, 0.5])
    same(profile["b"], [0, 0.5, 0.75, 0.75, 0.75, 0.75])
    same(profile["c"], [0] * 6)


def test_performance_profile_of_nothing():
    assert performance_profile({}, [1, 2]) == {}
    for times in ([], [NAN]):
        same(performance_profile({"a": times}, [1, 2])["a"], [NAN, NAN])
    same(performance_profile({"a": [1.0]}, [])["a"], [])


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"a": [1.0], "b": [1.0, 2.0]}, "one time a workload"),
        ({"a": [0.0]}, "positive, not 0"),
        ({"a": [-1.0]}, "positive, not -1"),
    ],
)
def test_performance_profile_refuses(times, words):
    with pytest.raises(ValueError, match=words):
        performance_profile(times, [1])


@given(st.lists(st.tuples(*[st.one_of(st.floats(0.1, 1e4), st.just(INF))] * 3), min_size=1))
@few
def test_performance_profile_rises_to_the_share_solved(rows):
    times = dict(zip("abc", zip(*rows, strict=True), strict=True))
    profile = performance_profile(times, [1, 1.5, 10, INF])
    for name, shares in profile.items():
        assert np.all(np.diff(shares) >= 0)
        assert shares[-1] == np.mean(np.isfinite(times[name]))
    solved = np.mean([not all(map(math.isinf, row)) for row in rows])
    assert sum(shares[0] for shares in profile.values()) >= solved - 1e-9  # someone is best


@pytest.mark.parametrize(
    ("seconds", "times", "shares"),
    [
        ([3.0, 1.0, INF, 3.0], [0, 1, 3], [0, 0.25, 0.75]),
        ([2.0, NAN], [0, 2], [0, 1]),
        ([0.0, 2.0], [0, 2], [0.5, 1]),
        ([INF, INF], [0], [0]),
        ([], [0], [NAN]),
    ],
)
def test_reached_over_time(seconds, times, shares):
    same(reached_over_time(seconds)[0], times)
    same(reached_over_time(seconds)[1], shares)
