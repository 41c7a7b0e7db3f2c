"""The answer of a comparison in words, and what it says of the paper's findings.

An answer names a leader only as far as the seeds carry it. A finding of the paper is put as a rule
on paired seeds and comes out confirmed, refuted or undecided, with its evidence; the rules are in
`jaxact.comparison.paper.findings`.
"""

import math
from collections.abc import Mapping, Sequence

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.paper.findings import Finding, paper_findings
from jaxact.comparison.study import DIVERGED, DONE, MISSING, Study, Workload
from jaxact.presentation import numbers
from jaxact.statistics import Estimate

__all__ = ["Finding", "answer", "as_markdown", "paper_findings"]


def answer(study: Study, workload: Workload) -> str:
    """The answer: which activation was soonest and which ended best, as sure as it is."""
    target = f"{100 * study.plan.target_accuracy(workload.dataset):g} %"
    made = {name: study.made(workload, name) for name in study.plan.activations}
    made = {name: runs for name, runs in made.items() if runs}
    done = {name for name, runs in made.items() if any(run.status == DONE for run in runs)}
    if not made:
        return "No run has ended yet."
    if not done:
        ended = [run.status for runs in made.values() for run in runs]
        how = "diverged" if set(ended) == {DIVERGED} else "diverged or failed"
        return f"No answer: every run {how}."
    if len(study.plan.activations) == 1:
        return _alone(study, workload, next(iter(done)), target)
    sentences = [
        _soonest(study, workload, made, target),
        _lowest_error(study, workload),
        *_reservations(study, workload),
    ]
    return " ".join(filter(None, sentences))


def _alone(study: Study, workload: Workload, name: str, target: str) -> str:
    runs = study.made(workload, name)
    seconds = statistics.median([measures.seconds_to_target(run) for run in runs])
    error = statistics.mean([measures.error_percent(run) for run in runs])
    when = (
        f", after {numbers.estimate(seconds, 's of training')} (median)" if _known(seconds) else ""
    )
    return (
        f"{name} reached {target} in {measures.reached(runs)} of {_runs(len(runs))}{when}, and "
        f"ended at {numbers.estimate(error, '% error')}."
    )


def _soonest(study: Study, workload: Workload, made: Mapping[str, Sequence], target: str) -> str:
    times = measures.by_seed(study, workload, measures.seconds_to_target)
    medians = {name: statistics.median(times[name]) for name in made}
    leader = min(medians, key=lambda name: medians[name].value)
    if not any(math.isfinite(t) for name in made for t in times[name]):
        epochs = study.plan.config.epochs
        return f"No activation reached {target} in {epochs} epoch{'s' * (epochs > 1)}."
    if not _known(medians[leader]):
        most = max(made, key=lambda name: measures.reached(list(made[name])))
        return (
            f"No activation reached {target} in most of its runs; {most} did most often, in "
            f"{measures.reached(list(made[most]))} of {len(made[most])}."
        )
    wins, whole = first_places(times, leader)
    seconds = numbers.estimate(medians[leader], "s of training")
    sentence = f"{leader} reached {target} soonest, after {seconds}"
    if whole > 1:
        sentence += f" in the median, and was first in {wins} of {whole} runs"
    return sentence + _lead(times, leader, medians, "s") + "."


def _lowest_error(study: Study, workload: Workload) -> str:
    errors = measures.by_seed(study, workload, measures.error_percent)
    means = {name: statistics.mean(values) for name, values in errors.items()}
    means = {name: mean for name, mean in means.items() if _known(mean)}
    leader = min(means, key=lambda name: means[name].value)
    sentence = f"{leader} ended with the lowest mean error, {numbers.estimate(means[leader], '%')}"
    return sentence + _lead(errors, leader, means, "points") + "."


def first_places(times: Mapping[str, Sequence[float]], name: str) -> tuple[int, int]:
    """In how many seeds `name` came first, alone or not, of those that every activation has run."""
    wins = whole = 0
    for seed in range(len(times[name])):
        column = [values[seed] for values in times.values()]
        if any(math.isnan(value) for value in column):
            continue
        whole += 1
        wins += times[name][seed] == min(column) < math.inf
    return wins, whole


def _lead(
    values: Mapping[str, Sequence[float]], leader: str, centres: Mapping[str, Estimate], unit: str
) -> str:
    """The worth of the leader's lead over the next, tested among all others; from "; " on."""
    others = sorted((name for name in centres if name != leader), key=lambda n: centres[n].value)
    if not others:
        return "; no other has a run to compare it with"
    comparisons = {c.name: c for c in statistics.compare(values, leader)}
    following = comparisons[others[0]]
    if not _known(centres[others[0]]):
        return "; the others did not in most of their runs"
    words = f"; its lead over {following.name}, the next"
    lead = f"{words}, {numbers.estimate(following.difference, unit)},"
    if not math.isfinite(following.difference.value):
        lead = words
    if following.pairs < statistics.MIN_PAIRS:
        return f"{lead} is not tested on {_seeds(following.pairs)}"
    p_value = numbers.p_value(following.corrected_p_value, "p")
    if following.significant and following.difference.value > 0:
        return f"{lead} is significant ({p_value})"
    clear = [c.name for c in comparisons.values() if c.significant and c.difference.value > 0]
    beyond = f"; that over {', '.join(clear)} is significant" if clear else ""
    return f"{lead} is within noise ({p_value}){beyond}"


def _reservations(study: Study, workload: Workload) -> list[str]:
    """The reasons not to trust the ranks."""
    ended = [len(study.made(workload, name)) for name in study.plan.activations]
    runs = [run for name in study.plan.activations for run in study.of(workload, name)]
    lost = sum(run.status not in (DONE, MISSING) for run in runs)
    notes = []
    if min(ended) < statistics.MIN_PAIRS:
        notes.append(
            f"{_seeds(min(ended)).capitalize()} cannot tell luck from merit; take "
            f"{2 * statistics.MIN_PAIRS} or more (--seeds={2 * statistics.MIN_PAIRS})."
            if min(ended)
            else "Some activations have no run yet."
        )
    if lost:
        notes.append(f"{_runs(lost).capitalize()} diverged or failed and count as misses.")
    return notes


def _known(estimate: Estimate) -> bool:
    return math.isfinite(estimate.value)


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def as_markdown(study: Study) -> str:
    """The paper's findings with verdict and evidence, a line each."""
    lines = [f"- {f.claim}: **{f.verdict}**. {f.evidence}\n" for f in paper_findings(study)]
    return "## The paper's findings\n\n" + "".join(lines)
