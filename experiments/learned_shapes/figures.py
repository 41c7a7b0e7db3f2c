"""The figure of learned activations: each layer's curve before and after, over its inputs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from experiments.learned_shapes.curves import Shape
from jaxact.presentation import drawing
from jaxact.presentation.style import BLACK, BLUE, labels_of

_DASHED = (0, (4, 1.5))
_INPUTS = "#cfcfcf"
TALLEST = 0.9  # of a histogram's longest bar, in heights of the panel


@drawing.house_style()
def shapes(learned: Mapping[str, Sequence[Shape]], where: str, sharing: str) -> Figure:
    """A grid of activation by layer; a curve for each seed, and channel if each has its own."""
    columns = max(map(len, learned.values()))
    figure = drawing.new_figure(1.0 + 2.5 * columns, 1.3 + 1.55 * len(learned))
    figure.suptitle(f"Learned activations: {where}", fontsize=10, x=0.01, ha="left")
    panels = figure.subplots(len(learned), columns, squeeze=False)
    labels = labels_of(learned)
    for (spec, of_spec), in_line in zip(learned.items(), panels, strict=True):
        for axes, shape in zip(in_line, of_spec, strict=True):
            _draw(axes, shape)
            axes.set_title(f"{labels[spec]}, {shape.layer}", fontsize=8)
        in_line[0].set_ylabel("f(x)")
    for axes in panels[-1]:
        axes.set_xlabel("x, input of the activation")
    which = "each seed and channel" if sharing == "channel" else "each seed"
    handles = [
        Line2D([], [], color=BLACK, linestyle=_DASHED),
        Line2D([], [], color=BLUE),
        Patch(color=_INPUTS),
    ]
    figure.legend(
        handles,
        ["before training", f"after training, {which}", "inputs after training"],
        loc="outside lower left",
        ncols=3,
    )
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
    many = len(shape.learned) > 10
    for curve in shape.learned:
        axes.plot(shape.x, curve, color=BLUE, linewidth=0.7 if many else 1.3, alpha=0.5)
    axes.plot(shape.x, shape.initial, color=BLACK, linestyle=_DASHED, linewidth=1.2)
    axes.set_xlim(shape.x[0], shape.x[-1])
