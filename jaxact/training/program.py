"""The compiled functions of a run, built once for all runs that differ only in seed and data."""

import functools
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import optax
from jax import Array
from jax.sharding import Mesh

from jaxact import data, models
from jaxact.compilation.ahead_of_time import AheadOfTime
from jaxact.compilation.compiler import runs_once, without_ynnpack
from jaxact.inference import folding, latency
from jaxact.training import data_parallel, health, steps
from jaxact.training.losses import PLAIN, Objective
from jaxact.training.optimizer import create_optimizer
from jaxact.training.state import TrainState, create_state
from jaxact.training.unlooped import BatchByBatch, StepByStep


class Recipe(NamedTuple):
    """All that decides the compiled functions, but shapes: runs with equal recipes share them.

    `augmentation` is a text that `jaxact.data.parse_augmentation` takes, without `default`; `mesh`
    holds the devices among which batches are divided, None for one.
    """

    model: models.Network
    augmentation: str
    batch_size: int
    learning_rate: float
    learning_rate_schedule: str
    weight_decay: float
    total_steps: int
    objective: Objective = PLAIN
    optimizer: str = "adam"
    warmup_steps: int = 0
    clip_norm: float | None = None
    ema: float | None = None
    mesh: Mesh | None = None


class Program(NamedTuple):
    """The compiled functions of a recipe.

    Attributes:
      init: `(key, images) -> TrainState`, images a normalised batch.
      order: `(key, epoch, labels) -> order`.
      train: `(steps, state, totals, order, examples, keys) -> (state, totals)`; state and totals
        are donated; `steps` as `jaxact.runs.dispatch.argument` makes it.
      evaluate: `(state, batches) -> Evaluation`.
      health: `(state, probe) -> [LayerHealth, ...]`.
      classifier: for the latency; takes what `fold` gives.
      fold: `(state, images, *preprocessing)` to the classifier's variables, BatchNorm folded where
        it can be; images as the classifier takes them.
      batch: `(step, order, examples, keys)` to the images and labels of a step.
      optimizer: of `train`.
    """

    init: AheadOfTime
    order: AheadOfTime
    train: AheadOfTime | StepByStep
    evaluate: AheadOfTime | BatchByBatch
    health: AheadOfTime
    classifier: latency.Classifier
    fold: Callable[..., Any]
    batch: Callable[..., tuple[Array, Array]]
    optimizer: optax.GradientTransformation


_building = threading.Lock()


def build(recipe: Recipe) -> Program:
    """The program of a recipe; equal recipes get the same one, compiled functions included."""
    with _building:  # two threads that miss a cache at once would get a program each
        return _build(recipe)


@functools.cache
def _build(recipe: Recipe) -> Program:
    optimizer = create_optimizer(
        recipe.learning_rate,
        recipe.learning_rate_schedule,
        recipe.weight_decay,
        recipe.total_steps,
        spec=recipe.optimizer,
        warmup_steps=recipe.warmup_steps,
        clip_norm=recipe.clip_norm,
    )
    return assemble(recipe, optimizer)


def assemble(recipe: Recipe, optimizer: optax.GradientTransformation) -> Program:
    """The program of a recipe with this optimizer, newly made; `build` shares those it makes."""
    model = recipe.model
    mesh, dtype = recipe.mesh, models.wide_dtype(model.precision)
    normalize = functools.partial(data.normalize, dtype=dtype)
    compiled = functools.partial(AheadOfTime, placement=data_parallel.everywhere(mesh))

    def augment(key: Array, images: Array, labels: Array, colors: Array | None) -> Any:
        images, labels = data_parallel.divided((images, labels), mesh)
        return data.augment_examples(
            recipe.augmentation, model.num_classes, key, images, labels, colors
        )

    def normalize_divided(images: Array, *preprocessing: Any) -> Array:
        return normalize(data_parallel.divided(images, mesh), *preprocessing)

    train = functools.partial(
        steps.train_many,
        model,
        optimizer,
        augment,
        normalize,
        recipe.batch_size,
        objective=recipe.objective,
        ema=recipe.ema,
    )
    losses = recipe.objective.losses
    evaluate = functools.partial(
        steps.evaluate, model, normalize_divided, losses=losses, dtype=dtype
    )

    def forward(variables: Any, images: Array) -> Array:
        network, *preprocessing = variables
        return folding.predict(model, network, normalize(images, *preprocessing))

    def fold(state: TrainState, images: Array, *preprocessing: Array | None) -> Any:
        normalised = jax.eval_shape(normalize, images, *preprocessing)
        return folding.fold_batch_norm(model, state.evaluated, normalised), *preprocessing

    training = compiled(
        train, donate=(1, 2), options=None if model.normalizes else without_ynnpack()
    )
    evaluation = compiled(evaluate, options=without_ynnpack())
    is_looped = model.is_lowered or jax.default_backend() != "cpu"
    return Program(
        init=compiled(
            functools.partial(create_state, model, optimizer, has_average=recipe.ema is not None),
            options=runs_once(),
        ),
        order=compiled(lambda key, epoch, labels: steps.epoch_order(key, epoch, labels.shape[0])),
        train=training if is_looped else StepByStep(training),
        evaluate=evaluation if is_looped else BatchByBatch(evaluation),
        health=compiled(functools.partial(health.measure, model, normalize, losses=losses)),
        classifier=latency.Classifier(forward, is_looped),
        fold=jax.jit(fold),
        batch=jax.jit(functools.partial(steps.batch_of, augment, normalize, recipe.batch_size)),
        optimizer=optimizer,
    )
