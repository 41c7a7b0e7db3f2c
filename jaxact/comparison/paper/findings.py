"""The paper's findings as rules on paired seeds: confirmed, refuted or undecided.

Every rule looks at the paper's own activations, on each data set of the study at its common
learning rate; over several data sets a finding is confirmed if it is on each, refuted if it is on
any. With fewer than `MIN_PAIRS` whole seeds, or where an activation it speaks of is not
compared, it is undecided. "Significant" is after Holm's correction over the rule's comparisons.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import scipy  # its `stats` is imported when it is first used: it takes most of a second

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.study import Study, Workload
from jaxact.presentation import numbers
from jaxact.statistics import MIN_PAIRS, Comparison, Estimate

CONFIRMED, REFUTED, UNDECIDED = "confirmed", "refuted", "undecided"

AMONG_SOONEST = 2.5  # mean rank: first or second, as in both of the paper's tables
HARDLY_PERCENT = 5.0  # the paper's own totals lie within 4 % of each other
UNSTABLE_RANKS = 1.0  # the paper's PReLU is first in one table and fourth in the other
FEWEST_RANKED = 4  # activations, for a rank to say something

Values = Mapping[str, Sequence[float]]


class Finding(NamedTuple):
    """A finding of the paper, what this study says of it, and on what grounds."""

    claim: str
    verdict: str
    evidence: str


class Judged(NamedTuple):
    """A rule's outcome on one workload, or on the whole study."""

    verdict: str
    evidence: str


def paper_findings(study: Study) -> list[Finding]:
    """The paper's five findings, each put to the test."""
    findings = []
    titles = [study.plan.title(dataset) for dataset in study.plan.datasets]
    for claim, rule in RULES.items():
        judged = [rule(study, Workload(d, study.plan.common_rate)) for d in study.plan.datasets]
        findings.append(Finding(claim, *_together(titles, judged)))
    findings.append(Finding(PRELU_CLAIM, *prelu_is_unstable(study)))
    return findings


def _together(titles: Sequence[str], judged: Sequence[Judged]) -> Judged:
    verdicts = {one.verdict for one in judged}
    verdict = verdicts.pop() if len(verdicts) == 1 else UNDECIDED
    if REFUTED in {one.verdict for one in judged}:
        verdict = REFUTED
    if len(judged) == 1:
        return judged[0]
    texts = [f"{title}: {one.evidence}" for title, one in zip(titles, judged, strict=True)]
    return Judged(verdict, " ".join(texts))


def _paper_values(study: Study, workload: Workload, measure: measures.Measure) -> Values:
    """The paper's activations among those compared, by seed."""
    values = measures.by_seed(study, workload, measure)
    return {name: values[name] for name in PAPER_ACTIVATIONS if name in values}


def _whole_seeds(values: Values) -> int:
    return int((~np.isnan(np.array(list(values.values())))).all(axis=0).sum())


def _hindrance(values: Values, needed: Sequence[str], fewest: int) -> Judged | None:
    """Why a rule cannot be applied, or None if it can."""
    for name in needed:
        if name not in values:
            return Judged(UNDECIDED, f"{name} is not compared.")
    if len(values) < fewest:
        return Judged(UNDECIDED, f"It takes {fewest} of the paper's activations.")
    if (seeds := _whole_seeds(values)) < MIN_PAIRS:
        have = "1 whole seed" if seeds == 1 else f"{seeds} whole seeds"
        return Judged(UNDECIDED, f"{have}; it takes at least {MIN_PAIRS}.")
    return None


def relu_family_is_sooner(study: Study, workload: Workload) -> Judged:
    """Confirmed: each is significantly sooner at the target than tanh. Refuted: one is later."""
    values = _paper_values(study, workload, measures.seconds_to_target)
    if hindrance := _hindrance(values, ["tanh"], fewest=2):
        return hindrance
    return _all_below(statistics.compare(values, "tanh"), "s")


def tanh_is_worst(study: Study, workload: Workload) -> Judged:
    """Confirmed: every other is significantly better in error and time. Refuted: one is worse."""
    judged = []
    for measure, unit in ((measures.error_percent, "points"), (measures.seconds_to_target, "s")):
        values = _paper_values(study, workload, measure)
        if hindrance := _hindrance(values, ["tanh"], fewest=2):
            return hindrance
        judged.append(_all_below(statistics.compare(values, "tanh"), unit))
    return _together(["Error", "Time to the target"], judged)


def _all_below(comparisons: Sequence[Comparison], unit: str) -> Judged:
    significant = [c for c in comparisons if c.significant]
    if any(c.difference.value > 0 for c in significant):
        verdict = REFUTED
    else:
        verdict = CONFIRMED if len(significant) == len(comparisons) else UNDECIDED
    parts = [
        f"{c.name} {_signed(c.difference, unit)} ({numbers.p_value(c.corrected_p_value, 'p')})"
        for c in comparisons
    ]
    return Judged(verdict, f"Difference to {comparisons[0].baseline}: {', '.join(parts)}.")


