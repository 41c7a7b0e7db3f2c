"""python -m benchmarks.train_step [--model=vgg11] [--peer=torch] [--precision=tf32] ...

The time of a training step as `jaxact.main` trains: images on the device as uint8, a batch drawn by
index, normalised, one step of Adam. `--peer=plain` measures the same network in stock Flax, trained
by a plain jitted step, a call each; there `--model` may be a module of your own, on both sides.
`--peer=jax.nn` measures the same network with jax.nn's version of the activation, `--peer=torch`
the same in PyTorch, eager and compiled, `--peer=checkout --peer_checkout=FOLDER` another commit of
jaxact, or the same under another JAX (`--peer_python`).
"""

import sys
from typing import Any

from benchmarks import shared
from benchmarks.contenders.workers import PEERS, PLAIN
from benchmarks.timing import alternation
from benchmarks.timing.alternation import Alternation
from jaxact import models
from jaxact.command import Option, Options
from jaxact.models.own import factories


def rows(measured: Alternation) -> list[dict[str, Any]]:
    """A row a contender."""
    batch_size = measured.job.batch_size
    # A multiplication and an addition for each product, forward and twice that backward.
    flop = 6 * shared.products(measured.job) * batch_size
    table = []
    for name, details in measured.details.items():
        milliseconds = measured.spread(name, "seconds", 1e3)
        table.append(
            {
                "train step": name,
                "ms a step": milliseconds,
                "images/s": 1e3 * batch_size / milliseconds.value,
                "GFLOP/s": flop / milliseconds.value / 1e6,
                "jaxact / it": measured.ratio(name, "seconds"),
                "variant": alternation.variant(details),
            }
        )
    return table


def train_step(options: Options) -> None:
    measured = alternation.alternate("train_step", options)
    title = f"Training step of {measured.job.batch_size} images"
    alternation.publish("train_step", title, options, measured, rows(measured))


COMMAND = shared.command(
    "train_step",
    __doc__,
    model=Option("small_cnn", f"the network: {', '.join(models.names())}, or {factories.OWN}"),
    peer=shared.SHARED["peer"]._replace(kind=(*PEERS, PLAIN)),
    image_shape=Option("32,32,3", "height, width and channels of the images of your own network"),
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(train_step))
