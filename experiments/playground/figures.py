"""Figures of the playground: decision boundaries, and losses by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from experiments.common import records
from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from experiments.playground import findings, problems
from experiments.playground.problems import Points
from experiments.playground.training import outputs
from jaxact import activations
from jaxact.activations import Activation
from jaxact.presentation import drawing, numbers
from jaxact.presentation.style import BLUE, GREY, ORANGE, labels_of, style_of

EDGE = 6.0  # of the square that is drawn
RESOLUTION = 121  # places along each side of it
# Dark for 1 and light for -1, with or without colour.
_COLORS = LinearSegmentedColormap.from_list("playground", ["#F7C95C", "#FFFFFF", "#2F6FA8"])


def draw(result: Result) -> dict[str, Figure]:
    """The figures of a result: its networks are asked for their outputs again."""
    settings = result["settings"]
    cells = findings.from_record(result["details"]["runs"])
    setting = (
        f"{result['title']}: {'-'.join(map(str, settings['hidden']))} hidden units, learning rate "
        f"{settings['learning_rate']:g}, {numbers.count(settings['seeds'], 'seed')}, at most "
        f"{settings['epochs']:,} epochs; the target is a training loss of "
        f"{settings['target_loss']:g}."
    )
    figures = {
        "boundaries": boundaries(
            {
                (problem, spec): surface(activations.get(spec), as_params(cell.params))
                for (problem, spec), cell in cells.items()
            },
            {
                key: problems.draw(key[0], cell.shown, settings["points"], settings["noise"]).train
                for key, cell in cells.items()
            },
            {key: findings.note(cell) for key, cell in cells.items()},
        ),
        "losses": losses(cells, settings["target_loss"]),
    }
    for figure in figures.values():
        add_headline(figure, findings.headline(cells), setting)
    return figures


def as_params(layers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The parameters of a network, arrays in place of lists."""
    return [
        {
            name: {one: np.float32(leaf) for one, leaf in value.items()}
            if isinstance(value, Mapping)
            else np.float32(value)
            for name, value in layer.items()
        }
        for layer in layers
    ]


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
    names, specs = (list(dict.fromkeys(column)) for column in zip(*surfaces, strict=True))
    labels = labels_of(specs)
    figure = drawing.new_figure(2.3 * len(specs) + 1.4, 2.45 * len(names) + 1.0)
    panels = figure.subplots(len(names), len(specs), sharex=True, sharey=True, squeeze=False)
    image = None
    for row, problem in zip(panels, names, strict=True):
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
def losses(cells: findings.Cells, target: float) -> Figure:
    """Training loss by epoch, a panel a problem, a marker where a run converged.

    Args:
      target: the loss to reach.
    """
    names, specs = (list(dict.fromkeys(column)) for column in zip(*cells, strict=True))
    styles, labels = style_of(specs), labels_of(specs)
    figure = drawing.new_figure(2.7 * len(names) + 0.3, 3.9)
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    handles: dict[str, object] = {}
    for axes, problem in zip(panels, names, strict=True):
        for row, spec in enumerate(specs):
            style, cell = styles[spec], cells[problem, spec]
            median, low, high = (
                records.numbers(cell.losses[end], np.inf) for end in ("median", "low", "high")
            )
            (handles[spec],) = axes.plot(
                cell.losses["epochs"],
                np.where(np.isfinite(median), median, np.nan),
                color=style.color,
                linestyle=style.line_style,
                marker=style.marker,
                markevery=8,
            )
            axes.fill_between(
                cell.losses["epochs"],
                low,
                high,
                where=np.isfinite(high),
                color=style.color,
                alpha=0.15,
                linewidth=0,
            )
            epochs = cell.converged[np.isfinite(cell.converged)]
            heights = np.full(len(epochs), -0.03 - 0.03 * row)
            axes.plot(epochs, heights, "|", color=style.color, markersize=6)
        axes.axhline(target, color=GREY, linewidth=0.9, linestyle="dashed", zorder=2)
        axes.set_title(problem)
        axes.set_xlim(1, max(cells[problem, spec].losses["epochs"][-1] or 1 for spec in specs))
        axes.set_xlabel("epoch")
        drawing.log_axis(axes, "x")
    panels[0].set_ylabel("training loss (half the squared error)")
    panels[0].set_ylim(-0.03 * (len(specs) + 0.7), 0.55)  # 0.5 is what an output of 0 has
    panels[0].set_yticks(np.arange(0, 0.51, 0.1))
    drawing.add_legend(figure, list(handles.values()), [labels[spec] for spec in handles])
    drawing.add_caption(
        figure,
        "Lines: median of the runs; bands: their quartiles; dashed: the target. Ticks below 0: "
        "where each run converged, to stay at the target or below.",
    )
    return figure
