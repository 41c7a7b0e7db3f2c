"""The findings of a search: the table of its candidates, and the answer."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.search import confirmation as finals_of
from experiments.search.confirmation import BASELINE, Finals
from experiments.search.halving import COMPLETE, CUT, FAILED, PRUNED, Tried, ranking
from jaxact import statistics
from jaxact.presentation import numbers, tables

MOST_NAMES = 6  # in a list within a sentence
_ENDED = {COMPLETE: "through", PRUNED: "pruned", FAILED: "failed", CUT: "out of time"}


def rows(candidates: Sequence[Tried], rungs: Sequence[int], finals: Finals) -> list[tables.Row]:
    """The table, the best first: validation accuracy by rung, then the finals."""
    by_name = {candidate.activation: candidate for candidate in candidates}
    order = [*finals, *(spec for spec in ranking(candidates) if spec not in finals)]
    order += [spec for spec in by_name if spec not in order]
    tests = finals_of.against_baseline(finals)
    return [row(by_name[spec], rungs, finals, tests) for spec in order if spec in by_name]


def row(
    candidate: Tried,
    rungs: Sequence[int],
    finals: Finals,
    tests: dict[str, statistics.Comparison],
) -> tables.Row:
    spec = candidate.activation
    cells: dict[str, Any] = {"activation": spec}
    for epochs in rungs:
        heading = f"validation % at {epochs}" if epochs == rungs[0] else f"at {epochs}"
        value = candidate.by_rung.get(epochs)
        cells[heading] = None if value is None else f"{100 * value:.2f}"
    cells["search"] = _ENDED[candidate.ended]
    runs = finals.get(spec, {})
    failed = finals_of.failures(finals, spec)
    cells["finals"] = None if not runs else f"{len(runs) - failed}/{len(runs)}"
    for which, heading in (("validation", "validation %"), ("test", "test %")):
        values = [v for v in finals_of.accuracies(finals, spec, which) if not math.isnan(v)]
        cells[heading] = f"{np.mean(values):.2f}" if values else None
    test = tests.get(spec)
    cells[f"against {BASELINE} (interval)"] = None if test is None else points(test.difference)
    has_p_value = test is not None and not math.isnan(test.corrected_p_value)
    cells["p"] = f"{test.corrected_p_value:.2g}" if test is not None and has_p_value else None
    return cells


def points(difference: statistics.Estimate) -> str:
    """A difference in percentage points, and its interval where there is one."""
    return numbers.estimate(difference, form=numbers.SIGNED, ends=numbers.FROM_TO)


def answer(
    candidates: Sequence[Tried],
    waiting: Sequence[str],
    rungs: Sequence[int],
    finals: Finals,
    seeds: int,
) -> str:
    """The winner against the baseline, what was tried, and what was left out for want of time."""
    reached = Counter(epochs for candidate in candidates for epochs in candidate.by_rung)
    steps = ", ".join(f"{reached[epochs]} to epoch {epochs}" for epochs in rungs)
    sentences = [verdict(candidates, finals), f"The search trained candidates: {steps}"]
    ended = Counter(candidate.ended for candidate in candidates)
    if ended[FAILED]:
        sentences[-1] += f"; {ended[FAILED]} failed"
    left = [c.activation for c in candidates if c.ended == CUT]
    made = min((len(finals.get(spec, {})) for spec in finals), default=0)
    cut = []
    if waiting:
        cut.append(f"{len(waiting)} candidates were not tried ({some_of(waiting)})")
    if left:
        cut.append(f"{some_of(left)} could go on")
    if made < seeds:
        cut.append(f"the finals have {made} of {seeds} seeds")
    if cut:
        sentences.append(f"Out of time: {'; '.join(cut)}; a larger --budget_minutes goes on")
    return ". ".join(sentences)


def some_of(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def headline(candidates: Sequence[Tried], finals: Finals) -> str:
    """The winner against the baseline in a line; "not decided" where no test tells them apart."""
    best = finals_of.winner(finals)
    test = finals_of.against_baseline(finals).get(best) if best else None
    if test is None or not test.pairs:
        return verdict(candidates, finals)
    by = f"by {points(test.difference)} points of test accuracy"
    p_value = test.corrected_p_value
    sure = "too few seeds to test" if math.isnan(p_value) else numbers.p_value(p_value, "p")
    if test.significant:
        word = "better" if test.difference.value > 0 else "worse"
        return f"{best} is {word} than {BASELINE} {by} ({sure})"
    return f"Not decided: {best} leads the finals, and {BASELINE} {by} ({sure})"


def verdict(candidates: Sequence[Tried], finals: Finals) -> str:
    """Who won, and by how much; without finals who is ahead."""
    best = finals_of.winner(finals)
    if best is None:
        ahead = ranking(candidates)
        first = f"{ahead[0]} is ahead in the search" if ahead else "nothing was trained to the end"
        return f"There were no finals: {first}, which proves nothing"
    count = len(finals[best])
    if best == BASELINE:
        others = ", ".join(spec for spec in finals if spec != BASELINE) or "nothing else"
        return (
            f"{BASELINE} was not beaten on the validation images of the finals by {others} "
            f"({count} seeds)"
        )
    test = finals_of.against_baseline(finals).get(best)
    if test is None or not test.pairs:
        return (
            f"{best} has the best validation accuracy of the finals, without {BASELINE} to compare"
        )
    if math.isnan(test.corrected_p_value):
        sure = f"too few to test, {statistics.MIN_PAIRS} are needed"
    else:
        words = "a difference" if test.significant else "which may be chance"
        sure = f"p = {test.corrected_p_value:.2g}, {words}"
    return (
        f"{best} has the best validation accuracy of the finals; on the test images it differs "
        f"from {BASELINE} by {points(test.difference)} points over {test.pairs} paired seeds that "
        f"the search had not used ({sure})"
    )
