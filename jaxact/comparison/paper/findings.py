"""The paper's findings as rules on paired seeds: confirmed, refuted or undecided.

Every rule looks at the paper's own activations, on each data set of the study at its common
learning rate (each at its own, where none is shown at another), and rests on the verdicts of
`jaxact.statistics` alone: on tests, corrected over all comparisons of the finding on all data sets,
never on an interval. Over several data sets a finding is confirmed if it is on each, refuted if it
is on any. With fewer than `MIN_PAIRS` whole seeds, or where an activation it speaks of is not
compared, it is undecided.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxact import statistics
from jaxact.comparison.analysis import measures, verdicts
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.study import Study, Workload
from jaxact.presentation import numbers
from jaxact.statistics import (
    BETTER,
    EQUIVALENT,
    MIN_PAIRS,
    SIGNIFICANCE,
    WORSE,
    Comparison,
    Estimate,
)

CONFIRMED, REFUTED, UNDECIDED = "confirmed", "refuted", "undecided"

AMONG_SOONEST = 2  # places: first or second, as in both of the paper's tables
FEWEST_RANKED = 4  # activations, for a place to say something

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
    """The paper's five findings, each put to the test; none where runs were made elsewhere."""
    if study.plan.elsewhere is not None:
        return []
    return [judged(study, claim) for claim in (*RULES, PRELU_CLAIM)]


def judged(study: Study, claim: str) -> Finding:
    """One of the paper's findings, put to the test."""
    if claim == PRELU_CLAIM:
        return Finding(claim, *prelu_is_unstable(study))
    titles = [study.plan.title(dataset) for dataset in study.plan.datasets]
    by_data = [RULES[claim](study, _workload(study, name)) for name in study.plan.datasets]
    return Finding(claim, *_together(titles, by_data))


def _together(titles: Sequence[str], judged: Sequence[Judged]) -> Judged:
    verdicts = {one.verdict for one in judged}
    verdict = verdicts.pop() if len(verdicts) == 1 else UNDECIDED
    if REFUTED in {one.verdict for one in judged}:
        verdict = REFUTED
    if len(judged) == 1:
        return judged[0]
    texts = [f"{title}: {one.evidence}" for title, one in zip(titles, judged, strict=True)]
    return Judged(verdict, " ".join(texts))


def _compared(
    study: Study, baseline: str, *kinds: measures.Measure
) -> dict[tuple[str, measures.Measure], list[Comparison]]:
    """The paper's other activations against one of them, on every data set by every measure."""
    families = {}
    for dataset in study.plan.datasets:
        for measure in kinds:
            values = _paper_values(study, _workload(study, dataset), measure)
            margin, anytime = verdicts.margin_of(study, measure), study.plan.is_sequential
            if baseline in values:
                compared = statistics.compare(values, baseline, margin, anytime=anytime)
                families[dataset, measure] = compared
    return dict(zip(families, statistics.corrected([*families.values()]), strict=True))


def _axis(study: Study) -> measures.TimeAxis:
    """Seconds to the target; epochs, if some data set's are not shown."""
    axes = {measures.time_axis(study, _workload(study, name)) for name in study.plan.datasets}
    return measures.SECONDS if axes == {measures.SECONDS} else measures.EPOCHS


def _workload(study: Study, dataset: str) -> Workload:
    plan = study.plan
    return Workload(dataset, None if plan.only_own_rates else plan.common_rate)


def _paper_values(study: Study, workload: Workload, measure: measures.Measure) -> Values:
    """The paper's activations among those compared, by seed."""
    values = verdicts.values_of(study, workload, measure)
    return {name: values[name] for name in PAPER_ACTIVATIONS if name in values}


