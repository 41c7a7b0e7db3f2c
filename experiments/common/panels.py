"""Parts of figures that experiments on a grid of comparisons share."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from experiments.common import grid
from jaxact import statistics
from jaxact.comparison.analysis import learning_curves
from jaxact.comparison.study import Study
from jaxact.presentation import drawing
from jaxact.presentation.style import Style

FIELDS = {"validation_error": "validation_accuracy", "validation_loss": "validation_loss"}


def curves(study: Study, spec: str) -> dict[str, dict[str, list[float]]]:
    """The median of an activation's runs by epoch, and its interval, as `result.json` holds them.

    Returns:
      Of each of FIELDS "median", "low" and "high", `[epochs]`; errors in percent.
    """
    return {name: _curve(study, spec, field) for name, field in FIELDS.items()}


def _curve(study: Study, spec: str, field: str) -> dict[str, list[float]]:
    is_accuracy = field.endswith("accuracy")
    lost = -math.inf if is_accuracy else math.inf
    found = learning_curves.curve(study.made(grid.own(study), spec), field, lost)
    ends = {"median": found.median, "low": found.low, "high": found.high}
    if is_accuracy:
        ends = {name: 100 * (1 - values) for name, values in ends.items()}
        ends |= {"low": ends["high"], "high": ends["low"]}
    return {name: values.tolist() for name, values in ends.items()}


def by_epoch(axes: Axes, curve: Mapping[str, Sequence[float | None]], style: Style) -> Line2D:
    """A curve of `curves`, its interval as a band."""
    median, low, high = (np.array(curve[end], dtype=float) for end in ("median", "low", "high"))
    epochs = np.arange(1, len(median) + 1)
    (line,) = axes.plot(
        epochs,
        median,
        color=style.color,
        linestyle=style.line_style,
        marker=style.marker,
        markersize=3.5,
        markevery=max(len(epochs) // 6, 1),
    )
    axes.fill_between(epochs, low, high, color=style.color, alpha=0.15, linewidth=0)
    return line


def share_log_heights(panels: Sequence[Axes]) -> None:
    """One logarithmic y axis for all panels, over the finite values of their lines."""
    values = np.concatenate([np.ravel(line.get_ydata()) for ax in panels for line in ax.lines])
    positive = values[np.isfinite(values) & (values > 0)]
    if not positive.size:
        return
    for axes in panels:
        axes.set_ylim(float(positive.min()) / 1.15, float(positive.max()) * 1.15)
        drawing.log_axis(axes, "y")


def about_curves(seeds: int) -> str:
    """The caption of curves by epoch."""
    if seeds == 1:
        return "One seed."
    band = statistics.interval_words(seeds, "median")
    return f"Lines: median over {seeds} seeds; bands: its {band}."