def leaky_relu_is_among_the_soonest(study: Study, workload: Workload) -> Judged:
    """By the interval of its mean rank in time to the target: below 2.5, above, or across."""
    values = _paper_values(study, workload, measures.seconds_to_target)
    if hindrance := _hindrance(values, ["leaky_relu"], FEWEST_RANKED):
        return hindrance
    ranks = ranks_by_seed(values)["leaky_relu"]
    if len(ranks) < MIN_PAIRS:
        return Judged(UNDECIDED, "Too few seeds in which any activation reached the target.")
    rank = statistics.mean(ranks)
    verdict = UNDECIDED
    if rank.high <= AMONG_SOONEST:
        verdict = CONFIRMED
    elif rank.low > AMONG_SOONEST:
        verdict = REFUTED
    return Judged(verdict, f"Mean rank {numbers.estimate(rank)} of {len(values)}.")


def total_time_hardly_differs(study: Study, workload: Workload) -> Judged:
    """By the intervals of the totals' ratios to ReLU's: all within 5 %, one beyond, or across."""
    values = _paper_values(study, workload, measures.train_seconds)
    if hindrance := _hindrance(values, ["relu"], fewest=2):
        return hindrance
    base = np.array(values["relu"])
    ratios = {
        name: statistics.mean((100 * (np.array(times) / base - 1)).tolist())
        for name, times in values.items()
        if name != "relu"
    }
    distances = [_distances(ratio) for ratio in ratios.values()]
    verdict = UNDECIDED
    if any(near > HARDLY_PERCENT for near, _ in distances):
        verdict = REFUTED
    elif all(far <= HARDLY_PERCENT for _, far in distances):
        verdict = CONFIRMED
    parts = [f"{name} {_signed(ratio, '%')}" for name, ratio in ratios.items()]
    return Judged(verdict, f"Training time against relu's: {', '.join(parts)}.")


def prelu_is_unstable(study: Study) -> Judged:
    """By the interval of how far its rank moves from the first data set to another.

    Confirmed: by more than one rank, for some data set; refuted: by less, for each.
    """
    if len(study.plan.datasets) < 2:
        return Judged(UNDECIDED, "It takes two data sets.")
    ranks = []
    for dataset in study.plan.datasets:
        workload = Workload(dataset, study.plan.common_rate)
        values = _paper_values(study, workload, measures.seconds_to_target)
        if hindrance := _hindrance(values, ["prelu"], FEWEST_RANKED):
            return hindrance
        ranks.append(ranks_by_seed(values, keep=True)["prelu"])
    verdicts, parts = set(), []
    for dataset, other in zip(study.plan.datasets[1:], ranks[1:], strict=True):
        moved = statistics.mean((np.array(other) - np.array(ranks[0])).tolist())
        near, far = _distances(moved)
        verdict = UNDECIDED
        if near > UNSTABLE_RANKS:
            verdict = CONFIRMED
        elif far <= UNSTABLE_RANKS:
            verdict = REFUTED
        verdicts.add(verdict)
        way = f"from {study.plan.title(study.plan.datasets[0])} to {study.plan.title(dataset)}"
        parts.append(f"{way} {_signed(moved, 'ranks')}")
    verdict = CONFIRMED if CONFIRMED in verdicts else REFUTED
    if UNDECIDED in verdicts and CONFIRMED not in verdicts:
        verdict = UNDECIDED
    return Judged(verdict, f"Its rank moves {', '.join(parts)}.")


def ranks_by_seed(times: Values, keep: bool = False) -> dict[str, list[float]]:
    """Each one's rank in time in every whole seed; 1 is soonest, ties share, misses come last.

    A seed in which nobody reached the target, or that lacks a run, is left out; nan, if `keep`.
    """
    table = np.array(list(times.values()), float)
    ranks = np.apply_along_axis(scipy.stats.rankdata, 0, np.nan_to_num(table, nan=math.inf))
    is_whole = ~np.isnan(table).any(axis=0) & np.isfinite(table).any(axis=0)
    ranks[:, ~is_whole] = math.nan
    chosen = ranks if keep else ranks[:, is_whole]
    return dict(zip(times, chosen.tolist(), strict=True))


def _distances(estimate: Estimate) -> tuple[float, float]:
    """The distances from 0 of the interval's nearest and farthest points."""
    near, far = sorted((abs(estimate.low), abs(estimate.high)))
    return (0.0 if estimate.low * estimate.high <= 0 else near), far


def _signed(estimate: Estimate, unit: str) -> str:
    """`-3.20 s [-4.00, -2.50]`; in words where misses make it infinite."""
    if math.isinf(estimate.value):
        return "reaches it more often" if estimate.value < 0 else "reaches it less often"
    if math.isnan(estimate.value):
        return "reaches it now more, now less often"
    return numbers.estimate(estimate, unit, numbers.SIGNED)


RULES: dict[str, Callable[[Study, Workload], Judged]] = {
    "ReLU and its variants reach the target sooner than Tanh": relu_family_is_sooner,
    "Leaky ReLU is always among the soonest": leaky_relu_is_among_the_soonest,
    "Tanh is worst in error and in time to the target": tanh_is_worst,
    "Total training time hardly differs": total_time_hardly_differs,
}
PRELU_CLAIM = "PReLU is unstable between the two data sets"
