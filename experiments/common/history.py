"""Networks tested after every epoch, seed by seed."""

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

from experiments.common.side_by_side import side_by_side
from jaxact.compilation.clock import Clock
from jaxact.runs.setup import Setup, initial_state
from jaxact.runs.stages import stages
from jaxact.training.state import TrainState


class History(NamedTuple):
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


def train(setup: Setup, seed: int) -> History:
    """Trains for all epochs of the setup's configuration, with the draws of a seed."""
    clock, setup = Clock(), setup.with_seed(seed)
    test = setup.evaluations["test"]
    state = initial_state(setup, clock)
    evaluate = setup.program.evaluate.prepare(clock, state, test)
    errors, losses, seconds, is_finite = [], [], [], True
    for stage in stages(setup, state, clock):
        state = stage.state
        errors.append(1 - evaluate(state, test).means()[1])
        losses.append(stage.totals.means()[0])
        seconds.append(clock.train_seconds)
        is_finite = is_finite and stage.is_finite
    return History(state, errors, losses, seconds, is_finite)


def compile_side_by_side(setups: Sequence[Setup]) -> None:
    """Compiles what `train` runs for each of them."""

    def one_epoch(setup: Setup) -> None:
        train(dataclasses.replace(setup, config=dataclasses.replace(setup.config, epochs=1)), 0)

    side_by_side(one_epoch, setups)
