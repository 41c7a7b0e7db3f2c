"""python -m benchmarks.train_step [--model=vgg11] [--peer=torch] [--precision=tf32] ...

The time of a training step as `jaxact.main` trains: images on the device as uint8, a batch drawn by
index, normalised, one step of Adam. `--peer=jax.nn` measures the same network with jax.nn's version
of the activation, `--peer=torch` the same network in PyTorch, eager and compiled, `--peer=checkout
--peer_checkout=FOLDER` another commit of jaxact, or the same under another JAX (`--peer_python`).
"""

import sys
from typing import Any

from benchmarks import shared
from benchmarks.timing import alternation
from benchmarks.timing.alternation import Alternation
from jaxact.command import Options


def rows(measured: Alternation) -> list[dict[str, Any]]:
    """A row a contender."""
    batch_size = measured.job.batch_size
    # A multiplication and an addition for each product, forward and twice that backward.
    products = sum(layer.multiply_adds for layer in shared.layer_costs(measured.job.model))
    flop = 6 * products * batch_size
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


COMMAND = shared.command("train_step", __doc__)

if __name__ == "__main__":
    sys.exit(COMMAND.run(train_step))
