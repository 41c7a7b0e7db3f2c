"""Options that the benchmarks share, and the job that they describe."""

import functools
import math
import re
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.contenders import plain_peer, synthetic
from benchmarks.contenders.protocol import Job
from benchmarks.contenders.workers import PEERS, PLAIN, Contender, contenders
from jaxact import activations, models
from jaxact.activations import Activation
from jaxact.command import Command, Option, Options
from jaxact.errors import ConfigError
from jaxact.models.convolution.rewriting import CONVOLUTION, equations
from jaxact.models.own import creation, factories

# Those that peers have, too.
PRECISIONS = tuple(name for name in models.PRECISIONS if name != "float64")
SHARED = {
    "model": Option("small_cnn", "the network", models.names()),
    "activation": Option("relu", "spec of the activation function"),
    "batch_size": Option(128, "images a step", least=1),
    "precision": Option("float32", "of matrix products and convolutions", PRECISIONS),
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
    shape = own_shape(options)
    if options.peer == PLAIN:
        plain_peer.factory_of(options.model)
        plain_peer.function_of(options.activation)
    examples = options.examples or synthetic.TRAINING_IMAGES.get(
        shape or models.MODELS[options.model].image_shape, synthetic.TRAINING_IMAGES_OF_OTHERS
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
        image_shape=shape,
    )


def own_shape(options: Options) -> synthetic.Shape | None:
    """The height, width and channels of the images of one's own network; None of jaxact's.

    Raises:
      ConfigError: there is no such network, or it has a peer that cannot run it.
    """
    if not models.is_own(options.model):
        models.create_model(options.model)  # refuses an unknown one
        return None
    if options.peer == "torch":
        raise ConfigError(
            f"--model={options.model} is no network of PyTorch's; measure it with --peer={PLAIN}"
        )
    factories.get(options.model)
    shape = re.fullmatch(r"([1-9]\d*),([1-9]\d*),([1-9]\d*)", options.image_shape)
    if shape is None:
        raise ConfigError(
            f"--image_shape={options.image_shape} must be height, width and channels, as in 32,32,3"
        )
    height, width, channels = map(int, shape.groups())
    return height, width, channels


def products(job: Job) -> int:
    """The multiply-adds of convolutions and dense layers for one image, forward."""
    if not models.is_own(job.model):
        return sum(layer.multiply_adds for layer in layer_costs(job.model))
    given = {"activation": jax.nn.relu, "num_classes": synthetic.CLASSES}
    module = creation.create(factories.get(job.model), **given)
    key, images = jax.random.key(0), jnp.zeros((1, *(job.image_shape or ())))
    run = functools.partial(module.run, is_training=False)
    program = jax.make_jaxpr(run)(jax.eval_shape(module.init, key, images), images, key)
    return sum(map(multiply_adds, equations(program)))


def multiply_adds(equation: Any) -> int:
    """The products of an operation of a traced program, if it is a convolution or a matrix's."""
    places = math.prod(equation.outvars[0].aval.shape)
    left, right = (place.aval.shape for place in (*equation.invars, *equation.invars)[:2])
    if equation.primitive.name == "dot_general":
        ((contracted, _), _) = equation.params["dimension_numbers"]
        return places * math.prod(left[axis] for axis in contracted)
    if equation.primitive.name == CONVOLUTION:
        features = equation.params["dimension_numbers"].rhs_spec[0]
        return places * math.prod(right) // right[features]
    return 0


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
