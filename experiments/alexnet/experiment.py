"""python -m experiments.alexnet [--dataset=cifar10 --train_examples=N] [--activation=SPEC] ...

AlexNet layer by layer: the shape of what each layer gives, its parameters and its multiply-adds, of
the whole network (227x227 pixels, 1000 classes) and of its half for 32x32 pixels, read off traces
of the models. Then the half is trained briefly: 50 s on the embedded digits, 2 cores.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.alexnet.costs import CONVOLUTIONS, DENSE_LAYERS, TRAINED, neurons, share
from experiments.common import outcomes, training_options
from jaxact import data, models
from jaxact.command import Option, Options
from jaxact.config import Config
from jaxact.runs import fit
from jaxact.runs.records import record_files

# Model to images and classes: the original's, and CIFAR-10's.
VARIANTS = {"alexnet": ((227, 227, 3), 1000), "alexnet32": ((32, 32, 3), 10)}

COMMAND = outcomes.command(
    "alexnet",
    "AlexNet layer by layer, and its half for 32x32 pixels trained briefly.",
    training_options.shared(
        train_examples=None, test_examples=None, epochs=4, batch_size=64, learning_rate=5e-4
    )
    | {"activation": Option("relu", "spec"), "seed": Option(0, "of the run")},
    "--dataset=cifar10 --train_examples=5000 --epochs=5",
    "--activation=tanh",
)


def perform(options: Options) -> outcomes.Outcome:
    """Traces both models and trains the small one.

    Raises:
      ConfigError, DataError: an option is wrong, or the data cannot be had.
    """
    config = config_of(options)
    costs = {
        name: models.layer_costs(
            models.create_model(name, config.activation, num_classes=classes), shape
        )
        for name, (shape, classes) in VARIANTS.items()
    }
    epochs = train(config)
    return outcomes.Outcome(
        title="AlexNet layer by layer: 227 pixels and 1000 classes, 32 pixels and 10 classes",
        claim="60 million parameters and 650,000 neurons",
        source="Krizhevsky et al. 2012, abstract",
        answer=answer(costs, config, epochs),
        settings=training_options.settings(options),
        rows=rows_of(costs),
        details={
            "layers": {name: [layer._asdict() for layer in of] for name, of in costs.items()},
            "neurons": {name: neurons(of) for name, of in costs.items()},
            "epochs": epochs,
        },
    )


def config_of(options: Options) -> Config:
    """The configuration of the run.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    last = max(options.epochs, 1)
    return training_options.config_of(options, model=TRAINED, checkpoint_every_epochs=last)


def train(config: Config) -> list[dict[str, Any]]:
    """Trains as `jaxact.main` does, and gives the rows of `metrics.jsonl`."""
    with tempfile.TemporaryDirectory() as folder:
        workdir = Path(folder) / "run"
        fit.fit(config, workdir)
        return record_files.read_rows(workdir / record_files.METRICS)


def rows_of(costs: Mapping[str, Sequence[models.LayerCost]]) -> list[dict[str, Any]]:
    """A row a layer, the variants side by side, and a row of their sums."""
    names = [layer.name for layer in next(iter(costs.values()))]
    rows: list[dict[str, Any]] = [{"layer": name} for name in names]
    total: dict[str, Any] = {"layer": "sum"}
    for name, layers in costs.items():
        for row, layer in zip(rows, layers, strict=True):
            row[f"{name}: output"] = "x".join(map(str, layer.output_shape))
            row[f"{name}: parameters"] = layer.parameters or None
            row[f"{name}: multiply-adds"] = layer.multiply_adds or None
        total[f"{name}: parameters"] = sum(layer.parameters for layer in layers)
        total[f"{name}: multiply-adds"] = sum(layer.multiply_adds for layer in layers)
    return [*rows, total]


def answer(
    costs: Mapping[str, Sequence[models.LayerCost]],
    config: Config,
    epochs: Sequence[Mapping[str, Any]],
) -> str:
    parts = []
    for name, layers in costs.items():
        parameters = sum(layer.parameters for layer in layers)
        products = sum(layer.multiply_adds for layer in layers) / 1e6
        parts.append(
            f"{name} has {parameters:,} parameters, {neurons(layers):,} neurons and {products:,.0f}"
            " million multiply-adds an image; dense layers hold "
            f"{share(layers, DENSE_LAYERS, 'parameters'):.0f} % of the parameters, convolutions do "
            f"{share(layers, CONVOLUTIONS, 'multiply_adds'):.0f} % of the multiply-adds"
        )
    last = epochs[-1]
    parts.append(
        f"{TRAINED} with {config.activation} on {data.title(config.dataset)}: "
        f"{100 * last['test_accuracy']:.1f} % test accuracy after {last['epoch']} epochs (one seed)"
    )
    return ". ".join(parts) + "."
