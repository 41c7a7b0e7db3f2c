"""Verdicts on a source's sentences: by corrected tests alone."""

import math

import pytest

from experiments.common import findings
from experiments.common.findings import REFUTED, SUPPORTED, UNDECIDED
from jaxact import statistics
from jaxact.statistics import Margin, flipped

NOISE = [0.01, -0.02, 0.03, -0.01, 0.02, -0.03, 0.01, -0.01]


def errors(*means, seeds=8):
    """Paired figures of names `0`, `1`, ...; the first is the baseline."""
    return {str(k): [mean + k * noise for noise in NOISE[:seeds]] for k, mean in enumerate(means)}


@pytest.mark.parametrize(
    ("means", "seeds", "expected"),
    [
        ((5.0, 7.0, 8.0), 8, SUPPORTED),
        ((5.0, 7.0, 5.0), 8, REFUTED),  # as good within the margin
        ((5.0, 7.0, 4.0), 8, REFUTED),
        ((5.0, 7.0, 5.0), 4, UNDECIDED),
        ((5.0, 7.0, 8.0), 6, UNDECIDED),  # too few for two comparisons
    ],
)
def test_the_first_is_lower_than_all_others(means, seeds, expected):
    tests = statistics.compare(errors(*means, seeds=seeds), "0", 0.2)
    assert findings.better_than_all([*map(flipped, tests)]) == expected


@pytest.mark.parametrize(
    ("difference", "seeds", "expected"),
    [
        (0.1, 8, SUPPORTED),  # also where it is significant
        (1.0, 8, REFUTED),
        (-1.0, 8, REFUTED),
        (0.2, 8, UNDECIDED),
        (0.0, 4, UNDECIDED),
        (1.0, 4, UNDECIDED),
    ],
)
def test_two_are_alike_within_a_margin(difference, seeds, expected):
    margin = Margin(0.2)
    values = errors(5.0, 5.0 + difference, seeds=seeds)
    [test] = statistics.compare(values, "0", margin)
    excess = statistics.excess(values["1"], values["0"], margin)
    assert findings.equivalent(test, excess) == expected


def test_it_is_said_where_seeds_are_too_few():
    assert "1 seed decides nothing: it takes 6 or more" in findings.too_few(1, 1).lower()
    assert "on 6 seeds" in findings.too_few(6, 2)
    assert findings.too_few(7, 2) == ""


def test_a_cell_shows_the_difference_and_what_was_tested():
    [test] = statistics.compare(errors(5.0, 5.1), "0", 0.2)
    assert findings.against(test) == "+0.10, 0.0078"
    assert findings.in_words(test, "points") == "+0.10 points, p = 0.008"
    [same] = statistics.compare({"0": NOISE, "1": NOISE}, "0", 0.2)
    assert findings.against(same) == "+0.00, 1 (equivalent)"
    assert findings.in_words(same, "points").endswith("equivalence p = 0.004")
    [lost] = statistics.compare({"0": NOISE, "1": [math.inf] * 8}, "0", 0.2)
    assert findings.against(lost).startswith("diverged, ")
