"""Networks trained in memory: nothing is written.

Steps, data and draws are those of `python -m jaxact.main` with the same configuration; runs that
are to be resumed are `jaxact.runs.loop`'s.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxact.compilation.clock import Clock
from jaxact.runs import pace
from jaxact.runs.setup import Setup, initial_state
from jaxact.training import program
from jaxact.training.program import Program, Recipe
from jaxact.training.state import Totals, TrainState
from jaxact.training.steps import Keys

# A learning rate to an optimizer.
MakeOptimizer = Callable[..., optax.GradientTransformation]


class Stage(NamedTuple):
    """Where training has paused.

    Attributes:
      step: optimizer steps done.
      state: after them. Training goes on in its memory: what is to outlive the pause is copied.
      totals: of the steps since the last pause.
    """

    step: int
    state: TrainState
    totals: Totals

    @property
    def is_finite(self) -> bool:
        """Whether losses and parameters stayed so since the last pause."""
        return int(self.totals.nonfinite_step) < 0


def with_seed(setup: Setup, seed: int) -> Setup:
    """The setup with the draws of another seed; the configuration keeps its own."""
    return dataclasses.replace(setup, keys=Keys.from_seed(seed))


def stages(
    setup: Setup, state: TrainState, clock: Clock | None = None, interval: int | None = None
) -> Iterator[Stage]:
    """Trains for the epochs of the setup's configuration, and pauses on the way.

    Args:
      state: before the first step; its memory is given up.
      clock: gets compilation and training seconds, as a run's does.
      interval: steps from one pause to the next; there is one at the end of each epoch, too.
        Default: at the end of each epoch alone.
    """
    clock = Clock() if clock is None else clock
    functions, keys, per_epoch = setup.program, setup.keys, setup.steps_per_epoch
    step = 0
    for epoch in range(setup.config.epochs):
        drawing = (keys.order, jnp.int32(epoch), setup.train.labels)
        draw_order = functions.order.prepare(clock, *drawing)
        with clock.timing("train_seconds"):
            order = jax.block_until_ready(draw_order(*drawing))
        end = (epoch + 1) * per_epoch
        while step < end:
            count = min(interval or per_epoch, end - step)
            arguments = (pace.argument(count), state, Totals.zero(), order, setup.train, keys)
            train = functions.train.prepare(clock, *arguments)
            with clock.timing("train_seconds"):
                state, totals = jax.block_until_ready(train(*arguments))
            step += count
            yield Stage(step, state, totals)


def at_any_rate(setup: Setup, make_optimizer: MakeOptimizer) -> Setup:
    """The setup with a constant learning rate in the optimizer's state, not in the program.

    So one compilation serves all of them. `start` puts the rate there.
    """
    return dataclasses.replace(setup, program=_at_any_rate(setup.recipe, make_optimizer))


def start(setup: Setup, learning_rate: float) -> TrainState:
    """The state before the first step of a setup that takes any learning rate."""
    state = initial_state(setup, Clock())
    rates = state.opt_state.hyperparams | {"learning_rate": jnp.float32(learning_rate)}
    return dataclasses.replace(state, opt_state=state.opt_state._replace(hyperparams=rates))


@functools.cache
def _at_any_rate(recipe: Recipe, make_optimizer: MakeOptimizer) -> Program:
    # A placeholder: `start` puts the rate of the run into the state.
    optimizer = optax.inject_hyperparams(make_optimizer)(learning_rate=0.0)
    return program.assemble(recipe, optimizer)
