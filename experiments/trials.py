"""Networks trained in memory: one compilation for every seed, learning rate and start.

For experiments that look into trained networks. Nothing is written; runs that are to be resumed, or
timed, are `jaxact.training.loop`'s. What is drawn is the same as there: a trial with the
configuration's learning rate ends in the parameters that `python -m jaxact.main` ends in.
"""

import argparse
import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxact import data, models
from jaxact.config import Config, field_error
from jaxact.errors import ConfigError
from jaxact.training import health, setup as setups, steps
from jaxact.training.health import LayerHealth
from jaxact.training.optimizer import create_optimizer
from jaxact.training.program import RUNS_ONCE
from jaxact.training.setup import Setup
from jaxact.training.state import Totals, TrainState, create_state
from jaxact.training.steps import Keys


class Trial(NamedTuple):
    """One trained network.

    Attributes:
      initial, final: states before the first and after the last step.
      train_accuracy: of the last epoch, as trained; from 0 to 1.
      test_accuracy: after it.
      is_finite: whether losses and parameters stayed so.
    """

    initial: TrainState
    final: TrainState
    train_accuracy: float
    test_accuracy: float
    is_finite: bool


class Trials:
    """Trains networks that differ in seed, learning rate and start of the biases.

    Attributes:
      setup: data and model; of its configuration, seed, and if given, learning rate and
        `bias_init` are those of `run`.
    """

    def __init__(self, setup: Setup):
        self.setup = setup
        recipe = setup.recipe
        self._train, self._evaluate, self._health = _functions(
            setup.model, recipe.augmentation, recipe.batch_size, recipe.weight_decay
        )

    def run(
        self, seed: int, learning_rate: float | None = None, bias_init: float | None = None
    ) -> Trial:
        """Trains one network for the configuration's epochs, with a constant learning rate."""
        setup, keys = self.setup, Keys.from_seed(seed)
        rate = setup.config.learning_rate if learning_rate is None else learning_rate
        bias = setup.config.bias_init if bias_init is None else bias_init
        model = setup.model.clone(bias_init=bias)  # nothing but the start depends on it
        images = jnp.zeros((1, *setup.train.images.shape[1:]), jnp.float32)
        initial = _initial(model, setup.recipe.weight_decay)(keys.init, images)
        epochs = jnp.int32(setup.config.epochs)
        final, totals = self._train(jnp.float32(rate), epochs, initial, setup.train, keys)
        return Trial(
            initial=initial,
            final=final,
            train_accuracy=totals.means()[1],
            test_accuracy=self._evaluate(final, setup.evaluations["test"]).means()[1],
            is_finite=int(totals.nonfinite_step) < 0,
        )

    def health(self, state: TrainState) -> list[LayerHealth]:
        """That of a network's layers on the setup's probe."""
        return self._health(state, self.setup.probe)


def prepare(config: Config) -> Trials:
    """Gets the data and builds the model of a configuration.

    Raises:
      ConfigError, DataError: as `jaxact.training.setup.prepare`.
    """
    return Trials(setups.prepare(config))


def add_options(parser: argparse.ArgumentParser, *, epochs: int, seeds: int) -> None:
    """The options that experiments with trials share: data, epochs and seeds."""
    parser.add_argument("--dataset", default="digits", help="(default: %(default)s)")
    parser.add_argument("--data_dir", default=str(data.default_data_dir()), help="of real data")
    parser.add_argument("--train_examples", type=int, help="images to train on (default: all)")
    parser.add_argument("--epochs", type=int, default=epochs, help="(default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=seeds, help="(default: %(default)s)")


def config_of(options: argparse.Namespace, probe_images: int, **others: Any) -> Config:
    """The configuration that those options describe.

    Args:
      probe_images: training images on which trained networks are looked into; all, if fewer.
      **others: further fields, and options of the same names.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    if not 1 <= options.seeds <= 1000:
        raise ConfigError(f"--seeds={options.seeds} must be a whole number from 1 to 1000")
    names = ("dataset", "data_dir", "train_examples", "epochs")
    fields = {name: getattr(options, name) for name in names} | others
    for name, value in fields.items():
        if error := field_error(name, value):
            raise ConfigError(str(error).replace("config.", "--", 1))
    probe = min(probe_images, options.train_examples or probe_images)
    return Config(**fields, health_examples=probe, latency_samples=0)


def spread(values: Sequence[float] | np.ndarray, unit: float = 1.0) -> list[float] | None:
    """Median and quartiles of what is finite, in units of 1 / unit; None where nothing is."""
    finite = [unit * float(value) for value in values if math.isfinite(value)]
    return np.percentile(finite, [50, 25, 75]).tolist() if finite else None


@functools.cache
def _initial(model: models.ConvNet, weight_decay: float) -> Callable[..., TrainState]:
    # The optimizer's state does not depend on the rate.
    optimizer = create_optimizer(0.0, "constant", weight_decay, 0)
    create = functools.partial(create_state, model, optimizer)
    return jax.jit(create, compiler_options=RUNS_ONCE)


@functools.cache
def _functions(
    model: models.ConvNet, augmentation: str, batch_size: int, weight_decay: float
) -> tuple[Callable[..., tuple[TrainState, Totals]], Callable[..., Totals], Callable[..., list]]:
    """The compiled functions that trials of equal models share: train, evaluate, health."""
    augment = functools.partial(data.augment_examples, augmentation, model.num_classes)

    def train(
        rate: Array, epochs: Array, state: TrainState, examples: steps.Examples, keys: Keys
    ) -> tuple[TrainState, Totals]:
        # A traced number is a number to a constant schedule.
        optimizer = create_optimizer(rate, "constant", weight_decay, 0)  # pyright: ignore[reportArgumentType]
        count = examples.labels.shape[0]

        def epoch(number: Array, carry: tuple[TrainState, Totals]) -> tuple[TrainState, Totals]:
            state, before = carry
            order = steps.epoch_order(keys.order, number, count)
            # Sums are the epoch's own; the first step that was not finite is the trial's.
            totals = dataclasses.replace(Totals.zero(), nonfinite_step=before.nonfinite_step)
            return steps.train_many(
                model,
                optimizer,
                augment,
                data.normalize,
                batch_size,
                jnp.int32(count // batch_size),
                state,
                totals,
                order,
                examples,
                keys,
            )

        return lax.fori_loop(0, epochs, epoch, (state, Totals.zero()))

    return (
        jax.jit(train),
        jax.jit(functools.partial(steps.evaluate, model, data.normalize)),
        jax.jit(functools.partial(health.measure, model, data.normalize)),
    )
