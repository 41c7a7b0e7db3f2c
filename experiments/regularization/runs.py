"""Networks measured after every epoch: what overfitting is seen in.

For `experiments.regularization`. Unlike `jaxact.runs.fit`, which reads the test set once when
there is a validation split, this reads all splits after each epoch; nothing is decided by the test
set.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxact import data, models
from jaxact.compilation.clock import Clock
from jaxact.errors import NonFiniteLossError
from jaxact.runs.setup import Setup, initial_state
from jaxact.runs.stages import stages
from jaxact.training import early_stopping, losses, steps
from jaxact.training.state import Evaluation, TrainState

LABELS_SEED = 0
SPLITS = ("train", "validation", "test")
# Adam moves a weight by about the learning rate a step, so that weights which a penalty holds at
# zero tremble about it: closer than this is as near as they get.
NEAR_ZERO = 0.005


class Learned(NamedTuple):
    """One network, trained.

    Attributes:
      rows: one an epoch: `epoch`, and `SPLIT_loss` and `SPLIT_error` (0 to 1) of each split, all in
        evaluation, without dropout.
      last: variables after the last epoch.
      best: variables of the epoch where early stopping ends; `last` if it never stops the run and
        that was the best.
      best_epoch: of these.
    """

    rows: list[dict[str, float]]
    last: Mapping[str, Any]
    best: Mapping[str, Any]
    best_epoch: int


def with_wrong_labels(setup: Setup, share: float) -> Setup:
    """The setup with some labels wrong: what a network can learn by heart alone.

    They are wrong in the training and the validation split, as both would be in practice, and right
    in the test set.

    Args:
      share: of the labels, from 0 to 1, rounded; each becomes another class at random, the same for
        a data set whatever the seed of the run.
    """
    generator, classes = np.random.default_rng(LABELS_SEED), setup.model.num_classes

    def spoilt(examples: steps.Examples) -> steps.Examples:
        labels = np.array(examples.labels)
        real = np.flatnonzero(labels.ravel() >= 0)  # -1 marks padding
        wrong = generator.permutation(real)[: round(share * len(real))]
        shifts = generator.integers(1, classes, len(wrong), np.int32)
        labels.ravel()[wrong] = (labels.ravel()[wrong] + shifts) % classes
        return dataclasses.replace(examples, labels=jnp.asarray(labels))

    train, validation = spoilt(setup.train), spoilt(setup.evaluations["validation"])
    evaluations = {**setup.evaluations, "validation": validation}
    images = dataclasses.replace(setup.data, train=train, evaluations=evaluations)
    return dataclasses.replace(setup, data=images)


def learn(setup: Setup, patience_epochs: int) -> Learned:
    """Trains for all epochs of the setup's configuration, and notes where to have stopped.

    Args:
      setup: with a validation split.
      patience_epochs: of early stopping.

    Raises:
      NonFiniteLossError: a loss became NaN or infinite.
    """
    clock = Clock()
    measure = evaluator(cast(Any, setup.model), setup.recipe.objective.losses)
    batches = {
        "train": as_one_batch(setup.train),
        **{name: setup.evaluations[name] for name in SPLITS[1:]},
    }
    state = initial_state(setup, clock)
    best, rows = state.evaluated, []
    stopped: int | None = None
    for stage in stages(setup, state, clock):
        epoch, state = stage.epoch, stage.state
        if not stage.is_finite:
            raise NonFiniteLossError(
                f"the loss became NaN or infinite at step {int(stage.totals.nonfinite_step)}; try "
                "a lower --learning_rate"
            )
        rows.append({"epoch": epoch, **scores(measure(state, batches))})
        if stopped is None:
            if early_stopping.best_epoch(rows) == epoch:
                best = jax.tree.map(jnp.copy, state.evaluated)
            if early_stopping.is_over(rows, patience_epochs):
                stopped = epoch
    best_epoch = early_stopping.best_epoch(rows[:stopped])
    return Learned(rows, state.evaluated, best, best_epoch)


@functools.cache
def evaluator(
    model: models.ConvNet, loss: losses.Loss
) -> Callable[[TrainState, Mapping[str, steps.Examples]], dict[str, Evaluation]]:
    """The compiled evaluation of all splits at once."""

    def measure(state: TrainState, batches: Mapping[str, steps.Examples]) -> dict[str, Evaluation]:
        return {
            name: steps.evaluate(model, data.normalize, state, split, loss)
            for name, split in batches.items()
        }

    return jax.jit(measure)


def as_one_batch(examples: steps.Examples) -> steps.Examples:
    """Training images in the shape that evaluation takes."""
    return steps.Examples(examples.images[None], examples.labels[None], *examples.preprocessing)


def scores(evaluations: Mapping[str, Evaluation]) -> dict[str, float]:
    """Loss and error of each split, by their names in rows."""
    means = {name: split.means() for name, split in evaluations.items()}
    return {
        **{f"{name}_loss": loss for name, (loss, _) in means.items()},
        **{f"{name}_error": 1 - accuracy for name, (_, accuracy) in means.items()},
    }


def near_zero_share(params: Any) -> float:
    """Share of the kernels' weights that are less than `NEAR_ZERO` in size."""
    kernels = np.concatenate([np.ravel(kernel) for kernel in losses.kernels(params)])
    return float((np.abs(kernels) < NEAR_ZERO).mean())


def pixels(setup: Setup, images: np.ndarray) -> Array:
    """uint8 images as the network takes them."""
    return data.normalize(jnp.asarray(images), *setup.train.preprocessing)
