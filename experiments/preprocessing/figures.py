"""Images before and after each preprocessing, and learning curves."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments.common.history import History
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, style_of

SHOWN = 6


def as_picture(values: np.ndarray) -> np.ndarray:
    """An image of any range as one of [0, 1], its 1st and 99th percentile as black and white."""
    low, high = np.percentile(values, [1, 99])
    scaled = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    return np.repeat(scaled, 3, axis=-1) if values.shape[-1] != 3 else scaled


def before_and_after(images: np.ndarray, preprocessed: Mapping[str, np.ndarray]) -> Figure:
    """A row the images, then a row a preprocessing.

    Args:
      images: uint8 `[images, height, width, channels]`.
      preprocessed: name to the same images, preprocessed.
    """
    rows = {"original": images / 255, **preprocessed}
    with drawing.house_style():
        figure = drawing.new_figure(1.0 * len(images) + 1.6, 0.98 * len(rows) + 0.4)
        grid = figure.subplots(len(rows), len(images), squeeze=False)
        for axes_row, (name, shown) in zip(grid, rows.items(), strict=True):
            for axes, image in zip(axes_row, shown, strict=True):
                axes.imshow(as_picture(image), interpolation="nearest")
                axes.set_xticks([])
                axes.set_yticks([])
                axes.grid(False)
                axes.spines[:].set_visible(False)
            axes_row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        drawing.add_caption(
            figure, "black and white: an image's 1st and 99th percentile; pca: components in order"
        )
    return figure


def learning(learned: Mapping[str, Sequence[History]], target: float) -> Figure:
    """Test error over epochs: the median of the seeds, and all of them as a band."""
    styles = style_of(learned)
    with drawing.house_style():
        figure, axes = drawing.new_axes("Test error after each preprocessing")
        handles = []
        for name, of_name in learned.items():
            errors = 100 * np.array([one.errors for one in of_name])
            epochs = np.arange(1, errors.shape[1] + 1)
            style = styles[name]
            handles += axes.plot(
                epochs,
                np.median(errors, 0),
                color=style.color,
                linestyle=style.line_style,
                marker=style.marker,
                markevery=max(len(epochs) // 8, 1),
            )
            axes.fill_between(
                epochs, errors.min(0), errors.max(0), color=style.color, alpha=0.10, linewidth=0
            )
        axes.axhline(100 * (1 - target), color=GREY, linewidth=0.9, linestyle="dashed")
        axes.annotate(
            "target",
            (1.0, 100 * (1 - target)),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=8,
            color=GREY,
        )
        drawing.count_epochs(axes, len(next(iter(learned.values()))[0].errors))
        axes.set_yscale("log")
        drawing.log_axis(axes, "y")
        axes.set_ylabel("test error (%)")
        drawing.add_legend(figure, handles, list(learned))
        runs = len(next(iter(learned.values())))
        drawing.add_caption(figure, f"line: median of {runs} seeds; band: all of them")
    return figure
