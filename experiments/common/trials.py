"""Networks looked into before and after: one compilation for any seed, learning rate and start.

A trial with the configuration's learning rate ends in the parameters that `python -m jaxact.main`
ends in.
"""

import dataclasses
import functools
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp

from experiments.common import any_rate, training_options
from jaxact.command import Options
from jaxact.compilation.clock import Clock
from jaxact.config import Config
from jaxact.models import ConvNet
from jaxact.runs import setup as setups
from jaxact.runs.setup import Setup
from jaxact.runs.stages import stages
from jaxact.training.health import LayerHealth
from jaxact.training.optimizer import create_optimizer
from jaxact.training.state import TrainState


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
        self.setup = any_rate.at_any_rate(setup, _adam(setup.recipe.weight_decay))

    def run(
        self, seed: int, learning_rate: float | None = None, bias_init: float | None = None
    ) -> Trial:
        """Trains one network for the configuration's epochs, with a constant learning rate."""
        config, clock = self.setup.config, Clock()
        rate = config.learning_rate if learning_rate is None else learning_rate
        bias = config.bias_init if bias_init is None else bias_init
        setup = self.setup.with_seed(seed)
        initial = any_rate.start(with_bias(setup, bias), rate)
        *before, last = stages(setup, jax.tree.map(jnp.copy, initial), clock)
        test = setup.evaluations["test"]
        evaluate = setup.program.evaluate.prepare(clock, last.state, test)
        return Trial(
            initial=initial,
            final=last.state,
            train_accuracy=last.totals.means()[1],
            test_accuracy=evaluate(last.state, test).means()[1],
            is_finite=all(stage.is_finite for stage in (*before, last)),
        )

    def health(self, state: TrainState) -> list[LayerHealth]:
        """The health of a network's layers on the setup's probe."""
        probe = self.setup.probe
        return self.setup.program.health.prepare(Clock(), state, probe)(state, probe)


def with_bias(setup: Setup, bias_init: float | None) -> Setup:
    """The setup with another start of the biases: nothing but the first state depends on it."""
    model = cast(ConvNet, setup.model).clone(bias_init=bias_init)
    setup = dataclasses.replace(setup, model=model, recipe=setup.recipe._replace(model=model))
    return any_rate.at_any_rate(setup, _adam(setup.recipe.weight_decay))


@functools.cache
def _adam(weight_decay: float) -> any_rate.MakeOptimizer:
    return lambda learning_rate: create_optimizer(learning_rate, "constant", weight_decay, 0)


def prepare(config: Config) -> Trials:
    """Gets the data and builds the model of a configuration.

    Raises:
      ConfigError, DataError: as `jaxact.runs.setup.prepare`.
    """
    return Trials(setups.prepare(config))


def config_of(options: Options, probe_images: int, **others: Any) -> Config:
    """The configuration of options, with a probe to look into networks on.

    Args:
      probe_images: training images on which trained networks are looked into; all, if fewer.
    """
    probe = min(probe_images, options.train_examples or probe_images)
    return training_options.config_of(options, health_examples=probe, **others)
