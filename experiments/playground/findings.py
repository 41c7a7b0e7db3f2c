"""The findings of the playground: the table, and the answer in a sentence."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.common import records
from experiments.playground.training import Recipe
from jaxact import statistics
from jaxact.comparison import options
from jaxact.presentation import numbers

TUTORIAL = {"relu": "about 61", "tanh": "over 100", "sigmoid": "over 1000"}
MOST_POINTS = 60  # of a curve of losses
ORDER = tuple(TUTORIAL)  # from the fewest epochs to the most


class Cell(NamedTuple):
    """The runs of an activation on a problem, one a seed.

    Attributes:
      converged: epochs; infinite: a miss.
      accuracies: of the test points, from 0 to 1, at the end of each run.
      losses: on the training points, see `losses_of`.
      shown: position of the run with the median epochs.
      params: of its network, lists in place of arrays.
    """

    converged: np.ndarray
    accuracies: np.ndarray
    losses: Mapping[str, Sequence[float | None]]
    shown: int
    params: Any


Cells = Mapping[tuple[str, str], Cell]  # (problem, activation) to its runs


def as_record(cells: Cells) -> list[dict[str, Any]]:
    """The cells as `result.json` holds them."""
    return [
        {
            "problem": problem,
            "activation": spec,
            "epochs": cell.converged.tolist(),
            "test_accuracies": cell.accuracies.tolist(),
            "losses": cell.losses,
            "shown": cell.shown,
            "params": cell.params,
        }
        for (problem, spec), cell in cells.items()
    ]


def from_record(runs: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Cell]:
    """The cells that `as_record` has written."""
    return {
        (run["problem"], run["activation"]): Cell(
            converged=records.numbers(run["epochs"], math.inf),
            accuracies=records.numbers(run["test_accuracies"]),
            losses=run["losses"],
            shown=run["shown"],
            params=run["params"],
        )
        for run in runs
    }


def losses_of(losses: np.ndarray) -> dict[str, list[float]]:
    """The median and the quartiles of the runs' losses, at epochs that are even on a log axis.

    A run that has ended keeps its last loss; one that never had any counts as infinite.

    Args:
      losses: `[runs, epochs]`; nan after a run's end.

    Returns:
      "epochs", "median", "low" and "high".
    """
    runs, most = losses.shape
    last = np.maximum.accumulate(np.where(np.isnan(losses), 0, np.arange(most)), axis=1)
    kept = losses[np.arange(runs)[:, None], last]
    kept = np.where(np.isnan(kept), np.inf, kept)
    epochs = np.unique(np.geomspace(1, most, MOST_POINTS).round().astype(int))
    ends = [statistics.quartiles(column) for column in kept[:, epochs - 1].T]
    return {
        "epochs": epochs.tolist(),
        **{
            name: [getattr(end, field) for end in ends]
            for name, field in (("median", "value"), ("low", "low"), ("high", "high"))
        },
    }


def headline(cells: Cells) -> str:
    """The problems on which the tutorial's order holds, and those that most runs miss."""
    named = [spec for spec in ORDER if any(spec == other for _, other in cells)]
    holds, solved = order_holds(cells)
    unsolved = [problem for problem in dict.fromkeys(p for p, _ in cells) if problem not in solved]
    parts = []
    if len(named) > 1 and solved:
        order = " sooner than ".join(named)
        parts.append(
            f"{order} on {len(holds)} of {len(solved)} problems{': ' * bool(holds)}"
            f"{', '.join(holds)}"
        )
    if unsolved:
        parts.append(f"most runs miss the target on {', '.join(unsolved)}")
    return "; ".join(parts) or "Every problem is solved"


