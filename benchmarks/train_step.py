"""python -m benchmarks.train_step [--model=vgg11] [--peer=torch] [--precision=tf32] ...

The time of a training step as `jaxact.main` trains: images on the device as uint8, a batch drawn by
index, normalised, one step of Adam. `--peer=plain` measures the same network in stock Flax, trained
by a plain jitted step, a call each; there `--model` may be a module of your own, on both sides.
`--peer=jax.nn` measures the same network with jax.nn's version of the activation, `--peer=torch`
the same in PyTorch, eager and compiled, `--peer=checkout --peer_checkout=FOLDER` another commit of
jaxact, or the same under another JAX (`--peer_python`). `--profile` says instead where the time of
jaxact's step goes, by kind of layer, on a CPU.
"""

import sys
from typing import Any

from benchmarks import shared
from benchmarks.contenders import step_profile
from benchmarks.contenders.workers import PEERS, PLAIN
from benchmarks.timing import alternation
from benchmarks.timing.alternation import Alternation
from jaxact import models
from jaxact.command import Option, Options
from jaxact.errors import ConfigError
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


def profile(options: Options) -> None:
    if options.peer != "none":
        raise ConfigError(f"--profile is of jaxact alone: leave --peer={options.peer} out")
    measured = alternation.alternate("step_profile", options)
    names = [name for name in measured.figures["jaxact"] if name != "others_cpu"]
    parts = {name: measured.spread("jaxact", name, 1e3) for name in names}
    title = f"Where a training step of {measured.job.batch_size} images goes"
    alternation.publish("step_profile", title, options, measured, step_profile.rows(parts))


def train_step(options: Options) -> None:
    if options.profile:
        profile(options)
        return
    measured = alternation.alternate("train_step", options)
    title = f"Training step of {measured.job.batch_size} images"
    alternation.publish("train_step", title, options, measured, rows(measured))


COMMAND = shared.command(
    "train_step",
    __doc__,
    model=Option("small_cnn", f"the network: {', '.join(models.names())}, or {factories.OWN}"),
    peer=shared.SHARED["peer"]._replace(kind=(*PEERS, PLAIN)),
    profile=Option(False, "where the time of jaxact's step goes, instead"),
    image_shape=Option("32,32,3", "height, width and channels of the images of your own network"),
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(train_step))
