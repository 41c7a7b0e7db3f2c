"""The answer of a comparison in words, and what it says of the paper's findings.

An answer names a leader only as far as the seeds carry it: whoever leads was chosen by its figures,
so what is said of its lead is corrected for all pairs among which it was chosen. A finding of the
paper comes out confirmed, refuted or undecided, with its evidence; the rules are in
`jaxact.comparison.paper.findings`.
"""

import math
import re
from collections.abc import Mapping, Sequence

from jaxact import statistics
from jaxact.comparison.analysis import measures, sweep, verdicts
from jaxact.comparison.analysis.measures import Measure
from jaxact.comparison.paper.findings import Finding, paper_findings
from jaxact.comparison.study import DIVERGED, DONE, MISSING, Study, Workload
from jaxact.presentation import numbers
from jaxact.statistics import BETTER, EQUIVALENT, MIN_PAIRS, Estimate

Matrices = Mapping[Measure, verdicts.Matrix]

WORDS = {measures.SECONDS: "s of training", measures.EPOCHS: "epochs"}

__all__ = ["Finding", "answer", "as_markdown", "paper_findings"]


def answer(study: Study, workload: Workload) -> str:
    """The answer: which activation was soonest and which ended best, as sure as it is."""
    target = study.plan.goal(workload.dataset)
    made = {name: study.made(workload, name) for name in study.plan.rivals}
    made = {name: runs for name, runs in made.items() if runs}
    done = {name for name, runs in made.items() if any(run.status == DONE for run in runs)}
    if not made:
        return "No run has ended yet."
    if not done:
        ended = [run.status for runs in made.values() for run in runs]
        how = "diverged" if set(ended) == {DIVERGED} else "diverged or failed"
        return f"No answer: every run {how}."
    if len(study.plan.rivals) == 1:
        sentences = [_alone(study, workload, next(iter(done)), target)]
    else:
        matrices = verdicts.between(study, workload, *verdicts.spoken_of(study, workload))
        ranked = [_lowest_error(study, workload, matrices)]
        if study.plan.is_timed:
            ranked.insert(0, _soonest(study, workload, matrices, made, target))
        if few := _too_few_seeds(study, workload):
            first = re.sub("^No activation", "no activation", ranked[0])
            ranked = [few, f"On these, {first}", *ranked[1:]]
        sentences = [*ranked, *_reservations(study, workload)]
    return " ".join(filter(None, [*sentences, *_twins(study, workload)]))


def _alone(study: Study, workload: Workload, name: str, target: str) -> str:
    runs = study.made(workload, name)
    axis = measures.time_axis(study, workload)
    seconds = statistics.median([axis.measure(run) for run in runs])
    error = statistics.mean([measures.error_percent(run) for run in runs])
    ended = f"ended at {numbers.estimate(error, '% error')}"
    if not study.plan.is_timed:
        return f"{name} {ended}, the mean of {_runs(len(runs))}."
    when = f", after {_on_axis(axis, seconds, WORDS[axis])} (median)" if _known(seconds) else ""
    return (
        f"{name} reached {target} in {measures.reached(runs)} of {_runs(len(runs))}{when}, and "
        f"{ended}."
    )


def _soonest(
    study: Study,
    workload: Workload,
    matrices: Matrices,
    made: Mapping[str, Sequence],
    target: str,
) -> str:
    axis = measures.time_axis(study, workload)
    times = verdicts.values_of(study, workload, axis.measure)
    medians = {name: statistics.median(times[name]) for name in made}
    medians = {name: median for name, median in medians.items() if not math.isnan(median.value)}
    # epochs are often alike
    leader = min(medians, key=lambda n: (medians[n].value, statistics.mean(times[n]).value))
    if not any(measures.reached(list(runs)) for runs in made.values()):
        if study.plan.elsewhere is not None:
            return f"No activation reached {target} in any run."
        epochs = study.plan.config.epochs
        return f"No activation reached {target} in {epochs} epoch{'s' * (epochs > 1)}."
    if not _known(medians[leader]):
        most = max(made, key=lambda name: measures.reached(list(made[name])))
        return (
            f"No activation reached {target} in most of its runs; {most} did most often, in "
            f"{measures.reached(list(made[most]))} of {len(made[most])}."
        )
    wins, whole = first_places(times, leader)
    seconds = _on_axis(axis, medians[leader], WORDS[axis])
    sentence = f"{leader} reached {target} soonest, after {seconds}"
    if whole > 1:
        sentence += f" in the median, and was first in {wins} of {whole} runs"
    return f"{sentence}{_lead(study, workload, matrices, axis.measure, medians, axis.unit)}."