def order_holds(cells: Cells) -> tuple[list[str], list[str]]:
    """The problems on which the medians are in the tutorial's order, and those it is asked of.

    It is asked of those that most runs of one of its activations solve.
    """
    holds, solved = [], []
    for problem in dict.fromkeys(problem for problem, _ in cells):
        named = [
            statistics.median(cells[problem, spec].converged).value
            for spec in ORDER
            if (problem, spec) in cells
        ]
        if len(named) > 1 and math.isfinite(min(named)):
            solved.append(problem)
            if all(a < b for a, b in itertools.pairwise(named)):
                holds.append(problem)
    return holds, solved


def rows(cells: Cells, recipe: Recipe) -> list[dict[str, Any]]:
    """The table: a row for each activation on each problem."""
    baseline = options.choose_baseline(None, list(dict.fromkeys(spec for _, spec in cells)))
    p_values = corrected_p_values(cells, baseline)
    made = []
    for (problem, spec), cell in cells.items():
        p_value = p_values.get((problem, spec), math.nan)
        made.append(
            {
                "problem": problem,
                "activation": spec,
                "converged": f"{reached(cell)}/{len(cell.converged)}",
                "epochs, median (interval)": in_words(
                    statistics.median(cell.converged), recipe.epochs
                ),
                f"p against {baseline}": None if math.isnan(p_value) else f"{p_value:.2g}",
                "test accuracy, median": f"{statistics.median(cell.accuracies).value:.1%}",
                "tutorial's epochs": TUTORIAL.get(spec),
            }
        )
    return made


def corrected_p_values(cells: Cells, baseline: str) -> dict[tuple[str, str], float]:
    """P-values of no difference in epochs to the baseline's on the same problem, paired by seed.

    Holm's, over all of the table; nan where there are too few pairs to test.
    """
    p_values = {}
    for problem in dict.fromkeys(problem for problem, _ in cells):
        epochs = {spec: cell.converged for (name, spec), cell in cells.items() if name == problem}
        for test in statistics.compare(epochs, baseline):
            p_values[problem, test.name] = test.p_value
    corrected = statistics.holm(list(p_values.values()))
    return dict(zip(p_values, map(float, corrected), strict=True))


def answer(cells: Cells, recipe: Recipe) -> str:
    """The answer, problem by problem, and whether the tutorial's order holds."""
    sentences = []
    holds, solved = order_holds(cells)
    for problem in dict.fromkeys(problem for problem, _ in cells):
        of_problem = {spec: cell for (name, spec), cell in cells.items() if name == problem}
        medians = {s: statistics.median(c.converged).value for s, c in of_problem.items()}
        sentences.append(
            f"{problem}: "
            + ", ".join(
                f"{spec} {epochs_in_words(medians[spec], recipe.epochs)} "
                f"({reached(cell)}/{len(cell.converged)})"
                for spec, cell in of_problem.items()
            )
        )
    text = (
        f"median epochs to a training loss of {recipe.target_loss:g} (runs that got there): "
        f"{'; '.join(sentences)}"
    )
    if solved:
        order = ", ".join(spec for spec in ORDER if any(spec == s for _, s in cells))
        text += (
            f"; the tutorial's order ({order}) holds on {len(holds)} of the {len(solved)} problems "
            f"that most runs of one of them solve{': ' if holds else ''}{', '.join(holds)}"
        )
    return text


def reached(cell: Cell) -> int:
    """The number of runs that converged."""
    return int(np.isfinite(cell.converged).sum())


def epochs_in_words(epochs: float, most: int) -> str:
    """A count of epochs; that of a miss is above the most there were."""
    return f"{epochs:,.0f}" if math.isfinite(epochs) else f"> {most:,}"


def in_words(estimate: statistics.Estimate, most: int) -> str:
    """An estimate of epochs and its interval, where there is one."""
    if estimate.low == estimate.high:
        return epochs_in_words(estimate.value, most)
    return numbers.estimate(
        estimate, form="{:,.0f}".format, ends=numbers.FROM_TO, miss=f"> {most:,}"
    )


def note(cell: Cell) -> str:
    """The line above the picture of a run."""
    epochs = cell.converged[cell.shown]
    return f"epoch {epochs:,.0f}" if math.isfinite(epochs) else "not converged"
