"""Simulated studies: no kind of verdict is false in more than 5 % of them, and truths are found.

The same by 2,000 studies a kind: `python -m benchmarks.verdicts`.
"""

import functools

import pytest

from benchmarks import simulated_studies as simulated, verdicts
from jaxact.statistics import estimates
from tests.support.samples import at_most

STUDIES = 300
SEEDS = (5, 12)
# Those that rest on the same p-values as others are simulated at the most telling number alone.
FEW, OF_SEQUENCES = 60, 100
CHEAP = ("better or worse than the baseline", "equivalent to the baseline")


@pytest.fixture(autouse=True)
def no_intervals(monkeypatch):
    """No verdict rests on one."""
    monkeypatch.setattr(estimates, "RESAMPLES", 0)


alarms = functools.cache(simulated.alarms)


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("kind", CHEAP)
def test_false_verdicts_are_rare_at_any_number_of_seeds(kind, seeds):
    assert at_most(alarms(kind, seeds, STUDIES), STUDIES, 0.05)


@pytest.mark.parametrize("kind", sorted({*simulated.ALARMS} - {*CHEAP}))
def test_false_verdicts_of_each_kind_are_rare(kind):
    studies = OF_SEQUENCES if kind.startswith("--until") else FEW
    assert at_most(alarms(kind, 12, studies), studies, 0.05)


def test_the_level_is_used_and_not_avoided():
    """At 12 seeds the exact test attains nearly all of its 5 %."""
    assert alarms("better or worse than the baseline", 12, STUDIES) >= 3
    assert alarms("equivalent to the baseline", 12, STUDIES) >= 1


def test_a_planted_difference_is_found():
    """0.3 points at a noise of 0.14: 9 seeds find it in 80 % of studies (`seeds_needed`)."""
    assert simulated.found(7, 60) == 0  # too few for five comparisons
    assert at_most(60 - simulated.found(12, 60), 60, 0.1)


def test_seeds_until_all_is_decided():
    outcomes = simulated.looks(20, dict.fromkeys(simulated.OTHERS, 1.5), 16)
    assert all(decided for _, decided in outcomes)
    seeds = [n for n, _ in outcomes]
    assert 8 <= min(seeds) <= max(seeds) <= 12


def test_the_tables_hold_each_kind(monkeypatch):
    monkeypatch.setattr(simulated, "alarms", lambda kind, seeds, studies: seeds)
    rows = verdicts.alarms([5, 8], 100)
    assert [row["verdict"] for row in rows] == list(simulated.ALARMS)
    assert rows[0]["8 seeds"] == "8.0 % (3.5-15.2)"
    assert [row["seeds"] for row in verdicts.coverage(3)][:2] == [5, 6]