def _on_axis(axis: measures.TimeAxis, estimate: Estimate, unit: str) -> str:
    """`14.90 s of training [13.90, 16.10]`, or `7 epochs [6, 8]`."""
    if axis is measures.SECONDS:
        return numbers.estimate(estimate, unit)
    return numbers.estimate(estimate, "epoch" if estimate.value == 1 else unit, "{:g}".format)


def _lowest_error(study: Study, workload: Workload, matrices: Matrices) -> str:
    errors = measures.by_seed(study, workload, measures.error_percent)
    means = {name: statistics.mean(errors[name]) for name in verdicts.fewest_lost(study, workload)}
    means = {name: mean for name, mean in means.items() if _known(mean)}
    leader = min(means, key=lambda name: means[name].value)
    sentence = f"{leader} ended with the lowest mean error, {numbers.estimate(means[leader], '%')}"
    measure = measures.error_percent
    return f"{sentence}{_lead(study, workload, matrices, measure, means, 'points')}."


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
    study: Study,
    workload: Workload,
    matrices: Matrices,
    measure: Measure,
    centres: Mapping[str, Estimate],
    unit: str,
) -> str:
    """The worth of the lead of the lowest over the next, and over the others; from "; " on."""
    leader, *others = sorted(centres, key=lambda name: centres[name].value)
    if not others:
        return "; no other has a run to compare it with"
    if not _known(centres[others[0]]):
        return "; the others did not in most of their runs"
    matrix = matrices[measure]
    following = matrix.pairs[others[0], leader]
    words = f"; its mean lead over {following.name}, the next"
    lead = f"{words}, {_difference(study, workload, measure, following, unit)},"
    if not math.isfinite(following.difference.value):
        lead = words
    if not following.pairs:
        return f"; no seed of it is one of {following.name}'s, the next"
    if following.pairs < MIN_PAIRS:
        return f"{lead} is not tested on {_seeds(following.pairs)}"
    over = [c for c in matrix.over(leader) if c.baseline in centres]
    margin = verdicts.margin_of(study, measure).words(unit)
    p_value = numbers.p_value(following.corrected_p_value, "p")  # of all pairs
    if following.verdict == EQUIVALENT:
        p_value = numbers.p_value(following.corrected_equivalence_p_value, "p")
    said = {
        BETTER: f"is against it ({p_value})",  # the means lead the other way than the medians
        statistics.WORSE: f"is significant ({p_value}, corrected for all pairs)",
        EQUIVALENT: f"is of no account: they are equivalent within {margin} ({p_value})",
        statistics.UNDECIDED: f"is undecided ({p_value}, corrected for all pairs)",
    }[following.verdict]
    alike = [name for name in verdicts.named(over, EQUIVALENT) if name != following.name]
    beyond = f"; equivalent to it within {margin}: {', '.join(alike)}" if alike else ""
    behind = verdicts.named(over, BETTER)
    if following.verdict != statistics.WORSE and behind:
        beyond += f"; its lead over {', '.join(behind)} is significant"
    return f"{lead} {said}{beyond}"


def _difference(
    study: Study, workload: Workload, measure: Measure, pair: statistics.Comparison, unit: str
) -> str:
    """The mean difference of a pair, with the interval that a matrix has not."""
    values = verdicts.values_of(study, workload, measure)
    chosen = {name: values[name] for name in (pair.name, pair.baseline)}
    return numbers.estimate(statistics.compare(chosen, pair.baseline)[0].difference, unit)


