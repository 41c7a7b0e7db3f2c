"""A sweep of learning rates: each activation at its own best rate beside the common one.

The rate decides rankings, so a comparison at one rate favours whom it suits. Rates are chosen on
seeds of their own, by validation images: what is then shown, on fresh seeds and test images, was
not chosen for being good there.
"""

import math

import numpy as np

from jaxact.comparison.study import MISSING, Run, Study
from jaxact.presentation.columns import Column, Row

Choices = tuple[tuple[int, str, float], ...]  # (position of the data set, activation, rate)

_FIRST = Column("activation", "activation")
_LAST = (Column("own_rate", "own rate", "{:g}"), Column("edge", "at an edge of those tried"))


def is_sweep(study: Study) -> bool:
    return bool(study.plan.rate_seeds)


def validation_error(run: Run) -> float:
    """Error on the validation images after the last epoch, in percent; infinite if it was lost."""
    accuracy = run.metrics[-1].get("validation_accuracy") if run.summary and run.metrics else None
    return math.inf if accuracy is None else 100 * (1 - accuracy)


def errors_by_rate(study: Study, dataset: str, activation: str) -> dict[float, float]:
    """The mean validation error of the seeds that choose, in percent, at each rate.

    Infinite where a run was lost; nan where none has been made.
    """
    errors = dict.fromkeys(study.plan.learning_rates, math.nan)
    for rate in errors:
        runs = [
            validation_error(run)
            for run in study.runs
            if (run.dataset, run.learning_rate, run.activation) == (dataset, rate, activation)
            and run.seed in study.plan.choosing_seeds
            and run.status != MISSING
        ]
        if runs:
            errors[rate] = float(np.mean(runs))
    return errors


def choose(study: Study) -> Choices:
    """The rate of the lowest validation error, for every activation on every data set.

    Of equal ones the common rate, else the first; the common one where every run was lost. What
    was chosen before stays, as seeds have been shown with it.
    """
    if not is_sweep(study):
        return ()
    plan = study.plan
    choices = []
    for place, dataset in enumerate(plan.datasets):
        for activation in plan.activations:
            rate = plan.own_rate(dataset, activation)
            if rate is None:
                errors = errors_by_rate(study, dataset, activation)
                rate = min(errors, key=lambda rate: (errors[rate], rate != plan.common_rate))
            choices.append((place, activation, rate))
    return tuple(choices)


def edge(study: Study, rate: float | None) -> str:
    """`highest` or `lowest` of the rates tried, beyond which a better one may lie; else ""."""
    rates = study.plan.learning_rates
    return {max(rates): "highest", min(rates): "lowest"}.get(rate or 0.0, "")


def columns(study: Study) -> list[Column]:
    rates = [Column(f"error_{rate:g}", f"error % at {rate:g}", "{:.2f}") for rate in _rates(study)]
    return [_FIRST, *rates, *_LAST]


def rows(study: Study, dataset: str) -> list[Row]:
    """A row an activation: its validation error at each rate, the one chosen, whether at an edge.

    Keys: the names of `columns`; `best`: the column of the chosen rate.
    """
    table = []
    for activation in study.plan.activations:
        errors = errors_by_rate(study, dataset, activation)
        rate = study.plan.own_rate(dataset, activation)
        finite = {r: error if math.isfinite(error) else None for r, error in errors.items()}
        table.append(
            {
                "activation": activation,
                "is_baseline": False,
                "best": [] if rate is None else [f"error_{rate:g}"],
                **{f"error_{r:g}": finite[r] for r in _rates(study)},
                "own_rate": rate,
                "edge": edge(study, rate) or None,
                "blank": [] if edge(study, rate) else ["edge"],
            }
        )
    return table


def _rates(study: Study) -> list[float]:
    return sorted(study.plan.learning_rates)


def title(study: Study, dataset: str) -> str:
    seeds = study.plan.rate_seeds
    return (
        f"{study.plan.config.model} on {study.plan.title(dataset)}: the learning rate of each, "
        f"chosen by its validation error on {seeds} seed{'s' * (seeds > 1)} shown nowhere else"
    )


def at_an_edge(study: Study, dataset: str) -> list[str]:
    """A sentence for each end of the rates at which the best of some activations lies."""
    sentences = []
    for end, other in (("highest", "higher"), ("lowest", "lower")):
        at = [
            spec
            for spec in study.plan.activations
            if edge(study, study.plan.own_rate(dataset, spec)) == end
        ]
        if at:
            sentences.append(
                f"{', '.join(at)}: best at the {end} rate tried; a {other} one may be better."
            )
    return sentences
