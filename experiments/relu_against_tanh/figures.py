"""The figure of `experiments.relu_against_tanh`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from experiments.relu_against_tanh.time_to_error import Measured
from jaxact import data
from jaxact.command import Options
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, labels_of, style_of


def draw(chosen: Options, measured: Mapping[str, Measured]) -> Figure:
    """Training error over epochs: the median of each activation and the range over its seeds."""
    with drawing.house_style():
        figure, axes = drawing.new_axes(
            f"{chosen.model} on {data.title(chosen.dataset)}, {chosen.optimizer}"
        )
        styles, labels = style_of(measured), labels_of(measured)
        handles: list[Any] = []
        texts = []
        for position, (spec, known) in enumerate(measured.items()):
            length = min(len(trace.errors) for trace in known.traces)
            epochs = known.traces[0].epochs[:length]
            errors = 100 * np.asarray([trace.errors[:length] for trace in known.traces])
            every = max(length // 8, 1)
            (line,) = axes.plot(
                epochs,
                np.median(errors, axis=0),
                color=styles[spec].color,
                linestyle=styles[spec].line_style,
                marker=styles[spec].marker,
                markevery=(position % every, every),
                zorder=3,
            )
            axes.fill_between(
                epochs,
                errors.min(0),
                errors.max(0),
                color=styles[spec].color,
                alpha=0.15,
                linewidth=0,
            )
            handles.append(line)
            texts.append(f"{labels[spec]}, rate {known.choice.learning_rate:g}")
        target = axes.axhline(chosen.target_error, color=GREY, linestyle=(0, (5, 3)), linewidth=1)
        drawing.add_legend(
            figure, [*handles, target], [*texts, f"target, {chosen.target_error:g} %"]
        )
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("epoch")
        axes.set_ylabel("training error (%)")
        drawing.add_caption(
            figure, f"Lines: median of {chosen.seeds} seeds; bands: lowest to highest."
        )
    return figure
