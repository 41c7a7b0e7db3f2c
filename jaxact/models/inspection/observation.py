"""What each activation layer of a network sees and gives, without a change to the network."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from flax import linen as nn
from jax import Array

from jaxact.activations import Activation
from jaxact.models.layers.blocks import ActivationLayer, ConvNet


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
    """Evaluates a network as `predict` does, and tells what its activation layers saw and gave.

    Flax intercepts the calls during this pass alone, so that other passes cost nothing more and
    the network's variables keep their structure.

    Args:
      images: normalised, float `[batch, height, width, channels]`.
      shifts: added to each layer's outputs, in the layers' order: the gradient of a loss in one of
        them, at zero, is that in the layer's outputs.

    Returns:
      Logits `[batch, num_classes]`, and the layers in the order in which they were called.
    """
    seen: list[Observation] = []

    def intercept(
        call: Any, arguments: tuple[Any, ...], options: dict[str, Any], context: Any
    ) -> Any:
        layer = context.module
        outputs = call(*arguments, **options)
        if not isinstance(layer, ActivationLayer) or context.method_name != "__call__":
            return outputs
        if shifts is not None:
            outputs = outputs + shifts[len(seen)]
        seen.append(
            Observation(
                name="/".join(layer.path),
                activation=layer.activation,
                learned=dict(layer.variables.get("params", {})),
                inputs=arguments[0],
                outputs=outputs,
            )
        )
        return outputs

    with nn.intercept_methods(intercept):
        logits = model.apply(variables, images, train=False)
    return logits, seen  # pyright: ignore[reportReturnType]
