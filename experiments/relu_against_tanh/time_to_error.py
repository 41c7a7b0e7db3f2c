"""Epochs that a network takes to a training error, at a learning rate and a seed.

The error is measured many times an epoch, on a sample of the training images that is the same
throughout, evaluated as a test set is: the running error of an epoch's batches would lag behind by
half an epoch.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import optax

from experiments.common import any_rate
from jaxact import data
from jaxact.compilation.clock import Clock
from jaxact.config import Config
from jaxact.runs import setup as setups
from jaxact.runs.dispatch import DispatchLength
from jaxact.runs.loading import run_data
from jaxact.runs.setup import Setup
from jaxact.runs.stages import stages
from jaxact.training import steps
from jaxact.training.state import TrainState

SAMPLE = 1000  # training images at most on which the error is measured
MOMENTUM = 0.9  # Krizhevsky et al. 2012, section 5

# The optimizers by name, as functions of the learning rate.
OPTIMIZERS: dict[str, Callable[..., optax.GradientTransformationExtraArgs]] = {
    "sgd": functools.partial(optax.sgd, momentum=MOMENTUM),
    "adam": optax.adam,
}


class Trace(NamedTuple):
    """Training errors, from before the first step on.

    Attributes:
      epochs: when each was measured; fractions of an epoch count.
      errors: from 0 to 1, of the sample.
      diverged: whether training ended in a loss that was not finite.
    """

    epochs: Sequence[float]
    errors: Sequence[float]
    diverged: bool = False


class Course(NamedTuple):
    """A network and its data, ready to be trained at any learning rate and seed.

    Attributes:
      setup: its configuration's learning rate and seed do not count.
      sample: the training images on which the error is measured, in batches.
      interval: steps from one measurement to the next.
    """

    setup: Setup
    sample: steps.Examples
    interval: int


def prepare(config: Config, optimizer: str, measurements_per_epoch: int) -> Course:
    """Gets the data and the model.

    Args:
      config: its learning rate and seed do not count.
      optimizer: a name of `OPTIMIZERS`.
      measurements_per_epoch: as near to it as whole steps allow.

    Raises:
      ConfigError: the data are too few for the configuration.
      DataError: the data cannot be had.
    """
    setup = any_rate.at_any_rate(setups.prepare(config), OPTIMIZERS[optimizer])
    examples = setup.train
    split = data.Split(np.asarray(examples.images), np.asarray(examples.labels))
    sample = data.subset(split, min(len(split), SAMPLE), run_data.SPLIT_SEED)
    return Course(
        setup=setup,
        sample=run_data.in_batches(sample, *examples.preprocessing),
        interval=max(round(setup.steps_per_epoch / measurements_per_epoch), 1),
    )


def train(
    course: Course, learning_rate: float, seed: int, goes_on: Callable[[Trace], bool]
) -> Trace:
    """Trains for the configuration's epochs, or until `goes_on`, asked after each error, says no.

    Runs of one seed share initial weights and order of images, whatever activation and rate.
    """
    setup = course.setup.with_seed(seed)
    state = any_rate.start(setup, learning_rate)
    evaluate = setup.program.evaluate.prepare(Clock(), state, course.sample)

    def error(state: TrainState) -> float:
        return 1 - evaluate(state, course.sample).means()[1]

    trace = Trace([0.0], [error(state)])
    length = DispatchLength(course.interval, course.interval)
    training = stages(setup, state, Clock(), length)
    while goes_on(trace) and (stage := next(training, None)):
        if not stage.is_finite:
            return trace._replace(diverged=True)
        epochs = stage.step / setup.steps_per_epoch
        trace = Trace([*trace.epochs, epochs], [*trace.errors, error(stage.state)])
    return trace


def epochs_to(trace: Trace, target: float) -> float:
    """Epochs until the error is first at most `target`, between measurements by a straight line.

    `inf` where it never was.
    """
    for k, error in enumerate(trace.errors):
        if error <= target:
            if k == 0:
                return trace.epochs[0]
            share = (trace.errors[k - 1] - target) / (trace.errors[k - 1] - error)
            return trace.epochs[k - 1] + share * (trace.epochs[k] - trace.epochs[k - 1])
    return math.inf


def has_reached(trace: Trace, target: float) -> bool:
    """Whether the last error, or one before, is at most `target`."""
    return min(trace.errors) <= target


class Choice(NamedTuple):
    """A learning rate, and what it was chosen from.

    Attributes:
      learning_rate: the one that reaches the target first; if none does, that of the lowest error.
      epochs: rate to epochs to the target; None where it was not reached in time, or where another
        rate had reached it sooner.
      is_at_the_edge: whether a rate beyond those tried may be better still.
    """

    learning_rate: float
    epochs: dict[float, float | None]
    is_at_the_edge: bool


class Measured(NamedTuple):
    """An activation at its best learning rate.

    Attributes:
      choice: how the rate was chosen.
      traces: one a seed.
      epochs: to the target, one a seed; inf where it was not reached.
    """

    choice: Choice
    traces: Sequence[Trace]
    epochs: Sequence[float]


def choose_rate(
    course: Course, rates: Sequence[float], seed: int, target: float, most_epochs: float
) -> Choice:
    """The learning rate that takes the fewest epochs to the target.

    A rate is given up once it has taken as long as the best so far.

    Args:
      seed: of these runs.
      target: training error, from 0 to 1.
      most_epochs: after which a run has failed.
    """
    ordered = sorted(rates)
    middle = (len(ordered) - 1) / 2
    epochs: dict[float, float] = {}
    errors: dict[float, float] = {}
    # From the middle of the grid outwards: a good one soon, which the others need not outlast.
    for rate in sorted(ordered, key=lambda rate: abs(ordered.index(rate) - middle)):
        limit = min(most_epochs, *epochs.values()) if epochs else most_epochs
        trace = train(course, rate, seed, unless_reached(target, limit))
        epochs[rate] = epochs_to(trace, target)
        errors[rate] = math.inf if trace.diverged else min(trace.errors)
    chosen = min(ordered, key=lambda rate: (epochs[rate], errors[rate]))
    return Choice(
        learning_rate=chosen,
        epochs={rate: epochs[rate] if math.isfinite(epochs[rate]) else None for rate in ordered},
        is_at_the_edge=len(ordered) > 1 and chosen in (ordered[0], ordered[-1]),
    )


def unless_reached(target: float, most_epochs: float) -> Callable[[Trace], bool]:
    """Goes on until the error is at most `target`, or so many epochs are over."""
    return lambda trace: not has_reached(trace, target) and trace.epochs[-1] < most_epochs
