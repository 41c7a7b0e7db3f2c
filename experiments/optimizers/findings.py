"""The findings on optimizers: tests of each activation, and of the source's two sentences."""

from collections.abc import Mapping

import numpy as np

from experiments.common import findings, grid
from experiments.common.findings import Finding
from jaxact import statistics
from jaxact.comparison.analysis import measures, sweep
from jaxact.comparison.study import Study
from jaxact.presentation import numbers
from jaxact.specs import parse
from jaxact.statistics import Comparison, Margin, Values
from jaxact.training.optimizer import EXAMPLES

Key = tuple[str, int]  # optimizer, epochs
Cells = Mapping[Key, Study]
MANY = 100  # epochs; more are many, as the source has it
CLAIMS = {
    "few": "When epochs are few, Adam ends with a lower test error than SGD with momentum",
    "many": "When epochs are many, SGD with momentum ends with a lower test error than Adam",
}


def name_of(spec: str) -> str:
    """An optimizer without its parameters."""
    return parse(spec, "optimizer", EXAMPLES)[0]


def has_momentum(spec: str) -> bool:
    """Whether it is SGD with momentum."""
    name, parameters = parse(spec, "optimizer", EXAMPLES)
    return name == "sgd" and bool(parameters.get("momentum"))


def errors_of(study: Study) -> dict[str, list[float]]:
    """Test errors at the end, in percent, by activation and seed; infinite where a run diverged."""
    return grid.by_seed(study, measures.error_percent)


def tests(cells: Cells, epochs: int) -> dict[tuple[str, str], Comparison]:
    """Final errors against the first optimizer's, by optimizer and activation.

    Corrected over all optimizers and activations at this number of epochs.
    """
    return tests_of(
        {o: errors_of(study) for (o, n), study in cells.items() if n == epochs}, _margin(cells)
    )


def tests_of(
    errors: Mapping[str, Mapping[str, Values]], margin: Margin
) -> dict[tuple[str, str], Comparison]:
    """The tests of `tests`, of errors by optimizer, activation and seed."""
    first = next(iter(errors))
    families = {
        spec: statistics.compare({o: of[spec] for o, of in errors.items()}, first, margin)
        for spec in errors[first]
    }
    judged = statistics.corrected([*families.values()])
    return {
        (test.name, spec): test
        for spec, family in zip(families, judged, strict=True)
        for test in family
    }


def of_claim(cells: Cells) -> list[Finding]:
    """The source's two sentences, each put to the test on the mean error over the activations.

    A seed's errors are averaged over the activations, each at its own rates; the two tests, at the
    fewest and at the most epochs, are corrected for each other.
    """
    adam = next((o for o, _ in cells if name_of(o) == "adam"), "")
    sgd = next((o for o, _ in cells if has_momentum(o)), "")
    few, many = min(n for _, n in cells), max(n for _, n in cells)
    claims = {few: ("few", adam, sgd)} if few <= MANY else {}
    claims |= {many: ("many", sgd, adam)} if many not in claims else {}
    if not adam or not sgd:
        why = "adam and sgd with a momentum are not both compared."
        return [Finding(CLAIMS[which], findings.UNDECIDED, why) for which, *_ in claims.values()]
    families = []
    for epochs, (_, better, worse) in claims.items():
        values = {
            name: grid.over_activations(errors_of(cells[name, epochs])) for name in (better, worse)
        }
        families.append(statistics.compare(values, worse, _margin(cells)))
    judged = statistics.corrected(families)
    return [
        _finding(cells, epochs, claim, test, len(judged))
        for (epochs, claim), [test] in zip(claims.items(), judged, strict=True)
    ]


def _finding(
    cells: Cells, epochs: int, claim: tuple[str, str, str], test: Comparison, tests: int
) -> Finding:
    which, better, worse = claim
    verdict = findings.better_than_all([test])
    errors = ", ".join(
        f"{name} {_mean_error(cells[name, epochs]):.2f} %" for name in (better, worse)
    )
    ours, theirs = (errors_of(cells[name, epochs]) for name in (better, worse))
    lower = sum(np.mean(ours[spec]) < np.mean(theirs[spec]) for spec in ours)
    evidence = [
        f"At {epochs} epochs, mean test error over {numbers.count(len(ours), 'activation')} and "
        f"{numbers.count(test.pairs, 'seed')}: {errors} ({findings.in_words(test, 'points')}). "
        f"{better} has the lower mean with {lower} of them."
    ]
    if few := findings.too_few(test.pairs, tests):
        evidence.append(few.strip())
    if which == "many" and epochs <= MANY:
        verdict = findings.UNDECIDED
        evidence.append(f"The source speaks of more than {MANY} epochs: --epochs={MANY + 1}.")
    return Finding(CLAIMS[which], verdict, " ".join(evidence))


def _mean_error(study: Study) -> float:
    return float(np.mean(grid.over_activations(errors_of(study))))


def _margin(cells: Cells) -> Margin:
    return Margin(next(iter(cells.values())).plan.margin_points)


def in_words(cells: Cells) -> str:
    """The mean errors at each number of epochs, who is ahead by activation, and open rates."""
    sentences = []
    for epochs in dict.fromkeys(n for _, n in cells):
        told = []
        for optimizer, study in ((o, s) for (o, n), s in cells.items() if n == epochs):
            told.append(f"{optimizer} {_mean_error(study):.2f} %")
        found = tests(cells, epochs)
        by_verdict = [
            f"{verdict} for {', '.join(specs)}"
            for verdict in (statistics.BETTER, statistics.WORSE, statistics.EQUIVALENT)
            if (specs := [_pair(key, cells) for key, t in found.items() if t.verdict == verdict])
        ]
        sentences.append(f"After {epochs} epochs, mean test error: {', '.join(told)}.")
        if found:
            first = next(o for o, _ in cells)
            sentences.append(
                f"Against {first}, by corrected tests: {'; '.join(by_verdict) or 'all undecided'}."
            )
    edges = [
        f"{optimizer}, {epochs} epochs ({' '.join(said).rstrip('.')})"
        for (optimizer, epochs), study in cells.items()
        if sweep.is_sweep(study) and (said := sweep.at_an_edge(study, study.plan.datasets[0]))
    ]
    if edges:
        sentences.append(f"Rates at an end of those tried: {'; '.join(edges)}.")
    return " ".join(sentences)


def _pair(key: tuple[str, str], cells: Cells) -> str:
    """An activation, and the optimizer that is compared where there are several."""
    optimizer, spec = key
    return spec if len({o for o, _ in cells}) == 2 else f"{spec} ({optimizer})"
