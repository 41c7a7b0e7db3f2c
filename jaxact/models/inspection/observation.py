"""The inputs and outputs of each activation layer of a network."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from flax import linen as nn
from jax import Array

from jaxact.activations import Activation
from jaxact.models.convolution.rewriting import lowered
from jaxact.models.inspection.tracing import Call, each_layer
from jaxact.models.layers.activation_layer import watched
from jaxact.models.protocol import Model


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Observation:
    """One activation layer during one pass of a network.

    Attributes:
      name: of the layer, such as "ActivationLayer_0".
      after: the path of the layer with a kernel that was called last before it, such as "Conv_0";
        "Conv_0.2" if it is the second one after that. "" where none can be told, as of flax.nnx.
      activation: its function.
      learned: the function's parameters at that time, by name; `{}` for most.
      inputs, outputs: `[batch, ..., units]`.
    """

    name: str = dataclasses.field(metadata={"static": True})
    activation: Activation = dataclasses.field(metadata={"static": True})
    learned: Mapping[str, Array]
    inputs: Array
    outputs: Array
    after: str = dataclasses.field(default="", metadata={"static": True})


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
        passed: list[str] = []  # layers with a kernel

        def note(layer: nn.Module, name: str, call: Call, inputs: Any) -> Any:
            outputs = call(inputs)
            if any(name.endswith("kernel") for name in layer.variables.get("params", {})):
                passed.append(name)
            return outputs

        def keep(
            name: str,
            activation: Activation,
            learned: Mapping[str, Array],
            inputs: Array,
            outputs: Array,
        ) -> Array:
            if shifts is not None:
                outputs = outputs + shifts[len(seen)]
            after = passed[-1] if passed else ""
            if after and (count := sum(layer.after.split(".")[0] == after for layer in seen)):
                after += f".{count + 1}"
            seen.append(Observation(name, activation, dict(learned), inputs, outputs, after))
            return outputs

        with each_layer(note), watched(keep):
            return model.predict(variables, images), seen

    return lowered(evaluate)(variables, images, shifts)
