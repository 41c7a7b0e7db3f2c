"""Images before and after each preprocessing, and learning curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from experiments.common import history
from experiments.common.findings import capitalized, told_from
from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from experiments.preprocessing.experiment import chosen, setups_of
from jaxact import data, statistics
from jaxact.command import Options
from jaxact.presentation import drawing, numbers
from jaxact.presentation.style import GREY, style_of

SHOWN = 6  # images


def draw(result: Result) -> dict[str, Figure]:
    """The figures of a result.

    Raises:
      ConfigError, DataError: the images cannot be had.
    """
    settings = {"data_dir": str(data.default_data_dir()), **result["settings"]}
    setups = setups_of(Options(**settings), chosen(settings["preprocessings"]))
    images = jnp.asarray(next(iter(setups.values())).train.images[:SHOWN])
    shown = {
        name: np.asarray(data.normalize(images, *setup.train.preprocessing))
        for name, setup in setups.items()
    }
    return {
        "images": before_and_after(shown, result["title"]),
        "learning": learning(result["details"]["runs"], settings, result["title"]),
    }


def as_picture(values: np.ndarray, reach: float) -> np.ndarray:
    """Values from -reach to reach as a picture, `[height, width, 3]`: 0 is grey, reach is white."""
    scaled = np.clip(0.5 + values / (2 * max(reach, 1e-12)), 0, 1)
    return np.repeat(scaled, 3, axis=-1) if values.shape[-1] != 3 else scaled


@drawing.house_style()
def before_and_after(shown: Mapping[str, np.ndarray], setting: str) -> Figure:
    """A row a preprocessing, on a scale of its own about 0.

    Args:
      shown: name to the same images, preprocessed, `[images, height, width, channels]`.
    """
    count = len(next(iter(shown.values())))
    figure = drawing.new_figure(1.0 * count + 1.9, 0.98 * len(shown) + 0.7)
    grid = figure.subplots(len(shown), count, squeeze=False)
    for axes_row, (name, images) in zip(grid, shown.items(), strict=True):
        reach = float(np.percentile(np.abs(images), 99))
        for axes, image in zip(axes_row, images, strict=True):
            axes.imshow(as_picture(image, reach), interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.grid(False)
            axes.spines[:].set_visible(False)
        label = f"{name}\n-{numbers.number(reach)} to {numbers.number(reach)}"
        axes_row[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    add_headline(
        figure,
        "The same images after each preprocessing: grey is 0, black and white are the ends",
        f"{setting}. The end: the 99th percentile of a row's absolute values. Of pca: components "
        "in order, from the upper left.",
    )
    return figure


@drawing.house_style()
def learning(
    runs: Mapping[str, Sequence[Mapping[str, Any]]], settings: Mapping[str, Any], setting: str
) -> Figure:
    """Test error over epochs: the median of the seeds, and all of them as a band.

    Args:
      runs: by preprocessing and seed: "errors", one an epoch, from 0 to 1.
    """
    target, baseline = settings["target_accuracy"], settings["baseline"]
    styles, seeds = style_of(runs), len(next(iter(runs.values())))
    figure = drawing.new_figure(5.6, 4.4)
    axes = figure.subplots()
    handles, epochs_to = [], {}
    for name, of_name in runs.items():
        errors = 100 * np.array([run["errors"] for run in of_name], float)
        epochs = np.arange(1, errors.shape[1] + 1)
        epochs_to[name] = [history.first(target, run["errors"], epochs) for run in of_name]
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
        drawing.count_epochs(axes, len(epochs))
    percent = f"{100 * target:g} % test accuracy"
    handles.append(axes.axhline(100 * (1 - target), color=GREY, linewidth=0.9, linestyle="dashed"))
    axes.set_yscale("log")
    drawing.log_axis(axes, "y")
    axes.set_ylabel("test error (%)")
    drawing.add_legend(figure, handles, [*runs, f"target, {100 * (1 - target):.3g} %"])
    drawing.add_caption(
        figure, f"Line: median of {numbers.count(seeds, 'seed')}; band: all of them."
    )
    tests = {test.name: test for test in statistics.compare(epochs_to, baseline)}
    words = told_from(baseline, tests, "sooner", "later") if tests else "one alone"
    add_headline(figure, capitalized(f"to {percent}, {words}"), setting)
    return figure
