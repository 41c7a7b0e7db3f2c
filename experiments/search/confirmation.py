"""The finals of a search: the best few and ReLU, trained anew with paired seeds.

The best of many is best by luck in part: what it scored in the search flatters it. The finals have
seeds that the search never saw; they are compared on the test images, which decided nothing.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from experiments.search import halving
from experiments.search.halving import Budget, Train
from jaxact import statistics
from jaxact.comparison.engines.attempts import one_line

if TYPE_CHECKING:
    import optuna

BASELINE = "relu"


class Final(NamedTuple):
    """A run of the finals, accuracies from 0 to 1; None: it failed, as `note` says."""

    validation: float | None
    test: float | None
    note: str = ""


Finals = dict[str, dict[int, Final]]  # activation to seed to run


def choose(candidates: Sequence[halving.Tried], count: int) -> list[str]:
    """The best `count` of a search and the baseline, the best first."""
    best = halving.ranking(candidates)
    chosen = [spec for spec in best if spec != BASELINE][:count]
    return sorted(
        [*chosen, BASELINE], key=lambda spec: best.index(spec) if spec in best else len(best)
    )


def read(study: "optuna.Study") -> Finals:
    """The runs that have been made."""
    stored = study.user_attrs.get("finals", {})
    return {
        spec: {int(seed): Final(*run) for seed, run in runs.items()}
        for spec, runs in stored.items()
    }


def make(
    study: "optuna.Study",
    finalists: Sequence[str],
    epochs: int,
    seeds: int,
    train: Train,
    budget: Budget,
) -> None:
    """Trains every finalist with seeds 1 to `seeds`, seed by seed, while the budget lasts.

    A seed is begun only if all its runs can be expected to end in time, so that pairs are whole.

    Raises:
      ConfigError, DataError, WorkdirError: not a candidate's fault.
      Interrupted: by a signal.
    """
    finals, took = read(study), []
    for seed in range(halving.SEARCH_SEED + 1, halving.SEARCH_SEED + 1 + seeds):
        missing = [spec for spec in finalists if seed not in finals.get(spec, {})]
        usual = float(np.mean(took)) if took else run_seconds(study)
        if missing and not budget.allows(usual * len(missing)):
            return
        for spec in missing:
            with budget.timing() as taken:
                run = make_run(spec, epochs, seed, train)
            took += taken
            finals.setdefault(spec, {})[seed] = run
            study.set_user_attr("finals", finals)


def make_run(spec: str, epochs: int, seed: int, train: Train) -> Final:
    """One run; a failure of the activation's own is one that says why."""
    try:
        trained = train(spec, epochs, seed)
    except Exception as error:
        if not halving.is_own_fault(error):
            raise
        return Final(None, None, one_line(error))
    return Final(trained.accuracies[-1], trained.test_accuracy)


def run_seconds(study: "optuna.Study") -> float:
    """The expected seconds of a run of all epochs: the usual ones of each rung.

    The first rung's hold the compilation: where there are others, theirs are scaled up instead.
    """
    rungs = study.user_attrs["question"]["rungs"]
    if len(rungs) == 1:
        return halving.usual_seconds(study, 0)
    later = sum(halving.usual_seconds(study, k) for k in range(1, len(rungs)))
    return later * rungs[-1] / (rungs[-1] - rungs[0])


def kept_seconds(study: "optuna.Study", finalists: int, seeds: int, budget: Budget) -> float:
    """The seconds that the search leaves to the finals, at most half the budget."""
    return min(run_seconds(study) * (finalists + 1) * seeds, budget.seconds / 2)


def accuracies(finals: Finals, spec: str, which: str) -> list[float]:
    """The accuracies of a finalist by seed, in percent; nan where a run failed or is missing.

    Args:
      which: "validation" or "test".
    """
    seeds = sorted({seed for runs in finals.values() for seed in runs})
    runs = [finals.get(spec, {}).get(seed) for seed in seeds]
    values = [None if run is None else getattr(run, which) for run in runs]
    return [math.nan if value is None else 100 * value for value in values]


def failures(finals: Finals, spec: str) -> int:
    return sum(run.test is None for run in finals.get(spec, {}).values())


def winner(finals: Finals) -> str | None:
    """The finalist of the best mean validation accuracy among those that never failed.

    None if there is no run without failure; of equal ones, the first.
    """
    means = {
        spec: float(np.nanmean(accuracies(finals, spec, "validation")))
        for spec in finals
        if not failures(finals, spec)
    }
    return max(means, key=lambda spec: means[spec]) if means else None


def against_baseline(finals: Finals) -> dict[str, statistics.Comparison]:
    """Each finalist against the baseline, in percentage points of test accuracy."""
    if BASELINE not in finals:
        return {}
    values = {spec: accuracies(finals, spec, "test") for spec in finals}
    return {test.name: test for test in statistics.compare(values, BASELINE)}
