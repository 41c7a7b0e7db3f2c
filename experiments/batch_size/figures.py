"""Figures of `experiments.batch_size`: curves by epoch, and what goes with the batch size."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from experiments.common import panels
from experiments.common.findings import Finding, capitalized, told_from
from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from experiments.common.records import numbers
from jaxact import statistics
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, Style, labels_of, style_of
from jaxact.statistics import SHARE

Record = Mapping[str, Any]  # a batch size by a rule, as `result.json` has it
Cells = Mapping[tuple[str, int], Record]  # rule of the rate, batch size
_MARKERS = "osD^vP"


def draw(result: Result) -> dict[str, Figure]:
    """The figures of a result."""
    cells = {(cell["rule"], cell["batch_size"]): cell for cell in result["details"]["runs"]}
    target, finding = result["settings"]["target_accuracy"], headline(cells)
    verdicts = Counter(Finding(**row).verdict for row in result["findings"])
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    setting = f"{result['title']}. The source's sentences, by each rate: {counts}."
    figures = {
        "learning": learning(cells, target),
        "against_batch_size": against_batch_size(cells, result["settings"]["epochs"]),
    }
    for figure in figures.values():
        add_headline(figure, finding, setting)
    return figures


def headline(cells: Cells) -> str:
    """The batch sizes that need more or fewer epochs than the smallest, by corrected tests."""
    rules, sizes, _ = _axes_of(cells)
    families = [
        statistics.compare(
            {str(s): _means(cells[rule, s]["epochs_to_target"]) for s in sizes},
            str(sizes[0]),
            SHARE,
        )
        for rule in rules
    ]
    told = {
        rule: told_from(
            f"a batch of {sizes[0]}",
            {test.name: test for test in family},
            "fewer epochs to the target",
            "more epochs to the target",
        )
        for rule, family in zip(rules, statistics.corrected(families), strict=True)
    }
    if len({*told.values()}) == 1:
        by = " and ".join(f"rate {rule}" for rule in rules)
        return capitalized(f"{next(iter(told.values()))} ({by})")
    return capitalized("; ".join(f"{words} (rate {rule})" for rule, words in told.items()))


def _means(of_specs: Mapping[str, Sequence[float | None]]) -> list[float]:
    """Epochs of each seed, the mean over the activations; infinite where one missed the target."""
    return np.mean([numbers(values, np.inf) for values in of_specs.values()], axis=0).tolist()


def _axes_of(cells: Cells) -> tuple[list[str], list[int], list[str]]:
    """Rules and activations in order, batch sizes rising."""
    rules = [*dict.fromkeys(rule for rule, _ in cells)]
    return rules, sorted({size for _, size in cells}), [*next(iter(cells.values()))["test_errors"]]


def _rising(sizes: Sequence[int]) -> dict[int, Style]:
    """Looks of batch sizes: the darker, the larger."""
    palette = matplotlib.colormaps["viridis_r"](np.linspace(0.15, 1, len(sizes)))
    return {
        size: Style(to_hex(color), (), _MARKERS[k % len(_MARKERS)])
        for k, (size, color) in enumerate(zip(sizes, palette, strict=True))
    }


@drawing.house_style()
def learning(cells: Cells, target: float) -> Figure:
    """Validation error by epoch: a row for each activation, a panel for each rule."""
    rules, sizes, specs = _axes_of(cells)
    figure = drawing.new_figure(1.2 + 3.2 * len(rules), 1.3 + 2.6 * len(specs))
    axes = figure.subplots(len(specs), len(rules), squeeze=False)
    styles, labels = _rising(sizes), labels_of(specs)
    handles: dict[str, Any] = {}
    for row, spec in zip(axes, specs, strict=True):
        for ax, rule in zip(row, rules, strict=True):
            for size in sizes:
                curve = cells[rule, size]["curves"][spec]["validation_error"]
                handles[f"batch of {size}"] = panels.by_epoch(ax, curve, styles[size])
                drawing.count_epochs(ax, len(curve["median"]))
            ax.set_title(f"{labels[spec]}, rate {rule}")
    panels.share_log_heights([*axes.flat])
    for ax in axes.flat:
        line = ax.axhline(100 * (1 - target), color=GREY, linewidth=0.9, linestyle=(0, (5, 3)))
        handles[f"target, {100 * (1 - target):.3g} %"] = line
    for row in axes:
        row[0].set_ylabel("validation error (%)")
    drawing.add_legend(figure, [*handles.values()], [*handles])
    drawing.add_caption(figure, panels.about_curves(_seeds(cells)))
    return figure


@drawing.house_style()
def against_batch_size(cells: Cells, epochs: int) -> Figure:
    """Epochs, the final error, and seconds where they are told, over the batch size.

    Args:
      epochs: of each run.
    """
    rules, sizes, specs = _axes_of(cells)
    shown = {"epochs_to_target": "epochs to the target"}
    if "train_seconds" in next(iter(cells.values())):
        shown |= {"seconds_to_target": "training time to the target (s)"}
        shown |= {"train_seconds": f"training time of {epochs} epochs (s)"}
    shown |= {"test_errors": "test error (%)"}
    figure = drawing.new_figure(3.1 * len(shown), 1.6 + 2.6 * len(specs))
    axes = figure.subplots(len(specs), len(shown), squeeze=False)
    styles, labels = style_of(rules), labels_of(specs)
    handles: dict[str, Any] = {}
    for row, spec in zip(axes, specs, strict=True):
        for ax, (field, title) in zip(row, shown.items(), strict=True):
            for k, rule in enumerate(rules):
                values = [numbers(cells[rule, size][field][spec], np.inf) for size in sizes]
                beside = 2 ** (0.16 * (k - (len(rules) - 1) / 2))  # or dots would hide dots
                places = [size * beside for size in sizes]
                handles[f"rate {rule}"] = _draw(ax, places, values, styles[rule])
            ax.set_ylabel(title)
            ax.set_title(labels[spec])
            ax.set_ylim(bottom=0)
            ax.set_xscale("log", base=2)
            ax.set_xticks(sizes, map(str, sizes))
            ax.xaxis.set_minor_locator(NullLocator())
            ax.set_xlabel("batch size (images)")
    drawing.add_legend(figure, [*handles.values()], [*handles])
    drawing.add_caption(figure, "Dots: seeds; lines: their median, none where most missed it.")
    return figure


def _draw(ax: Axes, places: Sequence[float], values: Sequence[np.ndarray], style: Style) -> Any:
    """The seeds and their median at each batch size."""
    for place, of_size in zip(places, values, strict=True):
        finite = of_size[np.isfinite(of_size)]
        ax.plot(
            np.full(len(finite), place),
            finite,
            ".",
            color=style.color,
            markersize=4,
            alpha=0.5,
            zorder=2,
        )
    medians = np.array([statistics.median(of_size).value for of_size in values])
    (line,) = ax.plot(
        places,
        np.where(np.isfinite(medians), medians, np.nan),
        color=style.color,
        linestyle=style.line_style,
        marker=style.marker,
        zorder=3,
    )
    return line


def _seeds(cells: Cells) -> int:
    return len(next(iter(next(iter(cells.values()))["test_errors"].values())))
