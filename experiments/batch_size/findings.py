"""The findings on batch sizes: tests against the smallest, and of the source's sentences."""

import math
from collections.abc import Mapping

import numpy as np

from experiments.common import findings, grid
from experiments.common.findings import UNDECIDED, Finding
from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.analysis.measures import Measure
from jaxact.comparison.study import Study
from jaxact.presentation import numbers
from jaxact.statistics import SHARE, Comparison, Margin

Key = tuple[str, int]  # rule of the rate, batch size
Cells = Mapping[Key, Study]
SMALL, LARGE = 32, 256  # that the source speaks of
TIMES = 1.9  # as fast, at most
SECONDS: dict[str, Measure] = {
    "train s to target": measures.seconds_to_target,
    "train s": measures.train_seconds,
}


def tests(cells: Cells, measure: Measure) -> dict[Key, dict[str, Comparison]]:
    """Each batch size against the smallest by the same rule, by activation.

    Corrected over all of them.
    """
    rules, sizes = rules_of(cells), sizes_of(cells)
    specs = next(iter(cells.values())).plan.activations
    families = {}
    for rule in rules:
        values = {size: grid.by_seed(cells[rule, size], measure) for size in sizes}
        for spec in specs:
            by_size = {str(size): of_size[spec] for size, of_size in values.items()}
            families[rule, spec] = statistics.compare(by_size, str(sizes[0]), _margin(cells))
    found: dict[Key, dict[str, Comparison]] = {}
    judged = statistics.corrected([*families.values()])
    for (rule, spec), family in zip(families, judged, strict=True):
        for test in family:
            found.setdefault((rule, int(test.name)), {})[spec] = test
    return found


def of_claim(cells: Cells, is_timed: bool) -> list[Finding]:
    """The source's sentences by each rule, on means over the activations.

    The tests of a sentence are corrected over all rules.

    Args:
      is_timed: whether seconds may be compared.
    """
    return [
        *_fewest_epochs(cells),
        *_ends_equally_well(cells),
        *_is_faster(cells, is_timed),
    ]


def _fewest_epochs(cells: Cells) -> list[Finding]:
    claim = f"A batch of {SMALL} needs the fewest epochs to the target"
    others = [size for size in sizes_of(cells) if size != SMALL]
    if why := _lacking(cells, SMALL) or ("No other batch size is compared." if not others else ""):
        return [Finding(claim, UNDECIDED, why)]
    families = {}
    for rule in rules_of(cells):
        values = {
            size: _means(cells[rule, size], measures.epoch_to_target) for size in sizes_of(cells)
        }
        by_size = {str(size): of_size for size, of_size in values.items()}
        compared = statistics.compare(by_size, str(SMALL), SHARE)
        families[rule] = [statistics.flipped(test) for test in compared]
    made = []
    for rule, family in zip(families, statistics.corrected([*families.values()]), strict=True):
        medians = {s: _median(cells[rule, s], measures.epoch_to_target) for s in sizes_of(cells)}
        verdict = findings.better_than_all(family)
        evidence = "Median epochs: " + ", ".join(
            f"{size}: {value:g}" if math.isfinite(value) else f"{size}: never"
            for size, value in medians.items()
        )
        shown = [
            f"{words} {', '.join(names)}"
            for words, kind in (
                ("fewer than", statistics.BETTER),
                ("more than", statistics.WORSE),
                ("as many (within 5 %) as", statistics.EQUIVALENT),
            )
            if (names := [test.baseline for test in family if test.verdict == kind])
        ]
        evidence += f". Shown of {SMALL}: {'; '.join(shown) or 'nothing'}."
        if not np.isfinite(_means(cells[rule, SMALL], measures.epoch_to_target)).any():
            verdict, evidence = UNDECIDED, f"{evidence} No run with {SMALL} reached the target."
        made.append(
            _finding(claim, rule, verdict, evidence, cells, sum(map(len, families.values())))
        )
    return made


