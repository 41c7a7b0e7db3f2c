"""Networks trained at a learning rate and a start of the biases, and the units that died of it."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.common import trials
from jaxact import statistics
from jaxact.errors import ConfigError
from jaxact.models.inspection.observation import observe

MOST_DEAD = 0.5  # of the units: from this share on, a rate is said to kill


class Cell(NamedTuple):
    """The trials of one activation, start of the biases and learning rate, by seed.

    Attributes:
      dead: share of dead units in the network after training; nan where training diverged.
      dead_by_layer: of each layer, `[seeds][layers]`.
      test_accuracy: from 0 to 1.
      diverged: how many seeds ended in numbers that are not finite.
    """

    activation: str
    bias: float
    learning_rate: float
    dead: list[float]
    dead_by_layer: list[list[float]]
    test_accuracy: list[float]
    diverged: int


def lines_of(cells: Sequence[Cell], spec: str) -> dict[float, list[Cell]]:
    """The cells of an activation by the start of its biases, in order."""
    lines: dict[float, list[Cell]] = {}
    for cell in cells:
        if cell.activation == spec:
            lines.setdefault(cell.bias, []).append(cell)
    return lines


def shares(line: Sequence[Cell]) -> np.ndarray:
    """Medians over seeds of the share of dead units, `[cells]`."""
    return np.array([statistics.median(cell.dead).value for cell in line])


def killing_rate(line: Sequence[Cell]) -> float:
    """The lowest learning rate at which MOST_DEAD of the units or more are dead; nan: at none."""
    rates = [
        cell.learning_rate
        for cell, share in zip(line, shares(line), strict=True)
        if share >= MOST_DEAD
    ]
    return min(rates, default=math.nan)


def changes(lines: Mapping[float, Sequence[Cell]]) -> dict[float, tuple[float, float]]:
    """The least and the greatest change of the share, in points, from the first start to others.

    Without starts of which nothing is known at any rate that the first has, too.
    """
    (_, first), *others = lines.items()
    gaps = {bias: 100 * (shares(line) - shares(first)) for bias, line in others}
    return {
        bias: (float(np.nanmin(gap)), float(np.nanmax(gap)))
        for bias, gap in gaps.items()
        if np.isfinite(gap).any()
    }


def units_of_layers(of: trials.Trials, trial: trials.Trial) -> np.ndarray:
    """Units of each activation layer, int `[layers]`."""
    images = np.zeros((1, *of.setup.train.images.shape[1:]), np.float32)
    _, layers = observe(of.setup.model, trial.initial.evaluated, images)  # pyright: ignore[reportArgumentType]
    return np.array([layer.outputs.shape[-1] for layer in layers])


def measure(of: trials.Trials, seeds: int, rate: float, bias: float) -> Cell:
    """Trains with every seed and counts what is dead.

    Raises:
      ConfigError: the activation's slopes cannot be told.
    """
    spec = of.setup.activation.spec
    dead, by_layer, accuracies, diverged = [], [], [], 0
    for seed in range(seeds):
        trial = of.run(seed, rate, bias)
        shares = [layer.dead for layer in of.health(trial.final)]
        if any(share is None for share in shares):
            raise ConfigError(
                f"--activations: {spec} is not elementwise and gives no derivative, so nobody can "
                "tell which of its units are dead; leave it out"
            )
        if trial.is_finite:
            of_layers = np.array([float(share) for share in shares])  # pyright: ignore[reportArgumentType]
            dead.append(float(np.average(of_layers, weights=units_of_layers(of, trial))))
            by_layer.append(of_layers.tolist())
            accuracies.append(trial.test_accuracy)
        else:
            diverged += 1
            dead.append(math.nan)
            by_layer.append([math.nan] * len(shares))
            accuracies.append(math.nan)
    return Cell(spec, bias, rate, dead, by_layer, accuracies, diverged)
