"""Sentences of a source beside what was found: supported, refuted or undecided.

A verdict rests on a corrected test of paired seeds or on an equivalence test, never on an interval
alone, and never on fewer than `MIN_PAIRS` seeds.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jaxact import statistics
from jaxact.presentation import numbers
from jaxact.presentation.tables import Row, escape
from jaxact.statistics import EQUIVALENT, MIN_PAIRS, SIGNIFICANCE, Comparison

MOST_NAMES = 6  # in a list within a headline
SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"


class Finding(NamedTuple):
    """A sentence of the source, the verdict on it, and the grounds of that."""

    claim: str
    verdict: str
    evidence: str

    def as_row(self) -> Row:
        """The finding as a row of a Markdown table."""
        return {
            "claim": escape(self.claim),
            "found": self.verdict,
            "evidence": escape(self.evidence),
        }


def better_than_all(comparisons: Sequence[Comparison]) -> str:
    """The verdict on a claim that something has a lower figure than each of some others.

    Args:
      comparisons: of it with each of them, corrected for each other.

    Returns:
      SUPPORTED: it is better than each; REFUTED: it is worse than one, or as good within the
      margin; UNDECIDED otherwise, and with fewer than `MIN_PAIRS` seeds.
    """
    verdicts = {comparison.verdict for comparison in comparisons}
    if {statistics.WORSE, EQUIVALENT} & verdicts:
        return REFUTED
    return SUPPORTED if verdicts == {statistics.BETTER} else UNDECIDED


def equivalent(comparison: Comparison, excess: float) -> str:
    """The verdict on a claim that two figures differ by less than a margin.

    Args:
      comparison: of the two, with that margin.
      excess: the p-value of `jaxact.statistics.excess`, corrected as the comparison is.

    Returns:
      SUPPORTED: shown by the equivalence test, also of a difference that is significant; REFUTED:
      the difference is shown to exceed the margin; else UNDECIDED.
    """
    if comparison.corrected_equivalence_p_value < SIGNIFICANCE:
        return SUPPORTED
    return REFUTED if excess < SIGNIFICANCE and comparison.is_tested else UNDECIDED


def told_from(baseline: str, tests: Mapping[str, Comparison], lower: str, higher: str) -> str:
    """The names that corrected tests tell from a baseline, in the words of a headline.

    Args:
      tests: of each of the others with the baseline, by name.
      lower, higher: what a lower and a higher figure is called: "sooner", "later".
    """
    parts = []
    for word, verdict in ((lower, statistics.BETTER), (higher, statistics.WORSE)):
        names = [name for name, test in tests.items() if test.verdict == verdict]
        if names:
            parts.append(f"{word} than {baseline}: {_listed(names, len(tests))}")
    if parts:
        return "; ".join(parts)
    seeds = max((test.pairs for test in tests.values()), default=0)
    return (
        f"not decided: no difference from {baseline} is significant on "
        f"{numbers.count(seeds, 'seed')}"
    )


def _listed(names: Sequence[str], of: int) -> str:
    if len(names) == of > 2:
        return f"each of the {of} others"
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def capitalized(words: str) -> str:
    """Words with which a sentence begins."""
    return words[:1].upper() + words[1:]


def too_few(seeds: int, comparisons: int) -> str:
    """A sentence for the evidence where seeds are too few for so many comparisons; else ""."""
    needed = statistics.fewest_seeds(comparisons)
    if seeds >= needed:
        return ""
    told = f"{numbers.count(seeds, 'seed')} decide{'s' * (seeds == 1)} nothing"
    if seeds >= MIN_PAIRS:
        told = f"no difference is significant on {seeds} seeds, however large"
    return f" {capitalized(told)}: it takes {needed} or more (--seeds={needed})."


def against(test: Comparison) -> str:
    """A cell of a table: the mean difference and its corrected p-value, and an equivalence."""
    value, p_value = test.difference.value, test.corrected_p_value
    difference = f"{value:+.2f}" if math.isfinite(value) else "diverged"
    shown = difference if math.isnan(p_value) else f"{difference}, {p_value:.2g}"
    return f"{shown} (equivalent)" if test.verdict == EQUIVALENT else shown


def in_words(comparison: Comparison, unit: str) -> str:
    """The mean difference and the p-values: `-1.20 points, p = 0.016`.

    The p-value of equivalence follows where that is the verdict.
    """
    value = comparison.difference.value
    words = f"{value:+.2f} {unit}" if math.isfinite(value) else "with misses"
    for p_value, name in (
        (comparison.corrected_p_value, "p"),
        (comparison.corrected_equivalence_p_value, "equivalence p"),
    ):
        is_shown = name == "p" or comparison.verdict == EQUIVALENT
        if is_shown and not math.isnan(p_value):
            words += f", {numbers.p_value(p_value, name)}"
    return words
