"""How many epochs a network takes to a training error, at a learning rate and a seed.

Training is that of `jaxact.training`, step for step, but for two things. The optimizer's learning
rate is part of its state, so that one compilation serves all of them. And the error is measured
many times an epoch, on a sample of the training images that is the same throughout, evaluated as a
test set is: the running error of an epoch's batches would lag behind by half an epoch.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from jaxact import data
from jaxact.config import Config
from jaxact.training import program, setup, steps
from jaxact.training.clock import Clock
from jaxact.training.state import Totals, TrainState, create_state

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


@dataclasses.dataclass(frozen=True)
class Course:
    """A network and its data, ready to be trained at any learning rate and seed.

    Attributes:
      prepared: data on the device and model.
      sample: the training images on which the error is measured, in batches.
      interval: steps from one measurement to the next.
      init: `(key, images, learning_rate) -> TrainState`.
      train: as in `program.Program`.
    """

    prepared: setup.Setup
    sample: steps.Examples
    interval: int
    init: program.AheadOfTime
    train: program.AheadOfTime


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
    prepared = setup.prepare(config)
    # A placeholder: `init` puts the learning rate of the run into the state.
    make = optax.inject_hyperparams(OPTIMIZERS[optimizer])(learning_rate=0.0)

    def init(key: Array, images: Array, learning_rate: Array) -> TrainState:
        state = create_state(prepared.recipe.model, make, key, images)
        rates = state.opt_state.hyperparams | {"learning_rate": learning_rate}
        return dataclasses.replace(state, opt_state=state.opt_state._replace(hyperparams=rates))

    model = prepared.recipe.model
    augment = functools.partial(
        data.augment_examples, prepared.recipe.augmentation, model.num_classes
    )
    train = functools.partial(
        steps.train_many, model, make, augment, data.normalize, config.batch_size
    )
    examples = prepared.train
    split = data.Split(np.asarray(examples.images), np.asarray(examples.labels))
    sample = data.subset(split, min(len(split), SAMPLE), setup.SPLIT_SEED)
    return Course(
        prepared=prepared,
        sample=setup.in_batches(sample, *examples.preprocessing),
        interval=max(round(prepared.steps_per_epoch / measurements_per_epoch), 1),
        init=program.AheadOfTime(init, options=program.RUNS_ONCE),
        train=program.AheadOfTime(train, donate=(1, 2)),
    )


def train(
    course: Course, learning_rate: float, seed: int, goes_on: Callable[[Trace], bool]
) -> Trace:
    """Trains from the start as long as `goes_on` says, asked after each measurement.

    Runs of one seed share initial weights and order of images, whatever activation and rate.
    """
    prepared, clock, keys = course.prepared, Clock(), steps.Keys.from_seed(seed)
    images = jnp.zeros((1, *prepared.train.images.shape[1:]), jnp.float32)
    begin = (keys.init, images, jnp.float32(learning_rate))
    state = course.init.prepare(clock, *begin)(*begin)
    evaluate = prepared.program.evaluate.prepare(clock, state, course.sample)

    def error() -> float:
        return 1 - evaluate(state, course.sample).means()[1]

    trace = Trace([0.0], [error()])
    step, per_epoch = 0, prepared.steps_per_epoch
    order: Any = None
    while goes_on(trace):
        epoch, done = divmod(step, per_epoch)
        if done == 0:
            drawing = (keys.order, jnp.int32(epoch), prepared.train.labels)
            order = prepared.program.order.prepare(clock, *drawing)(*drawing)
        count = min(course.interval, per_epoch - done)
        arguments = (jnp.int32(count), state, Totals.zero(), order, prepared.train, keys)
        state, totals = course.train.prepare(clock, *arguments)(*arguments)
        if int(totals.nonfinite_step) >= 0:
            return trace._replace(diverged=True)
        step += count
        trace = Trace([*trace.epochs, step / per_epoch], [*trace.errors, error()])
    jax.block_until_ready(state)
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
