"""Figures of `experiments.regularization`: loss by epoch, and the spread of Monte Carlo dropout."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.regularization.runs import Learned
from jaxact.presentation import drawing
from jaxact.presentation.style import BLUE, GREEN, GREY, ORANGE, VERMILLION

COLUMNS = 3


class Panel(NamedTuple):
    """One way to train.

    Attributes:
      title: of the panel.
      unit: of the loss.
      runs: one a seed.
    """

    title: str
    unit: str
    runs: Sequence[Learned]


def series(runs: Sequence[Learned], field: str) -> np.ndarray:
    """A field of the rows of all runs: `[seeds, epochs]`."""
    return np.array([[row[field] for row in run.rows] for run in runs])


@drawing.house_style()
def losses(panels: Sequence[Panel], test_errors: Mapping[str, Sequence[float]]) -> Figure:
    """Training and test loss after each epoch, a panel each, and the test errors they end in.

    Args:
      panels: the first is drawn in grey behind all with the same unit.
      test_errors: by label, in percent, one a seed.
    """
    rows = -(-(len(panels) + 1) // COLUMNS)
    figure = drawing.new_figure(3.1 * COLUMNS, 2.4 * rows + 0.5)
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    axes = list(grid.flat)
    plain = panels[0]
    for panel, ax in zip(panels, axes, strict=False):
        epochs = np.arange(1, len(panel.runs[0].rows) + 1)
        if panel is not plain and panel.unit == plain.unit:
            behind = np.median(series(plain.runs, "test_loss"), 0)
            ax.plot(epochs, behind, color=GREY, lw=1, label=f"test, {plain.title}")
        for split, color, dash in (("train", BLUE, (0, (4, 1.5))), ("test", VERMILLION, "solid")):
            values = series(panel.runs, f"{split}_loss")
            ax.plot(epochs, np.median(values, 0), color=color, linestyle=dash, label=split)
            ax.fill_between(epochs, values.min(0), values.max(0), color=color, alpha=0.15, lw=0)
        best = [run.best_epoch for run in panel.runs]
        at = [run.rows[run.best_epoch - 1]["test_loss"] for run in panel.runs]
        ax.plot(
            best, at, "v", color="black", markersize=5, zorder=4, label="early stopping's epoch"
        )
        ax.set_title(panel.title)
        ax.set_ylabel(panel.unit)
        drawing.count_epochs(ax, len(epochs))
    share_heights(axes, panels)
    draw_errors(axes[len(panels)], test_errors)
    for unused in axes[len(panels) + 1 :]:
        unused.axis("off")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    drawing.add_caption(
        figure,
        f"Lines: median over {len(plain.runs)} seeds; bands: all of them. Losses are without "
        "penalties and without dropout.",
    )
    return figure


def share_heights(axes: Sequence[Axes], panels: Sequence[Panel]) -> None:
    """One logarithmic scale for all panels of a unit."""
    for unit in {panel.unit for panel in panels}:
        of_unit = [ax for ax, panel in zip(axes, panels, strict=False) if panel.unit == unit]
        values = np.concatenate([np.ravel(line.get_ydata()) for ax in of_unit for line in ax.lines])
        positive = values[np.isfinite(values) & (values > 0)]
        # A hinge loss can be exactly 0, and a training loss without end: the floor shows the rest.
        low = max(float(positive.min()), 1e-3 * float(positive.max()))
        for ax in of_unit:
            ax.set_ylim(low / 1.2, float(positive.max()) * 1.2)
            drawing.log_axis(ax, "y")


def draw_errors(ax: Axes, errors: Mapping[str, Sequence[float]]) -> None:
    """A row of dots each: one a seed, and their median."""
    for position, values in enumerate(errors.values()):
        ax.plot(values, [position] * len(values), "o", color=ORANGE, markersize=3.5)
        ax.plot(np.median(values), position, "|", color="black", markersize=10, markeredgewidth=2)
    ax.set_yticks(range(len(errors)), list(errors))
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.set_title("all: test error at the end")
    ax.set_xlabel("test error (%); | median")


@drawing.house_style()
def spreads(values: Mapping[str, Mapping[str, np.ndarray]], masks: int) -> Figure:
    """The distribution of the predicted class's spread on each kind of images.

    Args:
      values: form of dropout, then kind of images, to the spread of each image.
      masks: of each prediction.
    """
    figure = drawing.new_figure(3.6 * len(values), 3.2)
    looks = ((BLUE, "solid"), (VERMILLION, (0, (4, 1.5))), (GREEN, (0, (1, 1.2))))
    grid = figure.subplots(1, len(values), sharey=True, squeeze=False)[0]
    for ax, (form, kinds) in zip(grid, values.items(), strict=True):
        for (color, dash), (kind, found) in zip(looks, kinds.items(), strict=True):
            ordered = np.sort(found)
            share = 100 * np.arange(1, len(ordered) + 1) / len(ordered)
            ax.plot(ordered, share, color=color, linestyle=dash, label=kind)
        ax.set_title(f"dropout of {form}")
        ax.set_xlabel("spread of the predicted class's probability")
        ax.set_xlim(left=0)
    grid[0].set_ylabel("images with at most this spread (%)")
    grid[-1].legend(loc="lower right")
    drawing.add_caption(
        figure, f"Standard deviation over {masks} dropout masks; images of all seeds."
    )
    return figure
