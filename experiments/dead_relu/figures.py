"""The figure of dead units: their share, and the accuracy, over the learning rate."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.common.findings import capitalized
from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from experiments.common.records import numbers
from experiments.dead_relu.cells import Cell, changes, killing_rate, lines_of, shares
from jaxact.presentation import drawing
from jaxact.presentation.numbers import count
from jaxact.presentation.style import labels_of, style_of

MOST_TICKS = 8
_OF_SEEDS = ("dead", "dead_by_layer", "test_accuracy")


def draw(result: Result) -> dict[str, Figure]:
    """The figure of a result."""
    cells = [
        Cell(**{**cell, **{name: numbers(cell[name]).tolist() for name in _OF_SEEDS}})
        for cell in result["details"]["cells"]
    ]
    return {"dead_relu": by_rate(cells, f"{result['title']}.")}


def headline(cells: Sequence[Cell]) -> str:
    """The rate from which on units die, and the change by other starts of biases, in medians."""
    parts = []
    for spec in dict.fromkeys(cell.activation for cell in cells):
        lines = lines_of(cells, spec)
        first, line = next(iter(lines.items()))
        rate = killing_rate(line)
        known = shares(line)
        if math.isfinite(rate):
            parts.append(f"half of the units of {spec} or more are dead from a rate of {rate:g} on")
        elif np.isfinite(known).any():
            parts.append(f"at most {100 * np.nanmax(known):.0f} % of the units of {spec} are dead")
        parts += [
            f"biases of {bias:g} instead of {first:g} change that by {least:+.0f} to {most:+.0f} "
            "points"
            for bias, (least, most) in changes(lines).items()
        ]
    return capitalized("; ".join(parts) or "training diverged at every rate")


@drawing.house_style()
def by_rate(cells: Sequence[Cell], setting: str) -> Figure:
    """A line for each activation and start of the biases: median, least and most over seeds."""
    figure = drawing.new_figure(8.2, 4.1)
    left, right = figure.subplots(1, 2, sharex=True)
    rates = sorted({cell.learning_rate for cell in cells})
    handles = _draw(left, cells, lambda cell: cell.dead)
    _draw(right, cells, lambda cell: cell.test_accuracy)
    left.set_ylabel("dead units (%)")
    right.set_ylabel("test accuracy (%)")
    for axes in (left, right):
        axes.set_xlabel("learning rate of Adam")
        axes.set_ylim(-3, 103)
        drawing.log_axis(axes, "x")
        if len(rates) <= MOST_TICKS:
            axes.set_xticks(rates)
    if handles:  # not all has diverged
        drawing.add_legend(figure, list(handles.values()), list(handles))
    seeds = count(len(cells[0].dead), "seed")
    drawing.add_caption(
        figure, f"Line: median of {seeds}; band: least to most. What diverged is left out."
    )
    add_headline(figure, headline(cells), setting)
    return figure


def _draw(
    axes: Axes, cells: Sequence[Cell], values_of: Callable[[Cell], Sequence[float]]
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