def _hindrance(values: Values, needed: str, fewest: int) -> Judged | None:
    """Why a rule cannot be applied, or None if it can."""
    if needed not in values:
        return Judged(UNDECIDED, f"{needed} is not compared.")
    if len(values) < fewest:
        return Judged(UNDECIDED, f"It takes {fewest} of the paper's activations.")
    seeds = int((~np.isnan(np.array(list(values.values())))).all(axis=0).sum())
    if seeds < MIN_PAIRS:
        have = "1 whole seed" if seeds == 1 else f"{seeds} whole seeds"
        return Judged(UNDECIDED, f"{have}; it takes at least {MIN_PAIRS}.")
    return None


def relu_family_is_sooner(study: Study, workload: Workload) -> Judged:
    """Confirmed: each is significantly sooner at the target than tanh. Refuted: one is later."""
    axis = _axis(study)
    if hindrance := _hindrance(_paper_values(study, workload, axis.measure), "tanh", fewest=2):
        return hindrance
    found = _compared(study, "tanh", axis.measure)[workload.dataset, axis.measure]
    return _all_better(found, axis.unit)


def tanh_is_worst(study: Study, workload: Workload) -> Judged:
    """Confirmed: every other is significantly better in error and time. Refuted: one is worse."""
    axis = _axis(study)
    kinds = {measures.error_percent: "points", axis.measure: axis.unit}
    for measure in kinds:
        if hindrance := _hindrance(_paper_values(study, workload, measure), "tanh", fewest=2):
            return hindrance
    families = _compared(study, "tanh", *kinds)
    judged = [_all_better(families[workload.dataset, m], unit) for m, unit in kinds.items()]
    return _together(["Error", "Time to the target"], judged)


def _all_better(comparisons: Sequence[Comparison], unit: str) -> Judged:
    found = [c.verdict for c in comparisons]
    verdict = CONFIRMED if set(found) == {BETTER} else UNDECIDED
    if WORSE in found:
        verdict = REFUTED
    parts = [
        f"{c.name} {_signed(c.difference, unit)} ({numbers.p_value(c.corrected_p_value, 'p')})"
        for c in comparisons
    ]
    return Judged(verdict, f"Difference to {comparisons[0].baseline}: {', '.join(parts)}.")


def leaky_relu_is_among_the_soonest(study: Study, workload: Workload) -> Judged:
    """Confirmed: all others but one at most are later or equivalent. Refuted: two are sooner."""
    measure = _axis(study).measure
    values = _paper_values(study, workload, measure)
    if hindrance := _hindrance(values, "leaky_relu", FEWEST_RANKED):
        return hindrance
    comparisons = _compared(study, "leaky_relu", measure)[workload.dataset, measure]
    sooner = [c.name for c in comparisons if c.verdict == BETTER]
    not_sooner = [c.name for c in comparisons if c.verdict in (WORSE, EQUIVALENT)]
    verdict = UNDECIDED
    if len(sooner) >= AMONG_SOONEST:
        verdict = REFUTED
    elif len(comparisons) - len(not_sooner) < AMONG_SOONEST:
        verdict = CONFIRMED
    open_ones = [c.name for c in comparisons if c.name not in (*sooner, *not_sooner)]
    parts = [
        f"{words} {', '.join(names)}"
        for words, names in (
            ("sooner than it:", sooner),
            (f"later, or equivalent within {_margin(study)}:", not_sooner),
            ("undecided:", open_ones),
        )
        if names
    ]
    text = "; ".join(parts)
    return Judged(verdict, f"{text[0].upper()}{text[1:]}.")


def total_time_hardly_differs(study: Study, workload: Workload) -> Judged:
    """Confirmed: all totals are equivalent to ReLU's. Refuted: one differs by more than that."""
    measure = measures.train_seconds
    values = _paper_values(study, workload, measure)
    if hindrance := _hindrance(values, "relu", fewest=2):
        is_hidden = _axis(study) is measures.EPOCHS
        return Judged(UNDECIDED, "No seconds are shown.") if is_hidden else hindrance
    comparisons = _compared(study, "relu", measure)[workload.dataset, measure]
    beyond = _beyond_the_margin(study, "relu", measure)
    verdict = UNDECIDED
    if any(beyond[workload.dataset, c.name] < SIGNIFICANCE for c in comparisons):
        verdict = REFUTED
    elif all(c.corrected_equivalence_p_value < SIGNIFICANCE for c in comparisons):
        verdict = CONFIRMED
    base = np.array(values["relu"])
    parts = []
    for c in comparisons:
        ratio = statistics.mean((100 * (np.array(values[c.name]) / base - 1)).tolist())
        more, less = beyond[workload.dataset, c.name], c.corrected_equivalence_p_value
        parts.append(
            f"{c.name} {_signed(ratio, '%')} (for more than {_margin(study)} {_p(more)}, for at "
            f"most that {_p(less)})"
        )
    return Judged(verdict, f"Training time against relu's: {', '.join(parts)}.")


