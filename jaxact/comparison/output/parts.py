"""Parts that charts of a comparison share: legends, limits, and what a survey is."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from jaxact.comparison.analysis import measures
from jaxact.comparison.study import DIVERGED, FAILED, Run, Study
from jaxact.presentation.chart import Entry
from jaxact.presentation.style import labels_of, style_of

MOST = 12  # activations that a chart shows alike
FAR = 3.0  # a figure is far that is so many spreads beyond the best three quarters of all


def entries(
    planned: Sequence[str], shown: Iterable[str], notes: Mapping[str, str] | None = None
) -> tuple[Entry, ...]:
    """The legend of the activations that are shown.

    Args:
      planned: all of the comparison, in whose order they have their styles.
      notes: what follows a label.
    """
    styles, labels, notes = style_of(planned), labels_of(shown := list(shown)), notes or {}
    return tuple(Entry(name, labels[name] + notes.get(name, ""), styles[name]) for name in shown)


def limits_about(values: Iterable[float], share: float) -> tuple[float, float]:
    """The ends of an axis that shows all finite values, with a share of their range about them."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    margin = share * ((high - low) or 1)
    return low - margin, high + margin


def far(values: Iterable[float]) -> float:
    """The figure from which on others could not be told apart if it had a place on their axis.

    Args:
      values: of which the least are the best; those that are not finite do not count.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return math.inf
    most = float(np.quantile(finite, 0.75))
    return most + FAR * (most - min(finite))


def lost_note(runs: Sequence[Run]) -> str:
    """` (1 of 3 diverged)` for a legend, or "" where every run was trained to its end."""
    words = {status: f"of {len(runs)} {status}" for status in (DIVERGED, FAILED)}
    counts = measures.count_statuses(runs, words)
    return f" ({counts})" if counts else ""


def is_survey(study: Study) -> bool:
    """Tells whether there are too many activations for a chart to show each of them alike."""
    return len(study.plan.activations) > MOST
