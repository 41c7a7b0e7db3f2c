"""The figure of dead units: their share, and the accuracy, over the learning rate."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.dead_relu.cells import Cell
from jaxact.presentation import drawing
from jaxact.presentation.style import labels_of, style_of

MOST_TICKS = 8


@drawing.house_style()
def by_rate(cells: Sequence[Cell], where: str) -> Figure:
    """A line for each activation and start of the biases: median, least and most over seeds."""
    figure = drawing.new_figure(8.2, 3.6)
    figure.suptitle(f"Dead units after training: {where}", fontsize=10, x=0.01, ha="left")
    left, right = figure.subplots(1, 2, sharex=True)
    rates = sorted({cell.learning_rate for cell in cells})
    handles = _draw(left, cells, lambda cell: cell.dead)
    _draw(right, cells, lambda cell: cell.test_accuracy)
    left.set_ylabel("dead units (%)")
    right.set_ylabel("test accuracy (%)")
    for axes in (left, right):
        axes.set_xlabel("learning rate")
        axes.set_ylim(-3, 103)
        drawing.log_axis(axes, "x")
        if len(rates) <= MOST_TICKS:
            axes.set_xticks(rates)
    if handles:  # not all has diverged
        drawing.add_legend(figure, list(handles.values()), list(handles))
    drawing.add_caption(
        figure, "Line: median of the seeds; band: least to most. What diverged is left out."
    )
    return figure


def _draw(
    axes: Axes, cells: Sequence[Cell], values_of: "Callable[[Cell], Sequence[float]]"
) -> dict[str, object]:
    specs = list(dict.fromkeys(cell.activation for cell in cells))
    labels = labels_of(specs)
    lines: dict[str, list[Cell]] = {}
    for cell in cells:
        lines.setdefault(f"{labels[cell.activation]}, bias {cell.bias:g}", []).append(cell)
    handles: dict[str, object] = {}
    for (label, line), style in zip(lines.items(), style_of(lines).values(), strict=True):
        rates = np.array([cell.learning_rate for cell in line])
        values = 100 * np.array([values_of(cell) for cell in line], float)
        is_known = ~np.isnan(values).all(1)
        rates, values = rates[is_known], values[is_known]
        if not rates.size:
            continue
        (handles[label],) = axes.plot(
            rates,
            np.nanmedian(values, 1),
            color=style.color,
            linestyle=style.line_style,
            marker=style.marker,
        )
        axes.fill_between(
            rates, np.nanmin(values, 1), np.nanmax(values, 1), color=style.color, alpha=0.15, lw=0
        )
    return handles
