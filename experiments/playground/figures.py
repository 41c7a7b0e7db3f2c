"""Figures of the playground: decision boundaries, and losses by epoch."""

from collections.abc import Mapping, Sequence

import jax
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from experiments.playground.problems import Points
from experiments.playground.training import outputs
from jaxact.activations import Activation
from jaxact.presentation import drawing
from jaxact.presentation.style import BLUE, GREY, ORANGE, labels_of, style_of

EDGE = 6.0  # of the square that is drawn
RESOLUTION = 121  # places along each side of it
# Dark for 1 and light for -1, with or without colour.
_COLORS = LinearSegmentedColormap.from_list("playground", ["#F7C95C", "#FFFFFF", "#2F6FA8"])


def surface(activation: Activation, params: object) -> np.ndarray:
    """The output over the square, rows from below to above, `[RESOLUTION, RESOLUTION]`."""
    axis = np.linspace(-EDGE, EDGE, RESOLUTION, dtype=np.float32)
    places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    seen = jax.jit(outputs, static_argnums=0)(activation, params, places)
    return np.asarray(seen).reshape(RESOLUTION, RESOLUTION)


@drawing.house_style()
def boundaries(
    surfaces: Mapping[tuple[str, str], np.ndarray],
    points: Mapping[tuple[str, str], Points],
    notes: Mapping[tuple[str, str], str],
) -> Figure:
    """Decision boundaries of one network of each problem (down) and activation (across).

    Args:
      surfaces: (problem, activation) to its output, as `surface` gives it.
      points: (problem, activation) to those it was trained on.
      notes: (problem, activation) to what stands above the panel.
    """
    problems, specs = (list(dict.fromkeys(column)) for column in zip(*surfaces, strict=True))
    labels = labels_of(specs)
    figure = drawing.new_figure(2.3 * len(specs) + 1.4, 2.45 * len(problems) + 0.5)
    panels = figure.subplots(len(problems), len(specs), sharex=True, sharey=True, squeeze=False)
    image = None
    for row, problem in zip(panels, problems, strict=True):
        for axes, spec in zip(row, specs, strict=True):
            key = problem, spec
            image = axes.imshow(
                surfaces[key],
                origin="lower",
                extent=(-EDGE, EDGE, -EDGE, EDGE),
                cmap=_COLORS,
                vmin=-1,
                vmax=1,
            )
            axes.contour(surfaces[key], [0.0], extent=(-EDGE, EDGE, -EDGE, EDGE), colors="black")
            for label, marker, face in ((1, "o", BLUE), (-1, "s", ORANGE)):
                x, y = points[key].places[points[key].labels == label].T
                axes.scatter(
                    x, y, s=7, marker=marker, color=face, edgecolors="white", linewidths=0.3
                )
            axes.set_title(f"{labels[spec]}: {notes[key]}", fontsize=8.5)
            axes.set_xlim(-EDGE, EDGE)
            axes.set_ylim(-EDGE, EDGE)
            axes.grid(visible=False)
        row[0].set_ylabel(f"{problem}\nx_2")
    for axes in panels[-1]:
        axes.set_xlabel("x_1")
    if image is not None:
        figure.colorbar(image, ax=panels, label="output of the network", aspect=40, pad=0.01)
    drawing.add_caption(
        figure,
        "The run with the median epochs of each; black: the decision boundary; circles are of "
        "class 1, squares of class -1 (training points).",
    )
    return figure


@drawing.house_style()
def losses(
    curves: Mapping[tuple[str, str], np.ndarray],
    converged: Mapping[tuple[str, str], np.ndarray],
    target: float,
) -> Figure:
    """Training loss by epoch, a panel a problem, a line a run; a marker where a run converged.

    Args:
      curves: (problem, activation) to `[runs, epochs]`; nan after a run's end.
      converged: (problem, activation) to epochs, `[runs]`; infinite: never.
      target: the loss to reach.
    """
    problems, specs = (list(dict.fromkeys(column)) for column in zip(*curves, strict=True))
    styles, labels = style_of(specs), labels_of(specs)
    figure = drawing.new_figure(3.1 * len(problems) + 0.3, 3.4)
    panels = figure.subplots(1, len(problems), sharey=True, squeeze=False)[0]
    handles: dict[str, object] = {}
    for axes, problem in zip(panels, problems, strict=True):
        most = 1
        for spec in specs:
            style, key = styles[spec], (problem, spec)
            for curve, epoch in zip(curves[key], converged[key], strict=True):
                shown = curve[~np.isnan(curve)]
                most = max(most, len(shown))
                epochs = np.arange(1, len(shown) + 1)
                axes.plot(epochs, shown, color=style.color, lw=0.5, alpha=0.45, zorder=1)
                if np.isfinite(epoch):
                    axes.plot(
                        epoch,
                        curve[int(epoch) - 1],
                        style.marker,
                        color=style.color,
                        markeredgecolor="white",
                        markeredgewidth=0.4,
                        ms=5,
                        zorder=3,
                    )
            handles[spec] = axes.plot(
                [], [], style.marker, color=style.color, linestyle=style.line_style
            )[0]
        axes.axhline(target, color=GREY, lw=0.9, ls="--", zorder=2)
        axes.set_title(problem)
        axes.set_xlim(1, most)
        axes.set_xlabel("epoch")
        drawing.log_axis(axes, "x")
    panels[0].set_ylabel("training loss (half the squared error)")
    panels[0].set_ylim(0, 0.6)  # 0.5 is what an output of 0 has
    drawing.add_legend(figure, list(handles.values()), [labels[spec] for spec in handles])
    drawing.add_caption(
        figure,
        f"A line a run, a marker where it converged: from there its loss is {target:g} (dashed) or "
        "less. A run ends once that has held.",
    )
    return figure


def median_run(converged: Sequence[float] | np.ndarray) -> int:
    """The position of the run in the middle; the lower of two, misses after all others."""
    order = np.argsort(converged, kind="stable")
    return int(order[(len(order) - 1) // 2])
