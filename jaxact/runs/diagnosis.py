"""The origin of a loss that is not finite: slow, and sought only once training has failed."""

import contextlib
import itertools
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from jaxact import models
from jaxact.compilation.clock import Clock
from jaxact.runs.dispatch import DispatchLength
from jaxact.runs.process import hosts
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.setup import Setup
from jaxact.runs.stages import stages
from jaxact.training.state import TrainState


def origin(setup: Setup, clock: Clock, good: TrainState, bad_step: int, stop: StopRequest) -> str:
    """The place where the first number that is not finite came up, in words.

    Trains again from the last good state to the step before the bad one, and looks at these two
    layer by layer: parameters that a step broke are seen in the loss of the next.

    Args:
      good: finite, at most `bad_step` steps old; donated.
      bad_step: as in `Totals.nonfinite_step`.
      stop: ends the search.
    """
    one_at_a_time = DispatchLength(1, 1)
    later = (stage.state for stage in stages(setup, good, clock, one_at_a_time))
    for state in itertools.chain([good], later):
        step = int(state.step)
        if hosts.are_asked(stop) or step > bad_step:
            break
        if step < bad_step - 1:
            continue
        try:
            name = first_not_finite(setup, clock, state)
        except jax.errors.UnexpectedTracerError:  # layers within `nn.remat` cannot be looked at
            break
        if name:
            return f"{name} was the first that was not finite, at step {step}"
    return "which layer began it is not known" + ("" if stop else ", as it did not happen again")


def first_not_finite(setup: Setup, clock: Clock, state: TrainState) -> str | None:
    """The first thing in a step that is not finite: parameter, layer, loss, gradient or update."""
    if broken := names_not_finite(_are_finite(state.params)):
        return f"the parameter {broken[0]}"
    layers: list[str] = []

    @jax.jit
    def look(state: TrainState, images: Array, labels: Array, dropout_key: Array) -> Any:
        def penalized(params: Any) -> tuple[Array, list[Array]]:
            variables = {"params": params, **state.collections}
            logits, outputs = models.layer_outputs(model, variables, images, dropout_key)
            layers[:] = outputs
            loss = objective.losses(logits, labels).mean()
            return objective.penalized(loss, params), list(outputs.values())

        (loss, outputs), gradients = jax.value_and_grad(penalized, has_aux=True)(state.params)
        changes, _ = setup.program.optimizer.update(gradients, state.opt_state, state.params)
        params = optax.apply_updates(state.params, changes)
        return _are_finite((outputs, loss, gradients, params))

    model, objective = setup.recipe.model, setup.recipe.objective
    step = int(state.step)
    epoch = jnp.int32(step // setup.steps_per_epoch)
    draw_order = setup.program.order.prepare(clock, setup.keys.order, epoch, setup.train.labels)

    def draw(epoch: int) -> Array:
        return draw_order(setup.keys.order, jnp.int32(epoch), setup.train.labels)

    with contextlib.closing(setup.feed(step)) as feed:
        feed.begin(int(epoch), draw)
        order, examples, _ = feed.at(step)
        batch = setup.program.batch(state.step, order, examples, setup.keys)
    dropout_key = jax.random.fold_in(setup.keys.dropout, state.step)
    outputs, loss, gradients, params = jax.device_get(look(state, *batch, dropout_key))
    for layer, is_finite in zip(layers, outputs, strict=True):
        if not is_finite:
            return f"the output of {layer}"
    if not loss:
        return "the loss itself"
    if broken := names_not_finite(gradients):
        return f"the gradient of {nearest_to_the_loss(broken, layers)}"
    if broken := names_not_finite(params):
        return f"the optimizer's update of {broken[0]}"
    return None


@jax.jit
def _are_finite(tree: Any) -> Any:
    """A tree that says of each array whether it holds neither NaN nor infinity."""
    return jax.tree.map(lambda leaf: jnp.isfinite(leaf).all(), tree)


def names_not_finite(finite: Any) -> list[str]:
    """The paths of the leaves that `_are_finite` says no of, such as "Conv_0/kernel"."""
    leaves = jax.tree_util.tree_leaves_with_path(finite)
    return [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, is_finite in leaves
        if not is_finite
    ]


def nearest_to_the_loss(parameters: Iterable[str], layers: list[str]) -> str:
    """The parameter whose layer was called last: a gradient comes to it first."""
    places = {layer: place for place, layer in enumerate(layers)}
    return max(parameters, key=lambda name: places.get(name.rpartition("/")[0], -1))
