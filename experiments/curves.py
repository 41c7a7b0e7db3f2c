"""Networks trained in memory and tested after every epoch, seed by seed; nothing is written.

Steps, data and draws are those of `python -m jaxact.main` with the same configuration. Runs that
are to be resumed are `jaxact.training.loop`'s.
"""

import argparse
import dataclasses
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.side_by_side import side_by_side
from jaxact import data, row_tables
from jaxact.config import Config, field_error
from jaxact.errors import ConfigError
from jaxact.training.clock import Clock
from jaxact.training.setup import Setup, initial_state
from jaxact.training.state import Totals, TrainState
from jaxact.training.steps import Keys


class Curve(NamedTuple):
    """One network, trained.

    Attributes:
      state: after the last step.
      errors: share of the test images classified wrongly, after each epoch.
      losses: mean training loss of each epoch.
      seconds: of training, cumulative, at the end of each epoch.
      is_finite: whether losses and parameters stayed so.
    """

    state: TrainState
    errors: list[float]
    losses: list[float]
    seconds: list[float]
    is_finite: bool

    def epochs_to(self, accuracy: float) -> float:
        """The first epoch, from 1, with at least that test accuracy; infinite if there is none."""
        return first(accuracy, self.errors, range(1, len(self.errors) + 1))

    def seconds_to(self, accuracy: float) -> float:
        """Training seconds at the end of that epoch."""
        return first(accuracy, self.errors, self.seconds)


def first(accuracy: float, errors: Sequence[float], values: Sequence[float]) -> float:
    """The value of the first epoch whose error is low enough; infinite if none is."""
    pairs = zip(errors, values, strict=True)
    return next((float(value) for error, value in pairs if 1 - error >= accuracy), math.inf)


def train(setup: Setup, seed: int) -> Curve:
    """Trains for all epochs of the setup's configuration, with the draws of a seed."""
    clock, keys, program = Clock(), Keys.from_seed(seed), setup.program
    state = initial_state(dataclasses.replace(setup, keys=keys), clock)
    count = jnp.int32(setup.steps_per_epoch)
    test = setup.evaluations["test"]
    errors, losses, seconds, is_finite = [], [], [], True
    for epoch in range(setup.config.epochs):
        order_arguments = (keys.order, jnp.int32(epoch), setup.train.labels)
        draw_order = program.order.prepare(clock, *order_arguments)
        with clock.timing("train_seconds"):
            order = draw_order(*order_arguments).block_until_ready()
        arguments = (count, state, Totals.zero(), order, setup.train, keys)
        dispatch = program.train.prepare(clock, *arguments)
        with clock.timing("train_seconds"):
            state, totals = jax.block_until_ready(dispatch(*arguments))
        is_finite = is_finite and int(totals.nonfinite_step) < 0
        _, accuracy = program.evaluate.prepare(clock, state, test)(state, test).means()
        errors.append(1 - accuracy)
        losses.append(totals.means()[0])
        seconds.append(clock.train_seconds)
    return Curve(state, errors, losses, seconds, is_finite)


def compile_side_by_side(setups: Sequence[Setup]) -> None:
    """Compiles what `train` runs for each of them."""

    def one_epoch(setup: Setup) -> None:
        train(dataclasses.replace(setup, config=dataclasses.replace(setup.config, epochs=1)), 0)

    side_by_side(one_epoch, setups)


def add_options(parser: argparse.ArgumentParser, **defaults: Any) -> None:
    """The options that experiments with curves share; `defaults` are those of epochs and so on."""
    parser.add_argument("--dataset", default="digits", help="(default: %(default)s)")
    parser.add_argument("--data_dir", default=str(data.default_data_dir()), help="of real data")
    for name, text in (
        ("train_examples", "images to train on; all, if not given"),
        ("test_examples", "images to test on; all, if not given"),
        ("epochs", "of each run"),
        ("batch_size", "images a step"),
        ("seeds", "runs of each"),
    ):
        help_text = f"{text} (default: %(default)s)"
        parser.add_argument(f"--{name}", type=int, default=defaults.get(name), help=help_text)


FIELDS = ("dataset", "data_dir", "train_examples", "test_examples", "epochs", "batch_size")


def config_of(options: argparse.Namespace, **others: Any) -> Config:
    """The configuration that those options describe.

    Args:
      **others: further fields, and options of the same names.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    if not 1 <= options.seeds <= 1000:
        raise ConfigError(f"--seeds={options.seeds} must be a whole number from 1 to 1000")
    fields = {name: getattr(options, name) for name in FIELDS} | others
    for name, value in fields.items():
        if error := field_error(name, value):
            raise ConfigError(str(error).replace("config.", "--", 1))
    return Config(**fields, latency_samples=0, health_examples=0)


def spread(values: Sequence[float], unit: float = 1.0) -> list[float] | str | None:
    """A cell with the median and quartiles, in units of 1 / unit; infinite values are misses.

    None where the median is a miss; a text where a quartile is.
    """
    # A quantile is a value that is there: between a number and infinity there is none.
    quartiles = np.percentile(values, [50, 25, 75], method="nearest") * unit
    middle, low, high = map(float, quartiles)
    if not math.isfinite(middle):
        return None
    if not math.isfinite(high):
        return f"{row_tables.number(middle)} ({row_tables.number(low)}-never)"
    return [middle, low, high]


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """What an outcome records of the options."""
    return {name: value for name, value in vars(options).items() if name != "workdir"}
