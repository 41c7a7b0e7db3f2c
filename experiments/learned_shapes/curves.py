"""The curves of activations with parameters, before and after training, over a layer's inputs."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.common.trials import Trial, Trials
from jaxact import data
from jaxact.activations import Activation
from jaxact.models.inspection.observation import observe

BINS = 40
POINTS = 201
TAIL = 0.001  # of the inputs, on either side, that curves are not drawn for


class Shape(NamedTuple):
    """An activation in one layer, before and after the trials.

    Attributes:
      layer: its name.
      before, after: parameters by name; after: `[seeds, ...]`.
      x: inputs `[points]`.
      initial: the function there, `[points]`.
      learned: what it became, `[curves, points]`: one for each seed, or seed and channel.
      counts, edges: histogram of the layer's inputs after training, all seeds together.
      change: by seed, how far the function has moved where the inputs are: the root mean square of
        its change over the inputs, relative to that of the function before.
    """

    layer: str
    before: Mapping[str, np.ndarray]
    after: Mapping[str, np.ndarray]
    x: np.ndarray
    initial: np.ndarray
    learned: np.ndarray
    counts: np.ndarray
    edges: np.ndarray
    change: list[float]


def shapes_of(of: Trials, done: Sequence[Trial]) -> list[Shape]:
    """The shape of each activation layer after the trials of one activation that did not diverge.

    No shapes, if all did.
    """
    done = [trial for trial in done if trial.is_finite]
    if not done:
        return []
    probe = of.setup.probe
    assert probe is not None  # `trials.config_of` asks for one
    images = data.normalize(probe.images, *probe.preprocessing)
    look = jax.jit(lambda variables: observe(of.setup.model, variables, images)[1])  # pyright: ignore[reportArgumentType]
    seen = [look(trial.final.evaluated) for trial in done]
    before = look(done[0].initial.evaluated)
    activation = of.setup.activation
    return [
        shape_of(
            activation,
            first.name,
            first.learned,
            [layers[k].learned for layers in seen],
            [layers[k].inputs for layers in seen],
        )
        for k, first in enumerate(before)
    ]


def shape_of(
    activation: Activation,
    layer: str,
    before: Mapping[str, jax.Array],
    after: Sequence[Mapping[str, jax.Array]],
    inputs: Sequence[jax.Array],
) -> Shape:
    """One layer's shape.

    Args:
      before: initial parameters, `[]` or `[units]`, or with coefficients on an axis before.
      after: learned ones, by seed.
      inputs: `[batch, ..., units]`, by seed.
    """
    flat = [np.asarray(one, np.float32).reshape(-1, one.shape[-1]) for one in inputs]
    pooled = np.concatenate([one.ravel() for one in flat])
    low, high = np.quantile(pooled, [TAIL, 1 - TAIL])
    low, high = min(low, -1.0), max(high, 1.0)
    x = np.linspace(low, high, POINTS, dtype=np.float32)
    units = flat[0].shape[-1]
    has_channels = any(
        np.ndim(value) > np.ndim(activation.params[name]) for name, value in before.items()
    )
    grid = jnp.broadcast_to(jnp.asarray(x)[:, None], (POINTS, units if has_channels else 1))

    def curves(learned: Mapping[str, jax.Array]) -> np.ndarray:
        return np.asarray(activation(grid, **learned)).T

    change = []
    for one, learned in zip(flat, after, strict=True):
        old = np.asarray(activation(jnp.asarray(one), **before))
        new = np.asarray(activation(jnp.asarray(one), **learned))
        change.append(float(np.sqrt(((new - old) ** 2).mean() / (old**2).mean())))
    counts, edges = np.histogram(pooled, BINS, (float(low), float(high)))
    return Shape(
        layer=layer,
        before={name: np.asarray(value) for name, value in before.items()},
        after={name: np.stack([np.asarray(one[name]) for one in after]) for name in before},
        x=x,
        initial=curves(before)[0],
        learned=np.concatenate([curves(learned) for learned in after]),
        counts=counts,
        edges=edges,
        change=change,
    )
