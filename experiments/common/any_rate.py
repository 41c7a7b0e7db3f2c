"""One compilation for all learning rates: the rate is in the optimizer's state."""

import dataclasses
import functools
from collections.abc import Callable

import jax.numpy as jnp
import optax

from jaxact.compilation.clock import Clock
from jaxact.runs.setup import Setup, initial_state
from jaxact.training import program
from jaxact.training.program import Program, Recipe
from jaxact.training.state import TrainState

# A learning rate to an optimizer.
MakeOptimizer = Callable[..., optax.GradientTransformation]


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
