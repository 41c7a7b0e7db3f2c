"""Options that the benchmarks share, and the job that they describe."""

import sys
from pathlib import Path
from typing import Any

from benchmarks.contenders import synthetic
from benchmarks.contenders.protocol import Job
from benchmarks.contenders.workers import PEERS, Contender, contenders
from jaxact import activations, models
from jaxact.activations import Activation
from jaxact.command import Command, Option, Options
from jaxact.errors import ConfigError

SHARED = {
    "model": Option("small_cnn", "the network", models.names()),
    "activation": Option("relu", "spec of the activation function"),
    "batch_size": Option(128, "images a step", least=1),
    "precision": Option("float32", "of matrix products and convolutions", tuple(models.PRECISIONS)),
    "peer": Option("none", "whom to measure beside jaxact", PEERS),
    "peer_python": Option(sys.executable, "the peer's interpreter, with PyTorch", Path),
    "peer_checkout": Option("", "folder of another version of jaxact, for --peer=checkout", Path),
    "pairs": Option(7, "measurements of each, in turn", least=5),
    "processes": Option(
        3, "of each contender, one after the other: the pairs are shared out among them", least=1
    ),
    "seconds": Option(0.5, "what one measurement lasts at least", least=1e-3),
    "examples": Option(
        None, "synthetic training images; as MNIST or CIFAR-10, if not given", int, least=1
    ),
    "out": Option(None, "JSON file; one in benchmarks/results, if not given", Path),
}


def command(name: str, description: str | None, **own: Option) -> Command:
    """The command `python -m benchmarks.NAME`, with the shared options and its own."""
    return Command(f"python -m benchmarks.{name}", description or "", SHARED | own)


def job(task: str, options: Options) -> Job:
    """The job that the options describe.

    Raises:
      ConfigError: an option is wrong.
    """
    try:
        activation = activations.get(options.activation)
    except ValueError as error:
        raise ConfigError(f"--activation={options.activation}: {error}") from error
    examples = options.examples or synthetic.TRAINING_IMAGES.get(
        models.MODELS[options.model].image_shape, synthetic.TRAINING_IMAGES_OF_OTHERS
    )
    if options.batch_size > examples:
        raise ConfigError(
            f"--batch_size={options.batch_size} must be at most the number of images, {examples}"
        )
    return Job(
        task=task,
        model=options.model,
        **activation_fields(activation),
        batch_size=options.batch_size,
        precision=options.precision,
        examples=examples,
        seconds=options.seconds,
    )


def layer_costs(model: str) -> list[models.LayerCost]:
    """The layers of a network for one of the images for which it was published."""
    network = models.create_model(model, num_classes=synthetic.CLASSES)
    return models.layer_costs(network, network.image_shape)


def activation_fields(activation: Activation) -> dict[str, Any]:
    """The fields of a job that say which activation it is."""
    parameters = {**dict(activation.constants), **activation.params}
    return {"activation": activation.spec, "function": activation.name, "parameters": parameters}


def takes_part(options: Options) -> list[Contender]:
    """jaxact and the peers that the options name; raises ConfigError if one cannot."""
    return contenders(options.peer, options.activation, options.peer_python, options.peer_checkout)
