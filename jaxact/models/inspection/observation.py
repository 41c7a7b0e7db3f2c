"""The inputs and outputs of each activation layer of a network."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from jax import Array

from jaxact.activations import Activation
from jaxact.models.convolution.rewriting import lowered
from jaxact.models.layers.activation_layer import watched
from jaxact.models.protocol import Model


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Observation:
    """One activation layer during one pass of a network.

    Attributes:
      name: of the layer, such as "ActivationLayer_0".
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
    model: Model,
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

    def evaluate(
        variables: Mapping[str, Any], images: Array, shifts: Sequence[Array] | None
    ) -> tuple[Array, list[Observation]]:
        seen: list[Observation] = []

        def keep(
            name: str,
            activation: Activation,
            learned: Mapping[str, Array],
            inputs: Array,
            outputs: Array,
        ) -> Array:
            if shifts is not None:
                outputs = outputs + shifts[len(seen)]
            seen.append(Observation(name, activation, dict(learned), inputs, outputs))
            return outputs

        with watched(keep):
            return model.predict(variables, images), seen

    return lowered(evaluate)(variables, images, shifts)
