"""The curves of activations with parameters, before and after training, over a layer's inputs."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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
        initial=curves(activation, x, before)[0],
        learned=np.concatenate([curves(activation, x, learned) for learned in after]),
        counts=counts,
        edges=edges,
        change=change,
    )


def curves(activation: Activation, x: np.ndarray, learned: Mapping[str, Any]) -> np.ndarray:
    """The function at `x` `[points]`, `[curves, points]`: one, or one for each channel."""
    units = next(
        (
            np.shape(value)[-1]
            for name, value in learned.items()
            if np.ndim(value) > np.ndim(activation.params[name])
        ),
        1,
    )
    grid = jnp.broadcast_to(jnp.asarray(x)[:, None], (len(x), units))
    return np.asarray(activation(grid, **learned)).T


def as_record(shape: Shape) -> dict[str, Any]:
    """A layer's shape as `result.json` holds it: parameters, from which its curves follow."""
    return {
        "change": shape.change,
        "before": {name: value.tolist() for name, value in shape.before.items()},
        "after": {name: value.tolist() for name, value in shape.after.items()},
        "range": [float(shape.x[0]), float(shape.x[-1])],
        "counts": shape.counts.tolist(),
    }


def from_record(activation: Activation, layer: str, record: Mapping[str, Any]) -> Shape:
    """The shape that `as_record` has written."""
    low, high = record["range"]
    x = np.linspace(low, high, POINTS, dtype=np.float32)
    before = {name: np.array(value, np.float32) for name, value in record["before"].items()}
    after = {name: np.array(value, np.float32) for name, value in record["after"].items()}
    learned = [
        curves(activation, x, {name: value[seed] for name, value in after.items()})
        for seed in range(len(record["change"]))
    ]
    return Shape(
        layer=layer,
        before=before,
        after=after,
        x=x,
        initial=curves(activation, x, before)[0],
        learned=np.concatenate(learned),
        counts=np.array(record["counts"]),
        edges=np.linspace(low, high, len(record["counts"]) + 1),
        change=record["change"],
    )
