"""Figures of `experiments.optimizers`: curves by epoch, and the errors that they end in."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.common import grid, panels
from experiments.optimizers.findings import Cells
from jaxact.comparison.analysis import measures
from jaxact.presentation import drawing
from jaxact.presentation.style import labels_of, style_of

MOST_COLUMNS = 6  # of panels
NARROWEST_INCHES = 5.2  # for the caption


@drawing.house_style()
def learning(cells: Cells, draw: Callable[..., Any], unit: str) -> Figure:
    """Curves by epoch: rows of panels for each number of epochs, a panel for each activation.

    Args:
      draw: of `experiments.common.panels`: an activation's curve in a cell.
      unit: of the y axis.
    """
    several, optimizers, specs = _axes_of(cells)
    columns = min(len(specs), MOST_COLUMNS)
    rows_each = -(-len(specs) // columns)
    figure = drawing.new_figure(
        max(1.2 + 1.75 * columns, NARROWEST_INCHES), 0.5 + 1.9 * rows_each * len(several)
    )
    grid_of_axes = figure.subplots(rows_each * len(several), columns, squeeze=False)
    styles, labels = style_of(optimizers), labels_of(specs)
    handles: dict[str, Any] = {}
    for place, epochs in enumerate(several):
        rows = grid_of_axes[place * rows_each : (place + 1) * rows_each]
        axes = list(rows.flat)
        for spec, ax in zip(specs, axes, strict=False):
            for optimizer in optimizers:
                handles[optimizer] = draw(ax, cells[optimizer, epochs], spec, styles[optimizer])
            ax.set_title(labels[spec])
            drawing.count_epochs(ax, epochs)
        panels.share_log_heights(axes[: len(specs)])
        for ax in axes[len(specs) :]:
            ax.axis("off")
        for row in rows:
            row[0].set_ylabel(f"{unit}\n{epochs} epochs")
            for ax in row[1:]:
                ax.tick_params(labelleft=False)
    figure.legend([*handles.values()], [*handles], loc="outside upper left", ncols=len(handles))
    drawing.add_caption(
        figure,
        f"{panels.about_curves(_seeds(cells))}\nEach at the rate chosen for its activation, "
        "optimizer and number of epochs.",
    )
    return figure


@drawing.house_style()
def errors(cells: Cells) -> Figure:
    """Test errors at the end: a panel for each number of epochs, a dot for each seed."""
    several, optimizers, specs = _axes_of(cells)
    height = 1.2 + len(specs) * (0.1 + 0.17 * len(optimizers))
    figure = drawing.new_figure(1.5 + 3.4 * len(several), height)
    panels_of = figure.subplots(1, len(several), squeeze=False, sharey=True)[0]
    styles, labels = style_of(optimizers), labels_of(specs)
    handles: dict[str, Any] = {}
    for epochs, ax in zip(several, panels_of, strict=True):
        for k, optimizer in enumerate(optimizers):
            found = grid.by_seed(cells[optimizer, epochs], measures.error_percent)
            for row, spec in enumerate(specs):
                values = np.array(found[spec])
                values = values[np.isfinite(values)]
                at = row + 0.6 * ((k + 0.5) / len(optimizers) - 0.5)
                style = styles[optimizer]
                (handles[optimizer],) = ax.plot(
                    values,
                    np.full(len(values), at),
                    style.marker,
                    color=style.color,
                    markersize=3.5,
                    alpha=0.6,
                )
                if len(values):
                    ax.plot(
                        values.mean(),
                        at,
                        "|",
                        color="black",
                        markersize=9,
                        markeredgewidth=1.8,
                    )
        ax.set_title(f"{epochs} epochs")
        ax.set_xlabel("test error (%)")
        ax.set_xlim(left=0)
    panels_of[0].set_yticks(range(len(specs)), [labels[spec] for spec in specs])
    panels_of[0].set_ylim(len(specs) - 0.5, -0.5)
    figure.legend([*handles.values()], [*handles], loc="outside upper left", ncols=len(handles))
    drawing.add_caption(figure, "A dot a seed; | their mean. What diverged is left out.")
    return figure


def _axes_of(cells: Cells) -> tuple[list[int], list[str], tuple[str, ...]]:
    """Numbers of epochs, optimizers and activations, each in order."""
    several = [*dict.fromkeys(epochs for _, epochs in cells)]
    optimizers = [*dict.fromkeys(optimizer for optimizer, _ in cells)]
    return several, optimizers, next(iter(cells.values())).plan.activations


def _seeds(cells: Cells) -> int:
    return next(iter(cells.values())).plan.seeds
