"""Figures of activation functions: each beside its derivative, all on a sheet, and comparisons."""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.plot_activations import graphs
from jaxact import activations
from jaxact.activations import Activation
from jaxact.presentation import drawing
from jaxact.presentation.style import BLUE, GREY, VERMILLION, labels_of
from jaxact.specs import text_of_value

HALF_WIDTH = 5.0  # of the x axis
SHEET_COLUMNS = 5
_DASHED = (0, (4, 1.5))


@drawing.house_style()
def function_and_derivative(activation: Activation, *, log_derivative: bool = False) -> Figure:
    """A function beside its derivative; `log_derivative`: on a logarithmic y axis."""
    figure = drawing.new_figure(7.0, 2.9)
    left, right = figure.subplots(1, 2)
    low, high = x_range(activation)
    _draw(left, graphs.graph(activation, graphs.value, low, high), BLUE)
    _draw(right, graphs.graph(activation, graphs.derivative, low, high), VERMILLION)
    if log_derivative:
        drawing.log_axis(right, "y")
    else:
        bottom, top = right.get_ylim()
        right.set_ylim(min(bottom, -0.05), max(top, 1.05))
    left.set_title("function")
    right.set_title("derivative" + (" (logarithmic axis)" if log_derivative else ""))
    left.set_ylabel("f(x)")
    right.set_ylabel("f'(x)")
    for axes in (left, right):
        axes.set_xlabel("x")
        axes.set_xlim(low, high)
    figure.suptitle(textwrap.fill(title_of(activation), 90), x=0.01, ha="left", fontsize=11)
    return figure


@drawing.house_style()
def contact_sheet(chosen: Sequence[Activation], without: Sequence[str] = ()) -> Figure:
    """All functions and their derivatives, a panel each; each panel has its own y axis.

    Args:
      without: names of functions that have no curve, for the note.
    """
    columns = min(SHEET_COLUMNS, len(chosen))
    rows = math.ceil(len(chosen) / columns)
    figure = drawing.new_figure(max(2.0 * columns, 4.0), 1.65 * rows + 0.7)
    panels = figure.subplots(rows, columns, squeeze=False)
    labels = labels_of(activation.spec for activation in chosen)
    for activation, axes in zip(chosen, panels.flat, strict=False):
        low, high = x_range(activation)
        _draw(axes, graphs.graph(activation, graphs.value, low, high), BLUE, small=True)
        derivative = graphs.graph(activation, graphs.derivative, low, high)
        _draw(axes, derivative, VERMILLION, _DASHED, small=True)
        axes.set_xlim(low, high)
        axes.set_title(textwrap.fill(labels[activation.spec], 28), fontsize=8.5)
        if shown := graphs.shown_of(activation):
            axes.set_title(shown, loc="right", fontsize=7.5, color=GREY)
        axes.tick_params(labelsize=7)
    for axes in panels.flat[len(chosen) :]:
        axes.set_visible(False)
    for axes in panels[-1]:
        axes.set_xlabel("x")
    handles = [
        Line2D([], [], color=BLUE, label="function f(x)"),
        Line2D([], [], color=VERMILLION, linestyle=_DASHED, label="derivative f'(x)"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
    note = "Full circle: the value taken at a jump. Of several outputs the first."
    if without:
        note += f" Without a curve, as they begin with random parameters: {', '.join(without)}."
    drawing.add_caption(figure, note)
    return figure


@drawing.house_style()
def sigmoid_over_relu() -> Figure:
    """Sigmoid and ReLU in one plot over [-10, 10], as in the tutorial."""
    figure = drawing.new_figure(5.0, 3.4)
    axes = figure.subplots()
    for name, color, dash in (("sigmoid", BLUE, "solid"), ("relu", VERMILLION, _DASHED)):
        drawn = graphs.graph(activations.get(name), graphs.value, -10, 10)
        _draw(axes, drawn, color, dash, label=name)
    axes.set(xlim=(-10, 10), xticks=range(-10, 11, 5))
    axes.set(xlabel="x", ylabel="f(x)", title="sigmoid and relu")
    axes.legend(loc="upper left")
    return figure


@drawing.house_style()
def relu_beside_leaky_relu() -> Figure:
    """ReLU beside Leaky ReLU with slope 0.05 over [-10, 10], as in the tutorial."""
    figure = drawing.new_figure(7.0, 3.0)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, spec in zip(panels, ("relu", "leaky_relu(negative_slope=0.05)"), strict=True):
        _draw(axes, graphs.graph(activations.get(spec), graphs.value, -10, 10), BLUE)
        axes.set(xlim=(-10, 10), xticks=range(-10, 11, 5), xlabel="x", title=spec)
    panels[0].set_ylabel("f(x)")
    return figure


def x_range(activation: Activation) -> tuple[float, float]:
    """The range that is drawn: from -5 to 5, and farther where a kink is there."""
    kinks = [kink.at for kink in activation.kinks]
    return min([-HALF_WIDTH, *(k - 2 for k in kinks)]), max([HALF_WIDTH, *(k + 2 for k in kinks)])


def title_of(activation: Activation) -> str:
    """The spec; learnable parameters at their initial values; inputs, if it is not elementwise."""
    title = labels_of([activation.spec])[activation.spec]
    if activation.initial:
        values = ", ".join(f"{name} = {text_of_value(value)}" for name, value in activation.initial)
        title += f" with {values}, where learning starts"
    if shown := graphs.shown_of(activation):
        title += f" {shown}, first output"
    return title


def _draw(
    axes: Axes,
    drawn: graphs.Graph,
    color: str,
    dash: str | tuple[float, tuple[float, ...]] = "solid",
    *,
    small: bool = False,
    label: str = "",
) -> None:
    """A graph: no line through a jump, a full circle at the value taken, empty ones elsewhere."""
    width, size = (1.2, 3.0) if small else (1.7, 4.5)
    axes.plot(drawn.x, drawn.y, color=color, linestyle=dash, linewidth=width, label=label or None)
    for jump in drawn.jumps:
        near = 1e-3 * abs(jump.left - jump.right)
        ends = [y for y in (jump.left, jump.right) if not abs(y - jump.value) <= near]
        for y, face in [*((y, "white") for y in ends), (jump.value, color)]:
            if np.isfinite(y):
                axes.plot(
                    [jump.at],
                    [y],
                    linestyle="none",
                    marker="o",
                    markersize=size,
                    markeredgecolor=color,
                    markerfacecolor=face,
                    markeredgewidth=width / 1.5,
                    zorder=4,
                )
