"""Where a loss that is not finite came from. Slow, and only made once training has failed."""

import functools
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from jaxact import data, models
from jaxact.compilation.clock import Clock
from jaxact.runs import pace
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.setup import Setup
from jaxact.training.optimizer import create_optimizer
from jaxact.training.state import Totals, TrainState


def origin(setup: Setup, clock: Clock, good: TrainState, bad_step: int, stop: StopRequest) -> str:
    """In words, where the first number that is not finite came up.

    Trains again from the last good state to the step before the bad one, and looks at these two
    layer by layer: parameters that a step broke are seen in the loss of the next.

    Args:
      good: finite, at most `bad_step` steps old; donated.
      bad_step: as in `Totals.nonfinite_step`.
      stop: ends the search.
    """
    state = good
    while int(state.step) < bad_step - 1 and not stop:
        state = next_state(setup, clock, state)
    while int(state.step) <= bad_step and not stop:
        found = first_not_finite(setup, clock, state)
        if found is not None:
            return f"{found} was the first that was not finite, at step {int(state.step)}"
        state = next_state(setup, clock, state)
    return "which layer began it is not known" + ("" if stop else ", as it did not happen again")


def next_state(setup: Setup, clock: Clock, state: TrainState) -> TrainState:
    """The state after one step, as the run made it."""
    order = order_at(setup, clock, state.step)
    arguments = (pace.argument(1), state, Totals.zero(), order, setup.train, setup.keys)
    return setup.program.train.prepare(clock, *arguments)(*arguments)[0]


def order_at(setup: Setup, clock: Clock, step: Array) -> Array:
    """The order of images in the epoch of a step."""
    arguments = (setup.keys.order, jnp.int32(step // setup.steps_per_epoch), setup.train.labels)
    return setup.program.order.prepare(clock, *arguments)(*arguments)


def batch_at(setup: Setup, clock: Clock, step: Array) -> tuple[Array, Array]:
    """The normalised images and the labels that a step trains on, as in `steps.train_many`."""
    size, examples = setup.recipe.batch_size, setup.train
    begin = int(step % setup.steps_per_epoch) * size
    chosen = order_at(setup, clock, step)[begin : begin + size]
    key = jax.random.fold_in(setup.keys.augmentation, step)
    images, labels = data.augment_examples(
        setup.recipe.augmentation,
        setup.recipe.model.num_classes,
        key,
        examples.images[chosen],
        examples.labels[chosen],
        examples.colors,
    )
    return data.normalize(images, *examples.preprocessing), labels


def first_not_finite(setup: Setup, clock: Clock, state: TrainState) -> str | None:
    """What in a step is not finite first: parameters, a layer, the loss, a gradient, the update."""
    if broken := names_not_finite(state.params):
        return f"the parameter {broken[0]}"
    images, labels = batch_at(setup, clock, state.step)
    key = jax.random.fold_in(setup.keys.dropout, state.step)
    outputs_of = functools.partial(models.layer_outputs, setup.recipe.model)
    _, outputs = outputs_of(state.variables, images, key)
    for layer, output in outputs.items():
        if not jnp.isfinite(output).all():
            return f"the output of {layer}"

    objective = setup.recipe.objective

    def loss_of(params: Any) -> Array:
        variables = {"params": params, "batch_stats": state.batch_stats}
        mean = objective.losses(outputs_of(variables, images, key)[0], labels).mean()
        return objective.penalized(mean, params)

    loss, gradients = jax.value_and_grad(loss_of)(state.params)
    if not jnp.isfinite(loss):
        return "the loss itself"
    if broken := names_not_finite(gradients):
        return f"the gradient of {nearest_to_the_loss(broken, list(outputs))}"
    recipe = setup.recipe
    optimizer = create_optimizer(
        recipe.learning_rate, recipe.learning_rate_schedule, recipe.weight_decay, recipe.total_steps
    )
    changes, _ = optimizer.update(gradients, state.opt_state, state.params)
    if broken := names_not_finite(optax.apply_updates(state.params, changes)):
        return f"the optimizer's update of {broken[0]}"
    return None


def names_not_finite(tree: Any) -> list[str]:
    """The paths of the leaves that hold a NaN or an infinity, such as "Conv_0/kernel"."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, leaf in leaves
        if not jnp.isfinite(leaf).all()
    ]


def nearest_to_the_loss(parameters: Iterable[str], layers: list[str]) -> str:
    """The parameter whose layer was called last: a gradient comes to it first."""
    return max(parameters, key=lambda name: layers.index(name.rpartition("/")[0]))
