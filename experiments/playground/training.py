"""The playground's network and its training, many runs at once in one compiled program.

As in the playground (github.com/tensorflow/playground, src/nn.ts): weights uniform in +-0.5, biases
0.1, a tanh at the output, the loss half the squared error, plain gradient descent with the mean
gradient of each batch, batches in the same order in every epoch.
"""

import functools
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from experiments.playground.problems import Points, Problem
from jaxact.activations import Activation

Params = Any  # pytree: layers of "kernel" and "bias", hidden ones with learnable "activation" too
FIRST_BIAS = 0.1


class Recipe(NamedTuple):
    """A way to train, and when a run has converged.

    Attributes:
      hidden: units of each hidden layer.
      learning_rate: of gradient descent.
      batch_size: points of a step; those that fill no batch are left out.
      epochs: at most so many.
      target_loss: a run converges with the first of `hold` epochs in a row after which its mean
        loss on the training points is at most this.
      hold: in epochs.
    """

    hidden: tuple[int, ...] = (4, 2)
    learning_rate: float = 0.03
    batch_size: int = 10
    epochs: int = 2000
    target_loss: float = 0.05
    hold: int = 10


class Trained(NamedTuple):
    """The ends of the runs, in their order.

    Attributes:
      params: as they were when the run ended, each leaf `[runs, ...]`.
      converged: the epoch, int `[runs]`; 0: it never did.
      losses: on the training points after each epoch, `[runs, epochs]`; nan after the run's end.
    """

    params: Params
    converged: np.ndarray
    losses: np.ndarray


def initial_params(key: Array, activation: Activation, hidden: Sequence[int]) -> Params:
    """The network before the first step; the activation draws no randomness."""
    sizes = (2, *hidden, 1)
    keys = jax.random.split(key, len(sizes) - 1)
    layers = []
    for k, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        layer: dict[str, Any] = {
            "kernel": jax.random.uniform(keys[k], (n_in, n_out), minval=-0.5, maxval=0.5),
            "bias": jnp.full(n_out, FIRST_BIAS),
        }
        if k < len(hidden):
            layer["activation"] = {n: jnp.asarray(v) for n, v in activation.params.items()}
        layers.append(layer)
    return layers


def outputs(activation: Activation, params: Params, places: ArrayLike) -> Array:
    """The network's output, from -1 to 1, `[points, 2]` to `[points]`."""
    x = jnp.asarray(places)
    *hidden, last = params
    for layer in hidden:
        x = activation(_affine(layer, x), **layer["activation"])
    return jnp.tanh(_affine(last, x))[:, 0]


def mean_loss(activation: Activation, params: Params, points: Points) -> Array:
    """Mean of `(output - label)**2 / 2`."""
    distances = outputs(activation, params, points.places) - points.labels
    return jnp.mean(distances**2) / 2


def accuracy(activation: Activation, params: Params, points: Points) -> np.ndarray:
    """Share of points on the right side of each run, `[runs]`; leaves of both `[runs, ...]`."""
    seen = _outputs_of_runs(activation, params, points.places)
    return np.mean((np.asarray(seen) > 0) == (points.labels > 0), axis=1)


@functools.partial(jax.jit, static_argnames="activation")
def _outputs_of_runs(activation: Activation, params: Params, places: ArrayLike) -> Array:
    return jax.vmap(functools.partial(outputs, activation))(params, places)


def train(
    activation: Activation, recipe: Recipe, problems: Sequence[Problem], seeds: Sequence[int]
) -> Trained:
    """Trains a network on the training points of each problem, all at once.

    Args:
      problems, seeds: one a run; runs of equal seeds begin with equal weights, whatever the
        activation.
    """
    points = stacked([problem.train for problem in problems])
    keys = jnp.stack([jax.random.key(seed) for seed in seeds])
    return Trained(*jax.device_get(_train(activation, recipe, keys, points)))


def stacked(points: Sequence[Points]) -> Points:
    """The trees of many runs as one, `[runs, ...]`."""
    places, labels = zip(*points, strict=True)
    return Points(np.stack(places), np.stack(labels))


class _Progress(NamedTuple):
    """All runs: epochs done, parameters, epochs in a row at the target, the end, losses."""

    epoch: Array
    params: Params
    below: Array
    converged: Array
    is_done: Array
    losses: Array


@functools.partial(jax.jit, static_argnames=("activation", "recipe"))
def _train(activation: Activation, recipe: Recipe, keys: Array, points: Points) -> Any:
    create = functools.partial(initial_params, activation=activation, hidden=recipe.hidden)
    train_epoch = jax.vmap(functools.partial(_epoch, activation, recipe))
    measure = jax.vmap(functools.partial(mean_loss, activation))
    runs = len(keys)

    def goes_on(progress: _Progress) -> Array:
        return (progress.epoch < recipe.epochs) & ~progress.is_done.all()

    def step(progress: _Progress) -> _Progress:
        was_done = progress.is_done
        trained = train_epoch(progress.params, points)
        # A run that has ended keeps what it ended with.
        params = jax.tree.map(
            lambda old, new: jnp.where(was_done.reshape(-1, *[1] * (new.ndim - 1)), old, new),
            progress.params,
            trained,
        )
        loss = jnp.where(was_done, jnp.nan, measure(params, points))
        below = jnp.where(loss <= recipe.target_loss, progress.below + 1, 0)
        epoch = progress.epoch + 1
        has_held = below >= recipe.hold
        return _Progress(
            epoch=epoch,
            params=params,
            below=below,
            converged=jnp.where(has_held, epoch - recipe.hold + 1, progress.converged),
            is_done=was_done | has_held | ~jnp.isfinite(loss),
            losses=progress.losses.at[:, progress.epoch].set(loss),
        )

    start = _Progress(
        epoch=jnp.int32(0),
        params=jax.vmap(create)(keys),
        below=jnp.zeros(runs, jnp.int32),
        converged=jnp.zeros(runs, jnp.int32),
        is_done=jnp.zeros(runs, bool),
        losses=jnp.full((runs, recipe.epochs), jnp.nan),
    )
    end = jax.lax.while_loop(goes_on, step, start)
    return end.params, end.converged, end.losses


def _epoch(activation: Activation, recipe: Recipe, params: Params, points: Points) -> Params:
    """One pass over the points, a step for each batch."""
    steps = len(points.labels) // recipe.batch_size
    batches = jax.tree.map(
        lambda a: a[: steps * recipe.batch_size].reshape(steps, recipe.batch_size, *a.shape[1:]),
        points,
    )

    def step(params: Params, batch: Points) -> tuple[Params, None]:
        slopes = jax.grad(functools.partial(mean_loss, activation))(params, batch)
        return jax.tree.map(lambda p, g: p - recipe.learning_rate * g, params, slopes), None

    return jax.lax.scan(step, params, batches)[0]


def _affine(layer: Params, x: Array) -> Array:
    return jnp.matmul(x, layer["kernel"], precision=jax.lax.Precision.HIGHEST) + layer["bias"]
