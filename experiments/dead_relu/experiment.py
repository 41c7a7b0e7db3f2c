"""python -m experiments.dead_relu [--activations=relu,leaky_relu] [--learning_rates=RATE,...]

Kills ReLUs: the small CNN is trained at rising learning rates, with biases that start at 0 or at
0.01, and the units that pass no gradient for any image of a probe are counted. A small positive
bias is the lecture's remedy; here it is put to the test, and by `--activations` functions without a
flat side beside it. About 40 s on 2 cores.
"""

import math
from collections.abc import Sequence
from typing import Any

from experiments.common import outcomes, training_options, trials
from experiments.dead_relu.cells import Cell, changes, killing_rate, lines_of, measure, shares
from jaxact import data
from jaxact.command import Option, Options
from jaxact.comparison.options import split_specs, split_values

RATES = "0.001,0.003,0.01,0.03,0.1,0.3"
PROBE = 256  # training images at most: a unit is dead if it passes no gradient for any of them

COMMAND = outcomes.command(
    "dead_relu",
    "Shows how high learning rates kill ReLUs, and what a small positive bias does about it.",
    training_options.shared(train_examples=None, model="small_cnn", epochs=5, seeds=3)
    | {
        "activations": Option("relu", "specs"),
        "learning_rates": Option(RATES, "of Adam"),
        "biases": Option("0,0.01", "where they start"),
    },
    "--activations=relu,leaky_relu,elu",
    "--dataset=mnist --epochs=1 --seeds=5",
)


def row(cell: Cell) -> dict[str, Any]:
    made: dict[str, Any] = {
        "activation": cell.activation,
        "bias": f"{cell.bias:g}",
        "learning rate": f"{cell.learning_rate:g}",
        "dead (%)": outcomes.spread(cell.dead, 100),
    }
    for k, of_layer in enumerate(zip(*cell.dead_by_layer, strict=True)):
        made[f"layer {k + 1} (%)"] = outcomes.spread(of_layer, 100)
    made["test accuracy (%)"] = outcomes.spread(cell.test_accuracy, 100)
    made["diverged"] = cell.diverged
    return made


def answer(cells: Sequence[Cell]) -> str:
    """From which rate on the units die, and what the bias changes, as measured."""
    sentences = []
    for spec in dict.fromkeys(cell.activation for cell in cells):
        lines = lines_of(cells, spec)
        parts = []
        for bias, line in lines.items():
            said = ", ".join(
                f"{100 * share:.0f} % dead at {cell.learning_rate:g}"
                for cell, share in zip(line, shares(line), strict=True)
                if math.isfinite(share) and cell in (line[0], line[-1])
            )
            if math.isfinite(rate := killing_rate(line)):
                said += f", half or more from {rate:g} on"
            parts.append(f"bias {bias:g}: {said or 'diverged at either end'}")
        sentences.append(f"{spec}, {'; '.join(parts)}")
        first = next(iter(lines))
        sentences += [
            f"biases of {bias:g} instead of {first:g} change the share by {least:+.0f} to "
            f"{most:+.0f} points"
            for bias, (least, most) in changes(lines).items()
        ]
    return ". ".join(sentences) + "."


def perform(options: Options) -> outcomes.Outcome:
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
        details={"cells": [cell._asdict() for cell in cells]},
    )
