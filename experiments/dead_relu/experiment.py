"""python -m experiments.dead_relu [--activations=relu,leaky_relu] [--learning_rates=RATE,...]

Kills ReLUs: the small CNN is trained at rising learning rates, with biases that start at 0 or at
0.01, and the units that pass no gradient for any image of a probe are counted. A small positive
bias is the lecture's remedy; here it is put to the test, and by `--activations` functions without a
flat side beside it. About 40 s on 2 cores.
"""

if __name__ == "__main__":  # before the slow imports: it may start the process again
    from jaxact import packages
    from jaxact.runs.process import huge_pages

    huge_pages.restart()
    packages.exit_without("matplotlib")

import argparse
import math
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.common import outcomes, training_options, trials
from experiments.dead_relu import figures
from jaxact import data
from jaxact.comparison.options import split_specs, split_values
from jaxact.errors import ConfigError
from jaxact.models.inspection.observation import observe
from jaxact.presentation.tables import spread

RATES = "0.001,0.003,0.01,0.03,0.1,0.3"
PROBE = 256  # training images at most: a unit is dead if it passes no gradient for any of them
MOST_DEAD = 0.5  # of the units: from this share on, a rate is said to kill

PARSER = outcomes.parser(
    "dead_relu",
    "shows how high learning rates kill ReLUs, and what a small positive bias does about it",
    "--activations=relu,leaky_relu,elu",
    "--dataset=mnist --epochs=1 --seeds=5",
)
PARSER.add_argument("--activations", default="relu", help="specs (default: %(default)s)")
PARSER.add_argument("--learning_rates", default=RATES, help="of Adam (default: %(default)s)")
PARSER.add_argument("--biases", default="0,0.01", help="where they start (default: %(default)s)")
training_options.add(PARSER, train_examples=None, epochs=5, seeds=3)


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


def units_of_layers(of: trials.Trials, trial: trials.Trial) -> np.ndarray:
    """Units of each activation layer, int `[layers]`."""
    images = np.zeros((1, *of.setup.train.images.shape[1:]), np.float32)
    _, layers = observe(of.setup.model, trial.initial.variables, images)  # pyright: ignore[reportArgumentType]
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


def median(values: Sequence[float]) -> float:
    """Of what is not nan; nan where all is."""
    seen = [value for value in values if not math.isnan(value)]
    return float(np.median(seen)) if seen else math.nan


def row(cell: Cell) -> dict[str, Any]:
    made: dict[str, Any] = {
        "activation": cell.activation,
        "bias": f"{cell.bias:g}",
        "learning rate": f"{cell.learning_rate:g}",
        "dead (%)": spread(cell.dead, 100),
    }
    for k, of_layer in enumerate(zip(*cell.dead_by_layer, strict=True)):
        made[f"layer {k + 1} (%)"] = spread(of_layer, 100)
    made["test accuracy (%)"] = spread(cell.test_accuracy, 100)
    made["diverged"] = cell.diverged
    return made


def answer(cells: Sequence[Cell]) -> str:
    """From which rate on the units die, and what the bias changes, as measured."""
    sentences = []
    for spec in dict.fromkeys(cell.activation for cell in cells):
        of_spec = [cell for cell in cells if cell.activation == spec]
        medians = {}
        parts = []
        for bias in dict.fromkeys(cell.bias for cell in of_spec):
            line = [cell for cell in of_spec if cell.bias == bias]
            medians[bias] = np.array([median(cell.dead) for cell in line])
            said = ", ".join(
                f"{100 * share:.0f} % dead at {cell.learning_rate:g}"
                for cell, share in zip(line, medians[bias], strict=True)
                if math.isfinite(share) and cell in (line[0], line[-1])
            )
            killing = [
                cell.learning_rate
                for cell, share in zip(line, medians[bias], strict=True)
                if share >= MOST_DEAD
            ]
            if killing:
                said += f", half or more from {min(killing):g} on"
            parts.append(f"bias {bias:g}: {said or 'diverged at either end'}")
        sentences.append(f"{spec}, {'; '.join(parts)}")
        (first, without), *others = medians.items()
        for bias, shares in others:
            gaps = 100 * (shares - without)
            if np.isfinite(gaps).any():
                sentences.append(
                    f"biases of {bias:g} instead of {first:g} change the share by "
                    f"{np.nanmin(gaps):+.0f} to {np.nanmax(gaps):+.0f} points"
                )
    return ". ".join(sentences) + "."


def perform(options: argparse.Namespace) -> outcomes.Outcome:
    """Trains at every rate from every start.

    Raises:
      ConfigError, DataError: before anything is trained, but for an activation without slopes.
    """
    specs = split_specs(options.activations)
    rates = sorted(split_values("learning_rates", options.learning_rates, "learning_rate", float))
    biases = split_values("biases", options.biases, "bias_init", float)
    prepared = [trials.prepare(trials.config_of(options, PROBE, activation=spec)) for spec in specs]
    cells = [
        measure(of, options.seeds, rate, bias)
        for of in prepared
        for bias in biases
        for rate in rates
    ]
    where = f"{data.title(options.dataset)}, small_cnn, {options.epochs} epochs"
    return outcomes.Outcome(
        title=f"Dead units after training: {where}",
        claim="a high learning rate kills ReLUs for good; a small positive bias such as 0.01 is a "
        "remedy",
        source="lecture on training neural networks, part 1",
        answer=answer(cells),
        settings={
            "dataset": options.dataset,
            "train_examples": options.train_examples,
            "epochs": options.epochs,
            "activations": specs,
            "learning_rates": rates,
            "biases": list(biases),
            "seeds": options.seeds,
            "batch_size": prepared[0].setup.config.batch_size,
            "optimizer": "adam",
            "probe_images": int(prepared[0].setup.config.health_examples or 0),
            "dead": "f'(x) = 0 for every image and position of the probe",
        },
        rows=[row(cell) for cell in cells],
        figures={"dead_relu": figures.by_rate(cells, where)},
        details={"cells": [as_json(cell) for cell in cells]},
    )


def as_json(cell: Cell) -> dict[str, Any]:
    """A cell with null for nan."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(one) for one in value]
        return None if isinstance(value, float) and math.isnan(value) else value

    return {name: plain(value) for name, value in cell._asdict().items()}


if __name__ == "__main__":
    sys.exit(outcomes.run(PARSER, perform))
