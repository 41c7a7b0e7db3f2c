"""The programs of several runs at once: what is a run's own has one axis more, its lane.

Data and the step are shared; states, totals, orders and keys have an axis of lanes in front.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.models.convolution import lowering
from jaxact.training.program import Program
from jaxact.training.state import TrainState

# The axes of a state by which `jax.vmap` goes: all runs stand at the same step.
_STATE: Any = TrainState(step=None, params=0, collections=0, opt_state=0, average=0)  # pyright: ignore
_OF_A_LANE = ("params", "collections", "opt_state", "average")


@functools.cache
def at_once(program: Program, by_patches: bool = True) -> Program:
    """The program of runs that are trained at once; for equal arguments the same one.

    Each function takes what `stacked` and `stacked_states` give in the place of what it takes of
    one run, and gives the like. Where a number of one run is not finite, no other run's is changed:
    no number of one depends on another's.

    Args:
      program: of each run alone; `classifier`, `fold` and `batch` stay so.
      by_patches: whether narrow convolutions are products of patches on an accelerator, see
        `jaxact.models.convolution.lowering.each_its_kernel`.
    """

    def over_lanes(in_axes: tuple[Any, ...], out_axes: Any) -> Callable[..., Any]:
        def changed(function: Callable[..., Any]) -> Callable[..., Any]:
            def run(*arguments: Any) -> Any:
                # What is a Python number stays one: a constant of the program.
                constants = arguments[: len(arguments) - len(in_axes)]
                with lowering.each_its_kernel(by_patches):
                    mapped = jax.vmap(functools.partial(function, *constants), in_axes, out_axes)
                    return mapped(*arguments[len(constants) :])

            run.__name__ = f"{getattr(function, 'func', function).__name__}_at_once"
            return run

        return changed

    return program._replace(
        init=program.init.changed(over_lanes((0, None), _STATE)),
        order=program.order.changed(over_lanes((0, None, None), 0)),
        train=program.train.changed(over_lanes((_STATE, 0, 0, None, 0), (_STATE, 0))),
        evaluate=program.evaluate.changed(over_lanes((_STATE, None), 0)),
        health=program.health.changed(over_lanes((_STATE, None), 0)),
    )


def stacked(*trees: Any) -> Any:
    """Trees of one structure as one, whose arrays have an axis of lanes in front."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def stacked_states(*states: TrainState) -> TrainState:
    """The states of several runs as one, in memory of its own; the step is that of the first."""
    parts = {name: stacked(*(getattr(state, name) for state in states)) for name in _OF_A_LANE}
    return TrainState(step=jnp.copy(states[0].step), **parts)


def lane(tree: Any, place: int) -> Any:
    """The part of a `stacked` tree that is one run's."""
    return jax.tree.map(lambda leaf: leaf[place], tree)


def lane_of_state(state: TrainState, place: int) -> TrainState:
    """The state of one run of those that are `stacked_states`."""
    parts = {name: lane(getattr(state, name), place) for name in _OF_A_LANE}
    return TrainState(step=state.step, **parts)


def where(is_lane: Array, new: Any, old: Any) -> Any:
    """The tree with the lanes of `new` where `is_lane`, bool `[lanes]`, says so; else `old`'s."""

    def chosen(new: Array, old: Array) -> Array:
        return jnp.where(is_lane.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

    return jax.tree.map(chosen, new, old)
