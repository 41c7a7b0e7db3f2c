"""Figures of how healthy activations are in training: heat maps of layer by epoch."""

import math
import textwrap

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from jaxact.comparison.analysis import learning_curves
from jaxact.comparison.output.learning_figures import lost_note
from jaxact.comparison.study import Study, Workload
from jaxact.presentation import drawing
from jaxact.presentation.style import labels_of

COLOR_MAP = "viridis"  # perceptually uniform, and rising in lightness
NO_DATA = "#e6e6e6"


@drawing.house_style()
def dead(study: Study, workload: Workload) -> Figure | None:
    """Share of dead units in percent, by layer and epoch, of every activation."""
    return _heat_maps(study, workload, "dead", "dead units (%)")


@drawing.house_style()
def saturated(study: Study, workload: Workload) -> Figure | None:
    """Share of saturated outputs in percent, by layer and epoch, of every activation."""
    return _heat_maps(study, workload, "saturated", "saturated outputs (%)")


@drawing.house_style()
def gradient_norm(study: Study, workload: Workload) -> Figure | None:
    """Norm of the loss's gradient by layer and epoch, of every activation, on a log scale."""
    return _heat_maps(study, workload, "gradient_norm", "gradient norm", log=True)


def _heat_maps(
    study: Study, workload: Workload, field: str, label: str, *, log: bool = False
) -> Figure | None:
    """A panel an activation, all with one colour scale; None where no run has the field."""
    layers, maps = learning_curves.heat_maps(study, workload, field)
    scale = 1.0 if log else 100.0
    values = np.concatenate([scale * m.ravel() for m in maps.values()] or [np.array([])])
    values = values[np.isfinite(values) & (values > 0 if log else True)]
    if not values.size:
        return None
    is_narrow = values.max() < 1e3 * values.min()
    norm = (
        LogNorm(values.min(), max(values.max(), 1.01 * values.min()))
        if log
        else Normalize(0, max(values.max(), 1.0))  # less than 1 % is not blown up
    )
    columns = min(len(maps), 3 if len(maps) <= 9 else 5)
    rows = math.ceil(len(maps) / columns)
    height = max(1.0, 0.16 * len(layers) + 0.55)
    figure = drawing.new_figure(2.1 * columns + 1.6, max(height * rows + 1.1, 2.6))
    figure.suptitle(study.title(workload), fontsize=10, x=0.01, ha="left")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    labels = labels_of(maps)
    for (spec, of_spec), axes in zip(maps.items(), panels.flat, strict=False):
        edges = np.arange(of_spec.shape[1] + 1) + 0.5, np.arange(len(layers) + 1) - 0.5
        axes.pcolormesh(*edges, scale * of_spec, norm=norm, cmap=COLOR_MAP, rasterized=True)
        title = labels[spec] + lost_note(study.made(workload, spec))
        axes.set_title(textwrap.fill(title, 32), fontsize=8)
        axes.set_facecolor(NO_DATA)
        axes.grid(False)
        axes.set_yticks(range(len(layers)), layers, fontsize=7)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    for axes in panels.flat[len(maps) :]:
        axes.set_visible(False)
    panels[0, 0].invert_yaxis()  # the first layer on top
    for axes in panels.flat[max(0, len(maps) - columns) : len(maps)]:
        axes.set_xlabel("epoch")
        axes.tick_params(labelbottom=True)
    for axes in panels[:, 0]:
        axes.set_ylabel("layer")
    bar = figure.colorbar(
        ScalarMappable(norm, COLOR_MAP), ax=panels, label=label, aspect=30, fraction=0.05
    )
    if log:
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if is_narrow else (1.0,)))
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        bar.ax.yaxis.set_minor_locator(NullLocator())
    drawing.add_caption(figure, "Median over the seeds; grey: no data.")
    return figure
