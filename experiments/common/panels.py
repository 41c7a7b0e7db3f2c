"""Parts of figures that experiments on a grid of comparisons share."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from experiments.common import grid
from jaxact import statistics
from jaxact.comparison.analysis import learning_curves
from jaxact.comparison.study import Study
from jaxact.presentation import drawing
from jaxact.presentation.style import Style


def error_by_epoch(axes: Axes, study: Study, spec: str, style: Style) -> Line2D:
    """A curve of the validation error, in percent, of an activation in a cell."""
    return _by_epoch(axes, study, spec, "validation_accuracy", style)


def loss_by_epoch(axes: Axes, study: Study, spec: str, style: Style) -> Line2D:
    """A curve of the validation loss of an activation in a cell."""
    return _by_epoch(axes, study, spec, "validation_loss", style)


def _by_epoch(axes: Axes, study: Study, spec: str, field: str, style: Style) -> Line2D:
    is_accuracy = field.endswith("accuracy")
    lost = -math.inf if is_accuracy else math.inf
    curve = learning_curves.curve(study.made(grid.own(study), spec), field, lost)
    median, low, high = (
        100 * (1 - values) if is_accuracy else values
        for values in (curve.median, curve.low, curve.high)
    )
    (line,) = axes.plot(
        curve.epochs,
        median,
        color=style.color,
        linestyle=style.line_style,
        marker=style.marker,
        markersize=3.5,
        markevery=max(len(curve.epochs) // 6, 1),
    )
    axes.fill_between(
        curve.epochs,
        low,
        high,
        where=np.isfinite(low) & np.isfinite(high),
        color=style.color,
        alpha=0.15,
        linewidth=0,
    )
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
