"""Figures of what initial weights do: histograms of every layer, and figures by layer."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.initialization.deep_network import Layer
from jaxact.presentation import drawing
from jaxact.presentation.style import BLUE, GREY, labels_of, style_of

Drawn = Mapping[str, Mapping[str, Sequence[Layer]]]  # activation, initialiser, layers
WIDEST = 0.86  # of a histogram's longest bar, in layers
CUT = 0.15  # of all values: where the longest bar may be cut
FIELDS = {
    "deviation": "deviation of outputs",
    "gradient": "norm of gradient in outputs",
    "weight_gradient": "norm of gradient in weights",
}


@drawing.house_style()
def histograms(
    drawn: Drawn,
    ranges: Mapping[str, tuple[float, float]],
    verdicts: Mapping[tuple[str, str], str],
    shape: str,
) -> Figure:
    """A grid of initialiser by activation: in each cell the outputs of the layers, side by side.

    Args:
      ranges: of the values, by activation.
      verdicts: by activation and initialiser.
      shape: of the network, in words.
    """
    names = list(next(iter(drawn.values())))
    figure = drawing.new_figure(1.0 + 3.4 * len(drawn), 0.6 + 1.12 * len(names))
    figure.suptitle(f"Outputs of each layer: {shape}", fontsize=10, x=0.01, ha="left")
    panels = figure.subplots(len(names), len(drawn), sharex=True, sharey="col", squeeze=False)
    labels = labels_of(drawn)
    for column, (spec, of_spec) in enumerate(drawn.items()):
        for line, (name, layers) in enumerate(of_spec.items()):
            axes = panels[line, column]
            _side_by_side(axes, layers, ranges[spec])
            axes.set_title(f"{labels[spec]}, {name}: {verdicts[spec, name]}", fontsize=8)
        panels[-1, column].set_xlabel("layer")
    for axes in panels[:, 0]:
        axes.set_ylabel("output")
    drawing.add_caption(
        figure,
        "Each histogram has its own width, and a bar that dwarfs the others is cut; outermost bars "
        "hold what lies beyond the axis.",
    )
    return figure


def _side_by_side(axes: Axes, layers: Sequence[Layer], limits: tuple[float, float]) -> None:
    for place, layer in enumerate(layers, start=1):
        edges = np.linspace(*limits, len(layer.counts) + 1)
        counts = np.asarray(layer.counts)
        lengths = WIDEST * np.minimum(counts / longest(counts), 1)
        left = place - WIDEST / 2
        axes.stairs(
            left + lengths, edges, baseline=left, orientation="horizontal", fill=True, color=BLUE
        )
        axes.axvline(left, color=GREY, linewidth=0.5)
    axes.set_xlim(0.4, len(layers) + 0.6)
    axes.set_ylim(*limits)
    axes.grid(False, axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))


def longest(counts: np.ndarray) -> float:
    """The count that a bar of full length stands for: the largest, unless it dwarfs all others.

    Half of ReLU's outputs are 0: with a bar that long, nothing could be seen of the other half.
    """
    first, second = np.sort(counts)[[-1, -2]]
    return max(min(first, max(2 * second, CUT * counts.sum())), 1)


@drawing.house_style()
def by_layer(drawn: Drawn, shape: str) -> Figure:
    """Deviation of outputs and norms of gradients by layer, a line an initialiser; log axes."""
    figure = drawing.new_figure(9.2, 0.9 + 2.6 * len(drawn))
    figure.suptitle(f"From layer to layer: {shape}", fontsize=10, x=0.01, ha="left")
    panels = figure.subplots(len(drawn), len(FIELDS), sharex=True, squeeze=False)
    names = list(next(iter(drawn.values())))
    styles = style_of(names)
    labels = labels_of(drawn)
    lines = {}
    for (spec, of_spec), in_line in zip(drawn.items(), panels, strict=True):
        for axes, (field, label) in zip(in_line, FIELDS.items(), strict=True):
            for place, (name, layers) in enumerate(of_spec.items()):
                values = np.array([getattr(layer, field) for layer in layers], float)
                style = styles[name]
                (lines[name],) = axes.plot(
                    range(1, len(layers) + 1),
                    np.where(np.isfinite(values) & (values > 0), values, np.nan),
                    color=style.color,
                    linestyle=style.line_style,
                    marker=style.marker,
                    # Markers take turns, so that lines on top of each other can be told apart.
                    markevery=(place % 3, 3),
                )
            drawing.log_axis(axes, "y")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_ylabel(label)
        in_line[0].set_title(labels[spec])
    for axes in panels[-1]:
        axes.set_xlabel("layer")
    drawing.add_legend(figure, [lines[name] for name in names], names)
    drawing.add_caption(figure, "Zeros are not on a logarithmic axis: they have no point.")
    return figure