def _fewest_seeds(study: Study, workload: Workload) -> tuple[int, int]:
    """The seeds below which no rival is told from the baseline, and none is shown to lead."""
    count = len(study.plan.rivals)
    pairs = len(verdicts.spoken_of(study, workload)) * count * (count - 1) // 2
    return statistics.fewest_seeds(count - 1), statistics.fewest_seeds(pairs)


def _too_few_seeds(study: Study, workload: Workload) -> str:
    """A sentence that comes first where nothing is ranked, for want of seeds; else ""."""
    names = study.plan.rivals
    seeds, count = min(len(study.made(workload, name)) for name in names), len(names)
    if not 0 < seeds < MIN_PAIRS:
        return ""
    _, fewest = _fewest_seeds(study, workload)
    how = "" if study.plan.elsewhere else f" (--seeds={fewest})"
    return (
        f"{_seeds(seeds).capitalize()} cannot tell luck from merit and rank{'s' * (seeds == 1)} "
        f"nothing: the lead of one of {count} takes {fewest} or more{how}."
    )


def _reservations(study: Study, workload: Workload) -> list[str]:
    """The reasons not to trust the ranks."""
    ended = [len(study.made(workload, name)) for name in study.plan.rivals]
    runs = [run for name in study.plan.activations for run in study.of(workload, name)]
    lost = sum(run.status not in (DONE, MISSING) for run in runs)
    notes = []
    if not min(ended):
        notes.append("Some activations have no run yet.")
    elif min(ended) >= MIN_PAIRS:
        notes += filter(None, (_powerless(study, workload), _test_set_noise(study, workload)))
    if lost:
        notes.append(
            f"{_runs(lost).capitalize()} diverged or failed: misses of the target, and with errors "
            "above all others where they diverged."
        )
    if workload.learning_rate is None:
        notes += sweep.at_an_edge(study, workload.dataset)
    return notes


def _powerless(study: Study, workload: Workload) -> str:
    """A sentence where so few seeds could show nothing, whatever they were; else ""."""
    count = len(study.plan.rivals)
    seeds = max(len(study.made(workload, name)) for name in study.plan.rivals)
    told, leads = _fewest_seeds(study, workload)
    if seeds >= leads or study.plan.is_sequential:  # which has other tests
        return ""
    first = f"it takes {told} to tell any from {study.plan.baseline}, " if seeds < told else ""
    words = "no difference" if seeds < told else "no lead"
    return (
        f"{seeds} seeds can show {words} among {count} activations, however large: "
        f"{first}{'and ' * bool(first)}{leads} {'' if first else 'are needed '}to show a leader."
    )


def _test_set_noise(study: Study, workload: Workload) -> str:
    """The noise that the test images themselves put on every error, in a sentence."""
    runs = [run for name in study.plan.rivals for run in study.of(workload, name)]
    errors = [measures.error_percent(run) for run in runs]
    error = statistics.median(errors).value
    examples = measures.test_examples(study, workload)
    if not examples or not math.isfinite(error):
        return ""
    noise = verdicts.test_set_noise(error, examples)
    return (
        f"All errors are on the same {examples:,} test images: others would move each by "
        f"{noise:.2f} points (one standard deviation), which more seeds do not lower."
    )


def _twins(study: Study, workload: Workload) -> list[str]:
    """The noise of the machine, from activations that are one function."""
    sentences = []
    for twin in verdicts.twins(study, workload):
        middle, most = twin.seconds_percent
        times = "" if math.isnan(middle) else f", training times by {middle:.1f} % ({most:.1f} %)"
        sentences.append(
            f"{twin.name} is {twin.original} again, an A/A pair: over {_seeds(twin.seeds)} errors "
            f"differ by {twin.error_points:.2f} points at most{times}"
            f"{' in the median (at most)' if times else ''}, by the machine alone."
        )
    return sentences


def _known(estimate: Estimate) -> bool:
    return math.isfinite(estimate.value)


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def as_markdown(study: Study) -> str:
    """The paper's findings with verdict and evidence, a line each; "" where there are none."""
    lines = [f"- {f.claim}: **{f.verdict}**. {f.evidence}\n" for f in paper_findings(study)]
    return "## The paper's findings\n\n" + "".join(lines) if lines else ""
