"""The figure of `experiments.relu_against_tanh`."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from experiments.common.records import numbers
from experiments.relu_against_tanh.experiment import compared, paired_ratios
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, labels_of, style_of


def draw(result: Result) -> dict[str, Figure]:
    """The figure of a result."""
    settings, runs = result["settings"], result["details"]["runs"]
    figure = errors(runs, {row["activation"]: row for row in result["rows"]}, settings)
    baseline = settings["baseline"]
    epochs = {
        spec: numbers(run["epochs_to_target"], math.inf).tolist() for spec, run in runs.items()
    }
    words = [
        compared(
            spec, baseline, paired_ratios(epochs[spec], epochs[baseline]), epochs[baseline],
            settings["epochs"],
        )
        for spec in runs
        if spec != baseline
    ]  # fmt: skip
    add_headline(
        figure,
        "; ".join(words) or result["answer"],
        f"{result['title']}, {settings['optimizer']}, {settings['seeds']} seeds.",
    )
    return {"error": figure}


@drawing.house_style()
def errors(runs: Mapping[str, Any], rows: Mapping[str, Any], settings: Mapping[str, Any]) -> Figure:
    """Training error over epochs: each seed thin, their median thick, crossings on the target.

    Args:
      runs: by activation, as `result.json` has them.
      rows: of the table, by activation.
    """
    figure = drawing.new_figure(5.6, 4.4)
    axes = figure.subplots()
    styles, labels = style_of(runs), labels_of(runs)
    handles, texts = [], []
    for spec, run in runs.items():
        style, traces = styles[spec], run["traces"]
        for trace in traces:
            axes.plot(
                trace["epochs"],
                100 * numbers(trace["errors"]),
                color=style.color,
                linewidth=0.7,
                alpha=0.45,
            )
        length = min(len(trace["errors"]) for trace in traces)
        together = np.array([numbers(trace["errors"][:length]) for trace in traces])
        handles += axes.plot(
            traces[0]["epochs"][:length],
            100 * np.median(together, axis=0),
            color=style.color,
            linestyle=style.line_style,
            linewidth=2.2,
            zorder=3,
        )
        texts.append(f"{labels[spec]}, rate {rows[spec]['learning rate']:g}")
        reached = numbers(run["epochs_to_target"])
        axes.plot(
            reached,
            np.full(len(reached), settings["target_error"]),
            style.marker,
            color=style.color,
            markersize=7,
            markeredgecolor="white",
            linestyle="none",
            zorder=4,
        )
    target = axes.axhline(settings["target_error"], color=GREY, linestyle=(0, (5, 3)), linewidth=1)
    drawing.add_legend(
        figure, [*handles, target], [*texts, f"target, {settings['target_error']:g} %"]
    )
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel("training error (%)")
    drawing.add_caption(
        figure,
        "Thin: a seed; thick: their median, as long as all are trained; marks: where a seed "
        "reaches the target.",
    )
    return figure
