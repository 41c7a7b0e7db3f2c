"""Figures of learned activations: how far each moved, and its curves before and after."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from experiments.learned_shapes.curves import Shape, from_record
from jaxact import activations
from jaxact.presentation import drawing
from jaxact.presentation.style import BLACK, BLUE, ORANGE, labels_of, style_of

Learned = Mapping[str, Sequence[Shape]]  # activation to its layers
_DASHED = (0, (4, 1.5))
_INPUTS = "#e4e4e4"
MOST_SHOWN = 6
TALLEST = 0.9  # of a histogram's longest bar, in heights of the panel


def draw(result: Result) -> dict[str, Figure]:
    """The figures of a result; none where all diverged."""
    sharing = result["settings"]["sharing"]
    learned = {
        spec: [from_record(activations.get(spec), *layer) for layer in layers.items()]
        for spec, layers in result["details"]["learned"].items()
        if layers
    }
    if not learned:
        return {}
    learned = dict(sorted(learned.items(), key=lambda row: -max(map(moved, row[1]))))
    figures = {"changes": changes(learned), "learned_shapes": shapes(learned, sharing)}
    for figure in figures.values():
        add_headline(figure, headline(learned), f"{result['title']}.")
    return figures


def moved(shape: Shape) -> float:
    """The median over seeds of a layer's change, in percent."""
    return 100 * float(np.median(shape.change))


def headline(learned: Learned) -> str:
    """The function that moved most, and the one whose layers all moved least."""
    most, *others = learned.items()
    spec, layers = most
    shape = max(layers, key=moved)
    words = f"{spec} moves most: by {moved(shape):.0f} % of its size in {_name(shape)}"
    if others:
        spec, layers = others[-1]
        words += f"; {spec} least: by {max(map(moved, layers)):.1f} % at most"
    return words


def _name(shape: Shape) -> str:
    return shape.layer.replace("ActivationLayer_", "layer ")


@drawing.house_style()
def changes(learned: Learned) -> Figure:
    """A row an activation, a mark for each layer and seed: how far the function has moved."""
    labels = labels_of(learned)
    names = list(dict.fromkeys(_name(shape) for shapes in learned.values() for shape in shapes))
    styles = style_of(names)
    figure = drawing.new_figure(5.8, 1.5 + 0.34 * len(learned))
    axes = figure.subplots()
    handles = {}
    for row, layers in enumerate(learned.values()):
        for k, shape in enumerate(layers):
            style = styles[_name(shape)]
            height = row + 0.2 * (k - (len(layers) - 1) / 2)
            (handles[_name(shape)],) = axes.plot(
                100 * np.array(shape.change),
                np.full(len(shape.change), height),
                style.marker,
                color=style.color,
                linestyle="none",
            )
    drawing.log_axis(axes, "x")
    axes.set_yticks(range(len(learned)), [labels[spec] for spec in learned])
    axes.set_ylim(len(learned) - 0.5, -0.5)
    axes.set_xlabel("change of the function over its inputs (% of its size)")
    drawing.add_legend(figure, list(handles.values()), list(handles))
    drawing.add_caption(figure, "A mark a seed; root mean squares. Logarithmic axis.")
    return figure


@drawing.house_style()
def shapes(learned: Learned, sharing: str) -> Figure:
    """A row an activation, a column a layer: its curve before and after, and what lies between.

    Of the MOST_SHOWN that moved most.
    """
    columns, rows = max(map(len, learned.values())), min(len(learned), MOST_SHOWN)
    figure = drawing.new_figure(0.8 + 2.4 * columns, 1.2 + 1.5 * rows)
    panels = figure.subplots(rows, columns, squeeze=False)
    labels = labels_of(learned)
    for (spec, of_spec), in_line in zip(learned.items(), panels, strict=False):
        for axes, shape in zip(in_line, of_spec, strict=True):
            _draw(axes, shape)
            digits = 0 if moved(shape) >= 10 else 1
            axes.set_title(f"{_name(shape)}: by {moved(shape):.{digits}f} %", fontsize=9)
        in_line[0].set_ylabel(f"{labels[spec]}\nf(x)")
    for axes in panels[-1]:
        axes.set_xlabel("x, input of the activation")
    which = "each seed and channel" if sharing == "channel" else "each seed"
    handles = {
        "before training": Line2D([], [], color=BLACK, linestyle=_DASHED),
        f"after training, {which}": Line2D([], [], color=BLUE),
        "change": Patch(color=ORANGE, alpha=0.5),
        "inputs after training": Patch(color=_INPUTS),
    }
    drawing.add_legend(figure, [*handles.values()], [*handles])
    if len(learned) > rows:
        drawing.add_caption(figure, f"The {rows} that moved most, of {len(learned)}.")
    return figure


def _draw(axes: Axes, shape: Shape) -> None:
    heights = TALLEST * shape.counts / max(shape.counts.max(), 1)
    axes.bar(
        shape.edges[:-1],
        heights,
        np.diff(shape.edges),
        align="edge",
        color=_INPUTS,
        transform=axes.get_xaxis_transform(),
        zorder=0.5,
    )
    among = np.vstack([shape.initial, shape.learned])
    axes.fill_between(
        shape.x, among.min(0), among.max(0), color=ORANGE, alpha=0.5, linewidth=0, zorder=1
    )
    many = len(shape.learned) > 10
    for curve in shape.learned:
        axes.plot(shape.x, curve, color=BLUE, linewidth=0.7 if many else 1.2, alpha=0.7)
    axes.plot(shape.x, shape.initial, color=BLACK, linestyle=_DASHED, linewidth=1.2)
    axes.set_xlim(shape.x[0], shape.x[-1])
