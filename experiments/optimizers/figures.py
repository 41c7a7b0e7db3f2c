"""Figures of `experiments.optimizers`: curves by epoch, and the errors that they end in."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.common import panels
from experiments.common.findings import Finding
from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from experiments.common.records import numbers
from experiments.optimizers.findings import name_of, tests_of
from jaxact import statistics
from jaxact.presentation import drawing
from jaxact.presentation.style import labels_of, style_of
from jaxact.statistics import Margin

Record = Mapping[str, Any]  # an optimizer at a number of epochs, as `result.json` has it
Cells = Mapping[tuple[str, int], Record]
MOST_COLUMNS = 6  # of panels
NARROWEST_INCHES = 5.2  # for the caption


def draw(result: Result) -> dict[str, Figure]:
    """The figures of a result, each under the verdicts on the source's sentences.

    Curves alone are left out where the result is one of before they were kept in it.
    """
    cells = {(cell["optimizer"], cell["epochs"]): cell for cell in result["details"]["runs"]}
    findings = [Finding(**finding) for finding in result["findings"]]
    margin = Margin(result["settings"]["margin_points"])
    figures = {"errors": errors(cells, margin)}
    if all("curves" in cell for cell in cells.values()):
        figures["learning"] = learning(cells, "validation_error", "validation error (%)")
        figures["loss"] = learning(cells, "validation_loss", "validation loss (nats)")
    words = ". ".join(f"{finding.claim}: {finding.verdict}" for finding in findings)
    for figure in figures.values():
        add_headline(figure, words, f"{result['title']}.")
    return figures


@drawing.house_style()
def learning(cells: Cells, field: str, unit: str) -> Figure:
    """Curves by epoch: rows of panels for each number of epochs, a panel for each activation.

    Args:
      field: of the curves, see `experiments.common.panels`.
      unit: of the y axis.
    """
    several, optimizers, specs = _axes_of(cells)
    columns = min(len(specs), MOST_COLUMNS)
    rows_each = -(-len(specs) // columns)
    figure = drawing.new_figure(
        max(1.2 + 1.75 * columns, NARROWEST_INCHES), 1.1 + 1.9 * rows_each * len(several)
    )
    grid_of_axes = figure.subplots(rows_each * len(several), columns, squeeze=False)
    styles, labels = style_of(optimizers), labels_of(specs)
    handles: dict[str, Any] = {}
    for place, epochs in enumerate(several):
        rows = grid_of_axes[place * rows_each : (place + 1) * rows_each]
        axes = list(rows.flat)
        for spec, ax in zip(specs, axes, strict=False):
            for optimizer in optimizers:
                curve = cells[optimizer, epochs]["curves"][spec][field]
                handles[optimizer] = panels.by_epoch(ax, curve, styles[optimizer])
            ax.set_title(labels[spec])
            drawing.count_epochs(ax, epochs)
        panels.share_log_heights(axes[: len(specs)])
        for ax in axes[len(specs) :]:
            ax.axis("off")
        for row in rows:
            row[0].set_ylabel(f"{unit}\n{epochs} epochs")
            for ax in row[1:]:
                ax.tick_params(labelleft=False)
    drawing.add_legend(figure, [*handles.values()], [*handles])
    drawing.add_caption(
        figure,
        f"{panels.about_curves(_seeds(cells))} Each at the rate chosen for its activation, "
        "optimizer and number of epochs.",
    )
    return figure


@drawing.house_style()
def errors(cells: Cells, margin: Margin) -> Figure:
    """Test errors at the end: a panel for each number of epochs, a dot for each seed.

    An optimizer that corrected tests tell from the first is named beside its activation.
    """
    several, optimizers, specs = _axes_of(cells)
    height = 1.8 + len(specs) * (0.1 + 0.17 * len(optimizers))
    figure = drawing.new_figure(1.5 + 3.4 * len(several), height)
    panels_of = figure.subplots(1, len(several), squeeze=False, sharey=True)[0]
    styles, labels = style_of(optimizers), labels_of(specs)
    handles: dict[str, Any] = {}
    for epochs, ax in zip(several, panels_of, strict=True):
        found = {
            optimizer: {
                spec: numbers(values, np.inf)
                for spec, values in cells[optimizer, epochs]["test_errors"].items()
            }
            for optimizer in optimizers
        }
        for k, optimizer in enumerate(optimizers):
            style = styles[optimizer]
            for row, spec in enumerate(specs):
                values = found[optimizer][spec][np.isfinite(found[optimizer][spec])]
                at = row + 0.6 * ((k + 0.5) / len(optimizers) - 0.5)
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
                        values.mean(), at, "|", color="black", markersize=9, markeredgewidth=1.8
                    )
        ax.set_title(f"{epochs} epochs")
        ax.set_xlabel("test error (%)")
        ax.set_xlim(left=0)
        _name_decided(ax, found, specs, margin)
    panels_of[0].set_yticks(range(len(specs)), [labels[spec] for spec in specs])
    panels_of[0].set_ylim(len(specs) - 0.5, -0.5)
    drawing.add_legend(figure, [*handles.values()], [*handles])
    drawing.add_caption(
        figure,
        "A dot a seed; | their mean. What diverged is left out. At the left: decided, by corrected "
        "tests.",
    )
    return figure


def _name_decided(
    ax: Axes, errors: Mapping[str, Mapping[str, np.ndarray]], specs: list[str], margin: Margin
) -> None:
    """Says at the left of a row which optimizers are told from the first, and how."""
    words = {statistics.BETTER: "lower", statistics.WORSE: "higher"}
    told: dict[str, list[str]] = {}
    for (optimizer, spec), test in tests_of(errors, margin).items():
        if test.verdict in words:
            told.setdefault(spec, []).append(f"{name_of(optimizer)} {words[test.verdict]}")
    for spec, said in told.items():
        ax.annotate(
            "\n".join(said),
            (0.02, specs.index(spec)),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
        )


def _axes_of(cells: Cells) -> tuple[list[int], list[str], list[str]]:
    """Numbers of epochs, optimizers and activations, each in order."""
    several = [*dict.fromkeys(epochs for _, epochs in cells)]
    optimizers = [*dict.fromkeys(optimizer for optimizer, _ in cells)]
    return several, optimizers, [*next(iter(cells.values()))["test_errors"]]


def _seeds(cells: Cells) -> int:
    return len(next(iter(next(iter(cells.values()))["test_errors"].values())))
