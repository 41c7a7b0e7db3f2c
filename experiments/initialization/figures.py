"""Figures of what initial weights do: histograms of every layer, and figures by layer."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.common.findings import capitalized
from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from experiments.common.records import numbers
from experiments.initialization.deep_network import Layer
from experiments.initialization.experiment import RIGHT
from jaxact.presentation import drawing
from jaxact.presentation.style import BLUE, GREEN, GREY, labels_of, style_of

Drawn = Mapping[str, Mapping[str, Sequence[Layer]]]  # activation, initialiser, layers
Verdicts = Mapping[tuple[str, str], str]  # activation and initialiser to a verdict
# A row for each sentence of the source: nothing learns; vanishes; saturates; is right for tanh; is
# right for ReLU. Uniform and normal weights of a deviation do the same, and lecun's is xavier's
# where layers are as wide as their inputs: `by_layer` shows that.
CLAIMED = ("zeros", "normal_0.01", "normal_0.05", "xavier_normal", "he_normal")
WIDEST = 0.86  # of a histogram's longest bar, in layers
CUT = 0.15  # of all values: where the longest bar may be cut
SAME = 0.05  # initialisers share a line whose figures differ by no more in any layer
FIELDS = {
    "deviation": "deviation of outputs",
    "gradient": "norm of gradient in outputs",
    "weight_gradient": "norm of gradient in weights",
}


def draw(result: Result) -> dict[str, Figure]:
    """The figures of a result."""
    details, setting = result["details"], f"{result['title']}."
    drawn = {
        spec: {
            name: [Layer(**{**layer, **_floats(layer)}) for layer in layers]
            for name, layers in of_spec.items()
        }
        for spec, of_spec in details["layers"].items()
    }
    verdicts = {(row["activation"], row["initialiser"]): row["verdict"] for row in result["rows"]}
    return {
        "histograms": histograms(drawn, details["histogram_ranges"], verdicts, setting),
        "layers": by_layer(drawn, verdicts, setting),
    }


def _floats(layer: Mapping[str, object]) -> dict[str, float]:
    """The fields but for the counts, nan where they overflowed."""
    return {name: float(numbers(value)) for name, value in layer.items() if name != "counts"}


def headline(drawn: Drawn, verdicts: Verdicts, names: Sequence[str]) -> str:
    """The initialisers, of some, that are just right for each activation."""
    parts = []
    for spec in drawn:
        right = [name for name in names if verdicts[spec, name] == RIGHT]
        parts.append(f"for {spec} {', '.join(right) or 'none'}")
    return capitalized(f"just right {'; '.join(parts)}")


@drawing.house_style()
def histograms(
    drawn: Drawn,
    ranges: Mapping[str, Sequence[float]],
    verdicts: Verdicts,
    setting: str,
) -> Figure:
    """A row for each of CLAIMED, a column an activation: outputs of the layers, side by side.

    Args:
      ranges: of the values, by activation.
    """
    figure = drawing.new_figure(1.2 + 3.7 * len(drawn), 1.0 + 1.6 * len(CLAIMED))
    panels = figure.subplots(len(CLAIMED), len(drawn), sharex=True, sharey="col", squeeze=False)
    labels = labels_of(drawn)
    for column, (spec, of_spec) in enumerate(drawn.items()):
        for line, name in enumerate(CLAIMED):
            axes, verdict = panels[line, column], verdicts[spec, name]
            _side_by_side(axes, of_spec[name], ranges[spec], GREEN if verdict == RIGHT else BLUE)
            axes.set_title(f"{labels[spec]}, {name}: {verdict}")
        panels[-1, column].set_xlabel("layer")
    for axes in panels[:, 0]:
        axes.set_ylabel("output")
    drawing.add_caption(
        figure,
        "Each histogram has its own width, and a bar that dwarfs the others is cut; outermost bars "
        "hold what lies beyond the axis.",
    )
    add_headline(figure, headline(drawn, verdicts, CLAIMED), setting)
    return figure


def _side_by_side(axes: Axes, layers: Sequence[Layer], limits: Sequence[float], color: str) -> None:
    low, high = limits
    for place, layer in enumerate(layers, start=1):
        edges = np.linspace(low, high, len(layer.counts) + 1)
        counts = np.asarray(layer.counts)
        lengths = WIDEST * np.minimum(counts / longest(counts), 1)
        left = place - WIDEST / 2
        axes.stairs(
            left + lengths, edges, baseline=left, orientation="horizontal", fill=True, color=color
        )
        axes.axvline(left, color=GREY, linewidth=0.5)
    axes.set_xlim(0.4, len(layers) + 0.6)
    axes.set_ylim(low, high)
    axes.grid(False, axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))


def longest(counts: np.ndarray) -> float:
    """The count that a bar of full length stands for: the largest, unless it dwarfs all others.

    Half of ReLU's outputs are 0: with a bar that long, nothing could be seen of the other half.
    """
    first, second = np.sort(counts)[[-1, -2]]
    return max(min(first, max(2 * second, CUT * counts.sum())), 1)


def alike(drawn: Drawn) -> list[list[str]]:
    """The initialisers, those together whose figures are the same but for SAME in every layer.

    Those that leave nothing but zeros, of which a logarithmic axis shows nothing, stand alone.
    """
    groups: list[list[str]] = []
    figures = {name: _figures_of(drawn, name) for name in next(iter(drawn.values()))}
    for name, values in figures.items():
        for group in groups:
            if np.allclose(figures[group[0]], values, rtol=SAME, atol=0, equal_nan=True):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _figures_of(drawn: Drawn, name: str) -> np.ndarray:
    """`[activations, fields, layers]`."""
    return np.array(
        [
            [[getattr(layer, field) for layer in of_spec[name]] for field in FIELDS]
            for of_spec in drawn.values()
        ],
        float,
    )


@drawing.house_style()
def by_layer(drawn: Drawn, verdicts: Verdicts, setting: str) -> Figure:
    """Deviation of outputs and norms of gradients by layer; initialisers that are `alike` share."""
    figure = drawing.new_figure(9.2, 1.3 + 2.7 * len(drawn))
    panels = figure.subplots(len(drawn), len(FIELDS), sharex=True, squeeze=False)
    groups = {group[0]: group for group in alike(drawn)}
    styles, labels = style_of(groups), labels_of(drawn)
    lines = {}
    for (spec, of_spec), in_line in zip(drawn.items(), panels, strict=True):
        for axes, (field, label) in zip(in_line, FIELDS.items(), strict=True):
            for name in groups:
                values = np.array([getattr(layer, field) for layer in of_spec[name]], float)
                is_shown = np.isfinite(values) & (values > 0)
                style = styles[name]
                (line,) = axes.plot(
                    range(1, len(values) + 1),
                    np.where(is_shown, values, np.nan),
                    color=style.color,
                    linestyle=style.line_style,
                    marker=style.marker,
                )
                if is_shown.any():
                    lines.setdefault(name, line)
            drawing.log_axis(axes, "y")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_ylabel(label)
            axes.set_title(labels[spec])
    for axes in panels[-1]:
        axes.set_xlabel("layer")
    shown = [name for name in groups if name in lines]
    drawing.add_legend(
        figure, [lines[name] for name in shown], ["\n".join(groups[name]) for name in shown]
    )
    drawing.add_caption(
        figure,
        f"Initialisers whose figures differ by less than {SAME:.0%} share a line. Zeros have no "
        "point on a logarithmic axis.",
    )
    names = list(next(iter(drawn.values())))
    add_headline(figure, headline(drawn, verdicts, names), setting)
    return figure
