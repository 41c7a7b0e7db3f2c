"""Figures of `experiments.batch_size`: curves by epoch, and what goes with the batch size."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from experiments.batch_size import findings
from experiments.batch_size.findings import Cells
from experiments.common import panels
from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.analysis.measures import Measure
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, Style, labels_of, style_of


@drawing.house_style()
def learning(cells: Cells, target: float) -> Figure:
    """Validation error by epoch: a row for each activation, a panel for each rule."""
    rules, sizes = findings.rules_of(cells), findings.sizes_of(cells)
    plan = next(iter(cells.values())).plan
    figure = drawing.new_figure(1.2 + 3.2 * len(rules), 0.9 + 2.4 * len(plan.activations))
    axes = figure.subplots(len(plan.activations), len(rules), squeeze=False)
    styles, labels = style_of(map(str, sizes)), labels_of(plan.activations)
    handles: dict[str, Any] = {}
    for row, spec in zip(axes, plan.activations, strict=True):
        for ax, rule in zip(row, rules, strict=True):
            for size in sizes:
                style = styles[str(size)]
                line = panels.error_by_epoch(ax, cells[rule, size], spec, style)
                handles[f"batch of {size}"] = line
            ax.set_title(f"{labels[spec]}, rate {rule}")
            drawing.count_epochs(ax, plan.config.epochs)
    panels.share_log_heights([*axes.flat])
    for ax in axes.flat:
        line = ax.axhline(100 * (1 - target), color=GREY, linewidth=0.9, linestyle=(0, (5, 3)))
        handles[f"target, {100 * (1 - target):.3g} %"] = line
    for row in axes:
        row[0].set_ylabel("validation error (%)")
    drawing.add_legend(figure, [*handles.values()], [*handles])
    drawing.add_caption(figure, panels.about_curves(plan.seeds))
    return figure


@drawing.house_style()
def against_batch_size(cells: Cells, is_timed: bool) -> Figure:
    """Epochs, seconds and the final error over the batch size: a row for each activation.

    Args:
      is_timed: whether seconds are shown.
    """
    rules = findings.rules_of(cells)
    plan = next(iter(cells.values())).plan
    shown: dict[str, Measure] = {"epochs to the target": measures.epoch_to_target}
    if is_timed:
        shown |= {"training s to the target": measures.seconds_to_target}
        shown |= {f"training s, {plan.config.epochs} epochs": measures.train_seconds}
    shown |= {"test error (%)": measures.error_percent}
    figure = drawing.new_figure(2.9 * len(shown), 0.9 + 2.5 * len(plan.activations))
    axes = figure.subplots(len(plan.activations), len(shown), squeeze=False)
    styles, labels = style_of(rules), labels_of(plan.activations)
    handles: dict[str, Any] = {}
    for row, spec in zip(axes, plan.activations, strict=True):
        for ax, (title, measure) in zip(row, shown.items(), strict=True):
            for rule in rules:
                values = findings.values_of(cells, rule, spec, measure)
                handles[f"rate {rule}"] = _draw(ax, cells, values, styles[rule])
            ax.set_ylabel(title)
            ax.set_title(labels[spec])
            ax.set_ylim(bottom=0)
            ax.set_xscale("log", base=2)
            ax.set_xticks(findings.sizes_of(cells), map(str, findings.sizes_of(cells)))
            ax.xaxis.set_minor_locator(NullLocator())
            ax.set_xlabel("batch size")
    figure.legend([*handles.values()], [*handles], loc="outside upper left", ncols=len(handles))
    drawing.add_caption(
        figure,
        "Dots: seeds; lines: their median, none where most missed the target.",
    )
    return figure


def _draw(ax: Axes, cells: Cells, values: Any, style: Style) -> Any:
    """The seeds and their median at each batch size."""
    sizes = findings.sizes_of(cells)
    for size, of_size in zip(sizes, values, strict=True):
        finite = [value for value in of_size if np.isfinite(value)]
        ax.plot(
            [size] * len(finite),
            finite,
            ".",
            color=style.color,
            markersize=3.5,
            alpha=0.5,
            zorder=2,
        )
    medians = np.array([statistics.median(of_size).value for of_size in values])
    (line,) = ax.plot(
        sizes,
        np.where(np.isfinite(medians), medians, np.nan),
        color=style.color,
        linestyle=style.line_style,
        marker=style.marker,
        zorder=3,
    )
    return line