def _ends_equally_well(cells: Cells) -> list[Finding]:
    margin = _margin(cells)
    claim = f"A batch of {LARGE} ends as well as one of {SMALL}, within {margin.words('points')}"
    if why := _lacking(cells, SMALL, LARGE):
        return [Finding(claim, UNDECIDED, why)]
    errors = {
        rule: {str(s): _means(cells[rule, s], measures.error_percent) for s in (SMALL, LARGE)}
        for rule in rules_of(cells)
    }
    families = [statistics.compare(of, str(SMALL), margin) for of in errors.values()]
    beyond = statistics.holm(
        [statistics.excess(of[str(LARGE)], of[str(SMALL)], margin) for of in errors.values()]
    )
    made = []
    judged = statistics.corrected(families)
    for (rule, of), [test], excess in zip(errors.items(), judged, beyond, strict=True):
        verdict = findings.equivalent(test, float(excess))
        evidence = (
            f"Mean test error {np.mean(of[str(LARGE)]):.2f} % with {LARGE}, "
            f"{np.mean(of[str(SMALL)]):.2f} % with {SMALL}: "
            f"{findings.in_words(test, 'points')}"
        )
        if test.is_tested:
            evidence += (
                f"; within the margin {numbers.p_value(test.corrected_equivalence_p_value, 'p')}, "
                f"beyond it {numbers.p_value(float(excess), 'p')}"
            )
        made.append(_finding(claim, rule, verdict, f"{evidence}.", cells, len(families)))
    return made


def _is_faster(cells: Cells, is_timed: bool) -> list[Finding]:
    claim = (
        f"A batch of {LARGE} trains as many epochs in less time than one of {SMALL}, up to "
        f"{TIMES:g} times as fast"
    )
    why = _lacking(cells, SMALL, LARGE)
    if not is_timed:
        why = why or "Runs were made beside other work: their seconds are not compared."
    if why:
        return [Finding(claim, UNDECIDED, why)]
    families = {}
    for rule in rules_of(cells):
        seconds = {str(s): _means(cells[rule, s], measures.train_seconds) for s in (SMALL, LARGE)}
        families[rule] = statistics.compare(seconds, str(SMALL), SHARE)
    made = []
    for rule, family in zip(families, statistics.corrected([*families.values()]), strict=True):
        small, large = (_means(cells[rule, s], measures.train_seconds) for s in (SMALL, LARGE))
        times = statistics.quartiles(np.divide(small, large).tolist())
        evidence = (
            f"{LARGE} was {times.value:.2f} times as fast (quartiles {times.low:.2f} to "
            f"{times.high:.2f}; {findings.in_words(family[0], 's')})."
        )
        made.append(
            _finding(claim, rule, findings.better_than_all(family), evidence, cells, len(families))
        )
    return made


def _finding(
    claim: str, rule: str, verdict: str, evidence: str, cells: Cells, tests: int
) -> Finding:
    """A finding by a rule, of so many tests; it says where the seeds are too few."""
    seeds = next(iter(cells.values())).plan.seeds
    few = findings.too_few(seeds, tests)
    return Finding(f"{claim} (rate {rule})", verdict, f"{evidence}{few}")


def _lacking(cells: Cells, *sizes: int) -> str:
    """A sentence where some of the sizes are not compared; else ""."""
    lacking = [str(size) for size in sizes if size not in sizes_of(cells)]
    return f"{' and '.join(lacking)} not among --batch_sizes." if lacking else ""


def in_words(cells: Cells) -> str:
    """The batch sizes of the fewest epochs and of the lowest error, by each rule."""
    sentences = []
    for rule in rules_of(cells):
        epochs = {s: _median(cells[rule, s], measures.epoch_to_target) for s in sizes_of(cells)}
        errors = {s: float(np.mean(_means(cells[rule, s], measures.error_percent))) for s in epochs}
        fewest = min(epochs.values())
        soonest = ", ".join(str(size) for size, value in epochs.items() if value == fewest)
        lowest = min(errors, key=errors.__getitem__)
        first = f"{soonest} reached the target soonest ({fewest:g} epochs, median)"
        if not math.isfinite(fewest):
            first = "most runs of every batch size missed the target"
        highest = max(errors, key=errors.__getitem__)
        sentences.append(
            f"Rate {rule}: {first}; the mean error is the lowest with {lowest}, "
            f"{errors[lowest]:.2f} %, and the highest with {highest}, {errors[highest]:.2f} %."
        )
    return " ".join(sentences)


def rules_of(cells: Cells) -> list[str]:
    """The rules, in order."""
    return [*dict.fromkeys(rule for rule, _ in cells)]


def sizes_of(cells: Cells) -> list[int]:
    """The batch sizes, rising."""
    return sorted({size for _, size in cells})


def _means(study: Study, measure: Measure) -> list[float]:
    return grid.over_activations(grid.by_seed(study, measure))


def _median(study: Study, measure: Measure) -> float:
    return statistics.median(_means(study, measure)).value


def _margin(cells: Cells) -> Margin:
    return Margin(next(iter(cells.values())).plan.margin_points)
