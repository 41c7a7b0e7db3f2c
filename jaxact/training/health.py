"""The health of activation layers: what share of their units is dead or saturated, and more.

A unit is a channel, the last axis of a layer's output: of a convolution over all images and
positions of the probe batch, of a dense layer over all images. f'(x) is the slope of the activation
at a unit's input; of a function that is not elementwise, the diagonal of its Jacobian.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxact.activations import Activation
from jaxact.models.inspection.observation import Observation, observe
from jaxact.models.protocol import Model
from jaxact.training.losses import PLAIN, Loss
from jaxact.training.state import TrainState
from jaxact.training.steps import Examples, Normalize

SATURATED_SLOPE = 0.01  # of the largest slope: below it, a unit passes next to no gradient on
SATURATED_SHARE = 0.95  # of the probe batch. ReLU is flat for half of it when all is well.
SLOPE_RANGE = 10.0  # the largest slope is looked for at inputs from -10 to 10
SLOPE_POINTS = 401

NAMES = ("layer", "after")  # of a layer, beside its figures

AUTOMATIC_SHARE = 0.01  # of the training images: less than 1 % of an epoch's work
AUTOMATIC_MOST = 128


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class LayerHealth:
    """One activation layer on the probe batch, evaluated (no dropout, BatchNorm's running values).

    Attributes:
      layer: its name, such as "ActivationLayer_0".
      dead: share of units with f'(x) = 0 over the whole probe batch: no gradient passes.
      saturated: share of units, not dead, with |f'(x)| below 1 % of the largest |f'| in at least
        95 % of the probe batch. The largest is that over inputs from -10 to 10.
      mean, deviation: of the layer's outputs, over units, images and positions.
      gradient_norm: sqrt(mean_b |dL_b / dy_b|^2), where y_b is the layer's output for image b and
        L_b that image's loss; so it does not depend on the size of the probe batch.
      after: the layer whose output it takes, such as "Conv_0"; "" where that cannot be told.

    `dead` and `saturated` are None for a function that is not elementwise and has no
    `derivative_function`.
    """

    layer: str = dataclasses.field(metadata={"static": True})
    dead: Array | None
    saturated: Array | None
    mean: Array
    deviation: Array
    gradient_norm: Array
    after: str = dataclasses.field(default="", metadata={"static": True})


def automatic_examples(train_examples: int) -> int:
    """The size of the probe batch unless one is asked for: 1 % of the training images, up to 128.

    The probe is passed forward and back about once an epoch, so its share of the epoch's images
    bounds its share of the training time.
    """
    return min(math.ceil(AUTOMATIC_SHARE * train_examples), AUTOMATIC_MOST)


def measure(
    model: Model,
    normalize: Normalize,
    state: TrainState,
    probe: Examples,
    losses: Loss = PLAIN.losses,
) -> list[LayerHealth]:
    """The health of every activation layer, in the order in which images pass them.

    Args:
      normalize: pixels to what the model takes.
      probe: images `[examples, height, width, channels]`, labels `[examples]`.
      losses: what the network was trained on.
    """
    images = normalize(probe.images, *probe.preprocessing)

    def loss_of(shifts: list[Array]) -> tuple[Array, list[Observation]]:
        logits, layers = observe(model, state.evaluated, images, shifts)
        return losses(logits, probe.labels).sum(), layers

    _, layers = jax.eval_shape(lambda: observe(model, state.evaluated, images))
    zeros = [jnp.zeros(layer.outputs.shape, layer.outputs.dtype) for layer in layers]
    gradients, layers = jax.grad(loss_of, has_aux=True)(zeros)
    return [
        layer_health(layer, gradient) for layer, gradient in zip(layers, gradients, strict=True)
    ]


def layer_health(layer: Observation, gradient: Array) -> LayerHealth:
    """The health of one layer.

    Args:
      gradient: of the summed loss in the layer's outputs, `[batch, ..., units]`.
    """
    outputs, gradient = layer.outputs.astype(jnp.float32), gradient.astype(jnp.float32)
    dead, saturated = flat_units(layer.activation, layer.learned, layer.inputs)
    return LayerHealth(
        layer=layer.name,
        dead=dead,
        saturated=saturated,
        mean=outputs.mean(),
        deviation=outputs.std(),
        gradient_norm=jnp.sqrt((gradient**2).sum() / gradient.shape[0]),
        after=layer.after,
    )


def flat_units(
    activation: Activation, learned: Mapping[str, Array], inputs: Array
) -> tuple[Array, Array] | tuple[None, None]:
    """The shares of dead and of saturated units, as `LayerHealth` defines them.

    Args:
      learned: the activation's parameters, of shape `[]` or `[units]`, or with an axis of
        coefficients before: `[coefficients]` or `[coefficients, units]`.
      inputs: `[batch, ..., units]`.
    """
    if not activation.elementwise and activation.derivative_function is None:
        return None, None
    slopes = jnp.abs(activation.derivative(inputs.astype(jnp.float32), **learned))
    bound = SATURATED_SLOPE * largest_slope(activation, learned, inputs.ndim)
    of_a_unit = tuple(range(inputs.ndim - 1))
    dead = (slopes == 0).all(of_a_unit)
    flat = (slopes < bound).mean(of_a_unit, dtype=jnp.float32) >= SATURATED_SHARE
    return dead.mean(dtype=jnp.float32), (flat & ~dead).mean(dtype=jnp.float32)


def largest_slope(activation: Activation, learned: Mapping[str, Array], rank: int) -> Array:
    """The largest |f'| over inputs from -10 to 10: `[]`, or `[units]` if parameters are a unit's.

    Where the function mixes inputs, one of two is moved and the other is 0, whatever the axis.
    """
    size = 1 if activation.elementwise else 2
    first = (0,) * rank

    def largest(parameters: Mapping[str, Array]) -> Array:
        def slope(x: Array) -> Array:
            inputs = jnp.pad(x.reshape((1,) * rank), (0, size - 1))
            return jnp.abs(activation.derivative(inputs, **parameters))[first]

        points = jnp.linspace(-SLOPE_RANGE, SLOPE_RANGE, SLOPE_POINTS, dtype=jnp.float32)
        return jax.vmap(slope)(points).max()

    is_shared = all(
        value.ndim == np.ndim(activation.params[name]) for name, value in learned.items()
    )
    return largest(learned) if is_shared else jax.vmap(largest, in_axes=-1)(dict(learned))


def as_row(epoch: int, layers: list[LayerHealth]) -> dict[str, Any]:
    """An epoch's row of `health.jsonl`; a figure that is NaN or infinite becomes null."""
    rows = [dataclasses.asdict(layer) for layer in jax.device_get(layers)]
    return {
        "epoch": epoch,
        "layers": [
            {name: _as_json(value) for name, value in row.items() if value != ""} for row in rows
        ],
    }


def scalars(row: Mapping[str, Any], under: str = "") -> dict[str, float | None]:
    """A row's figures by a name of their own, such as "health/ActivationLayer_0/dead".

    Args:
      under: where given, layers go by what they stand after, and `under` is in place of "health":
        "relu/Conv_0/dead".
    """
    return {
        f"{under or 'health'}/{(under and layer.get('after')) or layer['layer']}/{name}": value
        for layer in row["layers"]
        for name, value in layer.items()
        if name not in NAMES
    }


def _as_json(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return float(value) if math.isfinite(value) else None
