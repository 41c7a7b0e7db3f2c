"""Figures of `experiments.alexnet`: what each layer costs, and the small network's learning."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.alexnet.costs import CONVOLUTIONS, DENSE_LAYERS, TRAINED, share, with_kernel
from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from jaxact import data, models
from jaxact.presentation import drawing, numbers
from jaxact.presentation.style import BLUE, ORANGE

Costs = Mapping[str, Sequence[models.LayerCost]]


def draw(result: Result) -> dict[str, Figure]:
    """The figures of a result."""
    costs = {
        name: [models.LayerCost(**layer) for layer in layers]
        for name, layers in result["details"]["layers"].items()
    }
    epochs = result["details"]["epochs"]
    return {
        "layers": layers(costs, result["title"]),
        "learning": learning(epochs, result["settings"]),
    }


@drawing.house_style()
def layers(costs: Costs, setting: str) -> Figure:
    """Parameters and multiply-adds of every layer that has a kernel, variants side by side."""
    name, of_first = next(iter(costs.items()))
    figure = drawing.new_figure(9.6, 4.1)
    panels = figure.subplots(1, 2)
    for axes, field, title in (
        (panels[0], "parameters", "parameters"),
        (panels[1], "multiply_adds", "multiply-adds of an image"),
    ):
        _bars(axes, costs, field)
        axes.set_ylabel(f"{title} (millions)")
    panels[0].legend(loc="upper left")
    add_headline(
        figure,
        f"{name}'s dense layers hold {share(of_first, DENSE_LAYERS, 'parameters'):.0f} % of the "
        f"parameters, its convolutions do {share(of_first, CONVOLUTIONS, 'multiply_adds'):.0f} % "
        "of the multiply-adds",
        f"{setting}. Logarithmic axes.",
    )
    return figure


def _bars(axes: Axes, costs: Costs, field: str) -> None:
    looks: tuple[dict[str, Any], ...] = (
        {"color": BLUE},
        {"color": ORANGE, "hatch": "///", "edgecolor": "white"},
    )
    width = 0.8 / len(costs)
    labels: list[str] = []
    for index, (name, of_model) in enumerate(costs.items()):
        chosen = with_kernel(of_model)
        labels = [layer.name for layer in chosen]
        places = np.arange(len(chosen)) + (index - (len(costs) - 1) / 2) * width
        values = [getattr(layer, field) / 1e6 for layer in chosen]
        axes.bar(places, values, width, label=name, **looks[index])
    drawing.log_axis(axes, "y")
    axes.grid(visible=False, axis="x")
    axes.set_xticks(np.arange(len(labels)), labels, rotation=35, ha="right")


@drawing.house_style()
def learning(epochs: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> Figure:
    """Training and test accuracy over epochs."""
    figure = drawing.new_figure(5.6, 4.2)
    axes = figure.subplots()
    looks: dict[str, dict[str, Any]] = {
        "train": {"color": BLUE, "marker": "o", "linestyle": (0, (4, 1.5))},
        "test": {"color": ORANGE, "marker": "s"},
    }
    lines = [
        axes.plot(
            [row["epoch"] for row in epochs],
            [100 * row[f"{split}_accuracy"] for row in epochs],
            **look,
        )[0]
        for split, look in looks.items()
    ]
    drawing.count_epochs(axes, len(epochs))
    axes.set_ylabel("accuracy (%)")
    drawing.add_legend(figure, lines, ["training, with dropout", "test"])
    drawing.add_caption(figure, "Training: mean over the epoch's batches.")
    add_headline(
        figure,
        f"{TRAINED} reaches {100 * epochs[-1]['test_accuracy']:.1f} % test accuracy in "
        f"{numbers.count(len(epochs), 'epoch')}",
        f"{data.title(settings['dataset'])}, {settings['activation']}, one seed; Adam at "
        f"{settings['learning_rate']:g}, batches of {settings['batch_size']}.",
    )
    return figure
