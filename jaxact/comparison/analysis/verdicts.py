"""Verdicts between the activations of a study: the one rule for answers, findings, tables, marks.

Comparisons with the baseline are corrected for each other. What is said of an activation that was
chosen for its figures, a leader or the best of a column, is corrected for all pairs. Activations
that are one function are no rivals: the second is a measure of the machine's noise.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.analysis.measures import Measure
from jaxact.comparison.study import DIVERGED, DONE, Study, Workload
from jaxact.statistics import BETTER, UNDECIDED, Comparison, Margin


def margin_of(study: Study, measure: Measure) -> Margin:
    """The difference that is of no account: points of an error, else a share."""
    is_error = measure is measures.error_percent
    return Margin(study.plan.margin_points) if is_error else statistics.SHARE


def values_of(study: Study, workload: Workload, measure: Measure) -> dict[str, list[float]]:
    """The rivals' figures, by seed; the error of a run that diverged is infinite: above all."""
    values = measures.by_seed(study, workload, measure)
    if measure is measures.error_percent:
        for name, of_name in values.items():
            for place, run in enumerate(study.of(workload, name)):
                if run.status == DIVERGED:
                    of_name[place] = math.inf
    return {name: values[name] for name in study.plan.rivals}


def fewest_lost(study: Study, workload: Workload) -> dict[str, int]:
    """The rivals of which the fewest runs diverged, and how many did."""
    lost = {
        name: sum(run.status == DIVERGED for run in study.made(workload, name))
        for name in study.plan.rivals
        if any(run.status == DONE for run in study.made(workload, name))
    }
    return {name: count for name, count in lost.items() if count == min(lost.values())}


def against_baseline(study: Study, workload: Workload, measure: Measure) -> list[Comparison]:
    """Every rival against the baseline."""
    values = values_of(study, workload, measure)
    margin, anytime = margin_of(study, measure), study.plan.is_sequential
    return statistics.compare(values, study.plan.baseline, margin, anytime=anytime)


class Matrix(NamedTuple):
    """Every rival against every other; both (a, b) and (b, a) are there."""

    names: tuple[str, ...]
    pairs: dict[tuple[str, str], Comparison]

    def over(self, name: str) -> list[Comparison]:
        """The comparisons of a name with all others, in their order."""
        return [self.pairs[name, other] for other in self.names if other != name]


def spoken_of(study: Study, workload: Workload) -> tuple[Measure, ...]:
    """The measures that an answer speaks of, corrected together.

    So that in at most 5 % of studies anything in it is called significant by mistake. Times count
    where some run reached the target: if none did, all are ties, which no test can tell apart
    (Tarone 1990).
    """
    made = (run for name in study.plan.rivals for run in study.made(workload, name))
    if not study.plan.is_timed or not measures.reached([*made]):
        return (measures.error_percent,)
    return (measures.time_axis(study, workload).measure, measures.error_percent)


def between(study: Study, workload: Workload, *kinds: Measure) -> dict[Measure, Matrix]:
    """Every rival against every other by each measure, corrected for all pairs of all of them."""
    margins = {measure: margin_of(study, measure) for measure in kinds}
    values = {measure: values_of(study, workload, measure) for measure in kinds}
    families = [
        statistics.all_pairs(values[measure], margin, anytime=study.plan.is_sequential)
        for measure, margin in margins.items()
    ]
    return {
        measure: Matrix(
            tuple(values[measure]),
            {(c.name, c.baseline): c for one in family for c in (one, statistics.flipped(one))},
        )
        for measure, family in zip(kinds, statistics.corrected(families), strict=True)
    }


def best(matrix: Matrix, centres: dict[str, float], tie: float = 0.0) -> set[str]:
    """The names to mark: the one of the lowest figure, and those not shown to be worse than it.

    Empty where none is shown to be worse than it: then nothing tells the best from the others.

    Args:
      centres: the figures by name, in which the lowest is best; finite ones.
      tie: a difference of figures that does not count, whatever a test says.
    """
    known = [name for name in matrix.names if math.isfinite(centres.get(name, math.nan))]
    if not known:
        return set()
    leader = min(known, key=centres.__getitem__)
    worse = {
        name
        for name in named(matrix.over(leader), BETTER)
        if not centres.get(name, math.inf) - centres[leader] <= tie
    }
    return {name for name in known if name not in worse} if worse else set()


def undecided(study: Study, workload: Workload) -> list[str]:
    """The rivals whose final error is not yet told from the baseline's, nor shown to equal it.

    Without those that lose all runs beside the baseline's, of which more seeds tell nothing.
    """
    comparisons = against_baseline(study, workload, measures.error_percent)
    return [c.name for c in comparisons if c.pairs and c.verdict == UNDECIDED]


def named(comparisons: Iterable[Comparison], *verdicts: str) -> list[str]:
    """The names compared with, of the comparisons that have one of the verdicts."""
    return [c.baseline for c in comparisons if c.verdict in verdicts]


class Twins(NamedTuple):
    """Two activations that are one function: what differs between them is noise.

    Attributes:
      name, original: the activations.
      error_points: largest difference of their errors over the seeds.
      seconds_percent: how far their training times lie apart, in percent of the original's: the
        median over the seeds, and the largest; nan without seconds.
      seeds: that both have.
    """

    name: str
    original: str
    error_points: float
    seconds_percent: tuple[float, float]
    seeds: int


def twins(study: Study, workload: Workload) -> list[Twins]:
    """The pairs of one function that have runs of the same seed, at the same learning rate."""
    errors = measures.by_seed(study, workload, measures.error_percent)
    seconds = measures.by_seed(study, workload, measures.train_seconds)
    found = []
    for name, original in study.plan.twins:
        if study.rate(workload, name) != study.rate(workload, original):
            continue
        apart = np.abs(np.subtract(errors[name], errors[original]))
        apart = apart[~np.isnan(apart)]
        if not len(apart):
            continue
        relative = np.abs(np.divide(seconds[name], seconds[original]) - 1) * 100
        relative = relative[~np.isnan(relative)]
        times = (math.nan, math.nan)
        if len(relative):
            times = float(np.median(relative)), float(relative.max())
        found.append(Twins(name, original, float(apart.max()), times, len(apart)))
    return found


def test_set_noise(error_percent: float, examples: int) -> float:
    """The standard deviation of an error that the choice of so many test images makes, in points.

    100 sqrt(p (1 - p) / n), the binomial's. It is the same for all seeds: more of them do not
    lower it.
    """
    share = error_percent / 100
    return 100 * math.sqrt(share * (1 - share) / examples)
