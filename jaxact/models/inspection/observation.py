"""The inputs and outputs of each activation layer of a network."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from flax import linen as nn
from jax import Array

from jaxact.activations import Activation
from jaxact.models.inspection.tracing import Call, each_layer
from jaxact.models.layers.activation_layer import ActivationLayer
from jaxact.models.layers.conv_net import ConvNet


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Observation:
    """One activation layer during one pass of a network.

    Attributes:
      name: the layer's path in `params`, such as "ActivationLayer_0".
      activation: its function.
      learned: the function's parameters at that time, by name; `{}` for most.
      inputs, outputs: `[batch, ..., units]`.
    """

    name: str = dataclasses.field(metadata={"static": True})
    activation: Activation = dataclasses.field(metadata={"static": True})
    learned: Mapping[str, Array]
    inputs: Array
    outputs: Array


def observe(
    model: ConvNet,
    variables: Mapping[str, Any],
    images: Array,
    shifts: Sequence[Array] | None = None,
) -> tuple[Array, list[Observation]]:
    """Evaluates a network as `predict` does, and keeps what its activation layers saw and gave.

    Args:
      images: normalised, float `[batch, height, width, channels]`.
      shifts: added to each layer's outputs, in the layers' order: the gradient of a loss in one of
        them, at zero, is that in the layer's outputs.

    Returns:
      Logits `[batch, num_classes]`, and the layers in the order in which they were called.
    """
    seen: list[Observation] = []

    def keep(layer: nn.Module, name: str, call: Call, inputs: Array) -> Array:
        outputs = call(inputs)
        if not isinstance(layer, ActivationLayer):
            return outputs
        if shifts is not None:
            outputs = outputs + shifts[len(seen)]
        learned = dict(layer.variables.get("params", {}))
        seen.append(Observation(name, layer.activation, learned, inputs, outputs))
        return outputs

    with each_layer(keep):
        logits = model.apply(variables, images, train=False)
    return logits, seen  # pyright: ignore[reportReturnType]
