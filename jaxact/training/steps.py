"""One step, many steps a dispatch, and evaluation: pure functions of state, data and keys."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax
from jax.typing import DTypeLike

from jaxact.models.protocol import Model
from jaxact.training.losses import PLAIN, Loss, Objective
from jaxact.training.state import Evaluation, Totals, TrainState


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Keys:
    """The streams of randomness of a run.

    They depend on the seed alone, so that runs of different activations with one seed see the same
    initial weights, the same order of images and the same augmentation.
    """

    init: Array
    order: Array
    augmentation: Array
    dropout: Array

    @staticmethod
    def from_seed(seed: int) -> "Keys":
        return Keys(*jax.random.split(jax.random.key(seed), 4))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Examples:
    """Images and labels on the device, and how pixels are normalised.

    Attributes:
      images: uint8 `[..., height, width, channels]`.
      labels: int32 `[...]`; -1 marks padding.
      mean, std, whitening: as in `jaxact.data.Preprocessing`.
      colors: components of the training split's colours, `[channels, channels]`, for the
        augmentation that needs them; else None.
    """

    images: Array
    labels: Array
    mean: Array
    std: Array
    whitening: Array | None = None
    colors: Array | None = None

    def with_images(self, images: Array, labels: Array) -> "Examples":
        """The same preprocessing of other images."""
        return dataclasses.replace(self, images=images, labels=labels)

    @property
    def preprocessing(self) -> tuple[Array, Array, Array | None]:
        """The arguments of `jaxact.data.normalize` besides images."""
        return self.mean, self.std, self.whitening


# Key, images, labels, colours to images and labels, as `jaxact.data.augment_examples`.
Augment = Callable[[Array, Array, Array, Array | None], tuple[Array, Array]]
Normalize = Callable[..., Array]


def train_step(
    model: Model,
    optimizer: optax.GradientTransformation,
    state: TrainState,
    images: Array,
    labels: Array,
    dropout_key: Array,
    objective: Objective = PLAIN,
    ema: float | None = None,
) -> tuple[TrainState, Array, Array]:
    """One optimizer step on the mean loss of a batch, and on what the objective adds to it.

    Args:
      images: normalised, float `[batch, height, width, channels]`.
      labels: int32 `[batch]`, or soft, `[batch, classes]`.
      ema: decay of the average of variables, see `averaged`; None: there is none.

    Returns:
      The next state, the loss before the step (as it is evaluated: without penalties and smoothing
      of labels), and the number of examples classified rightly: of soft labels, as their most
      probable class.
    """

    def minimized(params: Any) -> tuple[Array, tuple[Array, Array, dict[str, Any]]]:
        variables = {"params": params, **state.collections}
        logits, collections = model.forward(variables, images, dropout_key)
        losses = objective.losses(logits, labels)
        minimised = objective.penalized(objective.smoothed(losses, logits).mean(), params)
        return minimised, (losses.mean(), logits, collections)

    gradients, (loss, logits, collections) = jax.grad(minimized, has_aux=True)(state.params)
    changes, opt_state = optimizer.update(gradients, state.opt_state, state.params)
    next_state = TrainState(
        step=state.step + 1,
        params=optax.apply_updates(state.params, changes),
        collections=collections,
        opt_state=opt_state,
    )
    if ema is not None:
        average = averaged(state.average, next_state.variables, state.step, ema)
        next_state = dataclasses.replace(next_state, average=average)
    classes = labels.argmax(-1) if labels.ndim == logits.ndim else labels
    return next_state, loss, (logits.argmax(-1) == classes).sum(dtype=jnp.int32)


def averaged(average: Any, variables: Any, step: Array, decay: float) -> Any:
    """The exponential moving average of variables after one more step: `d a + (1 - d) v`.

    In step k, from 0, d is `min(decay, (1 + k) / (10 + k))`, so that the initial values are soon
    forgotten. Numbers that are whole are those of the last step.

    Source: Polyak and Juditsky 1992 (SIAM J. Control Optim. 30, 838-855); the course of d is that
    of TensorFlow's `ExponentialMovingAverage`.
    """
    d = jnp.minimum(decay, (1 + step) / (10 + step)).astype(jnp.float32)

    def mean(old: Array, new: Array) -> Array:
        is_real = jnp.issubdtype(new.dtype, jnp.inexact)
        return (new + d * (old - new)).astype(new.dtype) if is_real else new

    return jax.tree.map(mean, average, variables)


def epoch_order(key: Array, epoch: Array, examples: int) -> Array:
    """The order in which an epoch, from 0, visits the training images: int32 `[examples]`."""
    return jax.random.permutation(jax.random.fold_in(key, epoch), examples)


def batch_of(
    augment: Augment,
    normalize: Normalize,
    batch_size: int,
    step: Array,
    order: Array,
    examples: Examples,
    keys: Keys,
) -> tuple[Array, Array]:
    """The normalised images and the labels that a step trains on, given the order of its epoch."""
    begin = (step % (examples.labels.shape[0] // batch_size)) * batch_size
    places = lax.dynamic_slice_in_dim(order, begin, batch_size)
    images, labels = augment(
        jax.random.fold_in(keys.augmentation, step),
        examples.images[places],
        examples.labels[places],
        examples.colors,
    )
    return normalize(images, *examples.preprocessing), labels


def train_many(
    model: Model,
    optimizer: optax.GradientTransformation,
    augment: Augment,
    normalize: Normalize,
    batch_size: int,
    steps: int | Array,
    state: TrainState,
    totals: Totals,
    order: Array,
    examples: Examples,
    keys: Keys,
    objective: Objective = PLAIN,
    ema: float | None = None,
) -> tuple[TrainState, Totals]:
    """`steps` steps in one dispatch, going on where `state.step` stands in its epoch.

    Every draw is `fold_in(key, step)`, so that step k is the same whether reached or resumed, and
    however many steps a dispatch has. What is left of an epoch after the last whole batch is
    dropped; the next epoch's order leaves out others. With `steps` an int32 array one compilation
    serves dispatches of every length; with a Python int XLA knows the length, and an accelerator
    goes from step to step without asking the host (then lengths differ by rounding).
    """

    def body(_: Any, carry: tuple[TrainState, Totals]) -> tuple[TrainState, Totals]:
        state, totals = carry
        batch = batch_of(augment, normalize, batch_size, state.step, order, examples, keys)
        dropout_key = jax.random.fold_in(keys.dropout, state.step)
        next_state, loss, correct = train_step(
            model, optimizer, state, *batch, dropout_key, objective, ema
        )
        is_first = ~jnp.isfinite(loss) & (totals.nonfinite_step < 0)
        totals = Totals(
            loss=totals.loss + loss * batch_size,
            correct=totals.correct + correct,
            examples=totals.examples + batch_size,
            nonfinite_step=jnp.where(is_first, state.step, totals.nonfinite_step),
        )
        return next_state, totals

    if isinstance(steps, int) and steps == 1:  # which `jaxact.training.unlooped` asks for
        state, totals = body(0, (state, totals))
    else:
        state, totals = lax.fori_loop(0, steps, body, (state, totals))
    # A last step can leave parameters that are not finite behind a loss that was.
    is_broken = ~all_finite(state.variables) & (totals.nonfinite_step < 0)
    nonfinite_step = jnp.where(is_broken, state.step, totals.nonfinite_step)
    return state, dataclasses.replace(totals, nonfinite_step=nonfinite_step)


def all_finite(tree: Any) -> Array:
    """Whether all real numbers of a tree are finite: bool `[]`."""
    real = [x for x in jax.tree.leaves(tree) if jnp.issubdtype(x.dtype, jnp.inexact)]
    return jnp.stack([jnp.isfinite(leaf).all() for leaf in real]).all()


def evaluate(
    model: Model,
    normalize: Normalize,
    state: TrainState,
    batches: Examples,
    losses: Loss = PLAIN.losses,
    dtype: DTypeLike = jnp.float32,
) -> Evaluation:
    """Loss, accuracy and predictions on images `[batches, batch, height, width, channels]`.

    Args:
      dtype: of the loss.
    """

    def body(totals: Totals, batch: tuple[Array, Array]) -> tuple[Totals, Array]:
        images, labels = batch
        real = labels >= 0
        images = normalize(images, *batches.preprocessing)
        logits = model.predict(state.evaluated, images)
        loss = jnp.where(real, losses(logits, jnp.where(real, labels, 0)), 0.0)
        classes = logits.argmax(-1).astype(jnp.int32)
        return Totals(
            loss=totals.loss + loss.sum(),
            correct=totals.correct + (classes == labels).sum(dtype=jnp.int32),
            examples=totals.examples + real.sum(dtype=jnp.int32),
            nonfinite_step=totals.nonfinite_step,
        ), classes

    if len(batches.labels) == 1:
        totals, classes = body(Totals.zero(dtype=dtype), (batches.images[0], batches.labels[0]))
        return Evaluation(totals, classes[None])
    return Evaluation(*lax.scan(body, Totals.zero(dtype=dtype), (batches.images, batches.labels)))