def _beyond_the_margin(
    study: Study, baseline: str, measure: measures.Measure
) -> dict[tuple[str, str], float]:
    """By data set and activation, the p-value of a difference of the margin at most, corrected."""
    margin, anytime = verdicts.margin_of(study, measure), study.plan.is_sequential
    found = {}
    for dataset in study.plan.datasets:
        values = _paper_values(study, _workload(study, dataset), measure)
        for name in values:
            if name != baseline and baseline in values:
                found[dataset, name] = statistics.excess(
                    values[name], values[baseline], margin, anytime=anytime
                )
    return dict(zip(found, statistics.holm([*found.values()]).tolist(), strict=True))


def prelu_is_unstable(study: Study) -> Judged:
    """Confirmed: it is sooner than another on one data set and later on another one.

    Refuted: against each other activation it has one verdict on all data sets, and none is open.
    """
    if len(study.plan.datasets) < 2:
        return Judged(UNDECIDED, "It takes two data sets.")
    measure = _axis(study).measure
    for dataset in study.plan.datasets:
        values = _paper_values(study, _workload(study, dataset), measure)
        if hindrance := _hindrance(values, "prelu", FEWEST_RANKED):
            return hindrance
    families = [*_compared(study, "prelu", measure).values()]
    by_name = {
        comparisons[0].name: {c.verdict for c in comparisons}
        for comparisons in zip(*families, strict=True)
    }
    turned = [name for name, found in by_name.items() if found >= {BETTER, WORSE}]
    verdict = CONFIRMED if turned else UNDECIDED
    if all(len(found) == 1 and statistics.UNDECIDED not in found for found in by_name.values()):
        verdict = REFUTED
    places = [
        f"{study.plan.title(dataset)}: sooner are {_names(family, BETTER)}, later "
        f"{_names(family, WORSE)}"
        for dataset, family in zip(study.plan.datasets, families, strict=True)
    ]
    turns = f" On both sides: {', '.join(turned)}." if turned else ""
    return Judged(verdict, f"Shown, on {'; on '.join(places)}.{turns}")


def _names(comparisons: Sequence[Comparison], verdict: str) -> str:
    return ", ".join(c.name for c in comparisons if c.verdict == verdict) or "none"


def _margin(study: Study) -> str:
    return verdicts.margin_of(study, measures.seconds_to_target).words("s")


def _p(value: float) -> str:
    return "none" if math.isnan(value) else numbers.p_value(value, "p")


def _signed(estimate: Estimate, unit: str) -> str:
    """`-3.20 s [-4.00, -2.50]`; in words where misses make it infinite and ranks are tested."""
    if math.isinf(estimate.value):
        return "sooner or alone there" if estimate.value < 0 else "later or never there"
    if math.isnan(estimate.value):
        return "with misses on both sides"
    return numbers.estimate(estimate, unit, numbers.SIGNED)


RULES: dict[str, Callable[[Study, Workload], Judged]] = {
    "ReLU and its variants reach the target sooner than Tanh": relu_family_is_sooner,
    "Leaky ReLU is always among the soonest": leaky_relu_is_among_the_soonest,
    "Tanh is worst in error and in time to the target": tanh_is_worst,
    "Total training time hardly differs": total_time_hardly_differs,
}
PRELU_CLAIM = "PReLU is unstable between the two data sets"
