"""Options that the benchmarks share, and how a benchmark is run from the command line."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from absl import app, flags

from benchmarks.contenders.workers import PEERS, Contender, contenders
from benchmarks.timing import synthetic
from benchmarks.timing.protocol import Job
from jaxact import activations, command_line, models
from jaxact.activations import Activation
from jaxact.errors import ConfigError

MODEL = flags.DEFINE_enum("model", "small_cnn", models.names(), "The network.")
ACTIVATION = flags.DEFINE_string("activation", "relu", "Spec of the activation function.")
BATCH_SIZE = flags.DEFINE_integer("batch_size", 128, "Images a step.", lower_bound=1)
PRECISION = flags.DEFINE_enum(
    "precision", "float32", tuple(models.PRECISIONS), "Of matrix products and convolutions."
)
PEER = flags.DEFINE_enum("peer", "none", PEERS, "Whom to measure beside jaxact.")
PEER_PYTHON = flags.DEFINE_string(
    "peer_python", sys.executable, "The peer's interpreter, with PyTorch (default: this one)."
)
PEER_CHECKOUT = flags.DEFINE_string(
    "peer_checkout", "", "Folder of another version of jaxact, for --peer=checkout."
)
PAIRS = flags.DEFINE_integer("pairs", 7, "Measurements of each, in turn.", lower_bound=5)
PROCESSES = flags.DEFINE_integer(
    "processes",
    3,
    "Processes of each contender, one after the other: the pairs are shared out among them.",
    lower_bound=1,
)
SECONDS = flags.DEFINE_float(
    "seconds", 0.5, "What one measurement lasts at least.", lower_bound=1e-3
)
EXAMPLES = flags.DEFINE_integer(
    "examples", None, "Synthetic training images (default: as MNIST or CIFAR-10).", lower_bound=1
)
OUT = flags.DEFINE_string("out", None, "JSON file (default: one in benchmarks/results).")


def job(task: str) -> Job:
    """The job that the options describe.

    Raises:
      ConfigError: an option is wrong.
    """
    try:
        activation = activations.get(ACTIVATION.value)
    except ValueError as error:
        raise ConfigError(f"--activation={ACTIVATION.value}: {error}") from error
    examples = EXAMPLES.value or synthetic.EXAMPLES[MODEL.value]
    if BATCH_SIZE.value > examples:
        raise ConfigError(
            f"--batch_size={BATCH_SIZE.value} must be at most the number of images, {examples}"
        )
    return Job(
        task=task,
        model=MODEL.value,
        **activation_fields(activation),
        batch_size=BATCH_SIZE.value,
        precision=PRECISION.value,
        examples=examples,
        seconds=SECONDS.value,
    )


def activation_fields(activation: Activation) -> dict[str, Any]:
    """The fields of a job that say which activation it is."""
    parameters = {**dict(activation.constants), **activation.params}
    return {"activation": activation.spec, "function": activation.name, "parameters": parameters}


def takes_part() -> list[Contender]:
    """jaxact and the peers that the options name; raises ConfigError if one cannot."""
    return contenders(PEER.value, ACTIVATION.value, PEER_PYTHON.value, PEER_CHECKOUT.value)


def parse(argv: Sequence[str]) -> list[str]:
    """The `flags_parser` of `absl.app.run`: what is wrong ends in one line and exit code 2."""
    try:
        rest = flags.FLAGS(argv)
    except flags.Error as error:
        reason = command_line.explain(argv, error)
    else:
        if not rest[1:]:
            return rest
        reason = ConfigError(f"{rest[1]!r} is no option (--help lists the options)")
    print(f"jaxact: {reason}", file=sys.stderr)
    sys.exit(reason.exit_code)


def run(benchmark: Callable[[], None]) -> None:
    """The main function of a benchmark."""
    app.run(lambda argv: command_line.exit_code(benchmark), flags_parser=parse)
