"""What every layer of a network gives, without a change to the network."""

from collections.abc import Mapping
from typing import Any

from flax import linen as nn
from jax import Array

from jaxact.models.layers.blocks import ConvNet


def layer_outputs(
    model: ConvNet, variables: Mapping[str, Any], images: Array, dropout_key: Array
) -> tuple[Array, dict[str, Array]]:
    """A network's forward pass as in training, and the output of each of its layers.

    Args:
      images: normalised, float `[batch, height, width, channels]`.

    Returns:
      Logits `[batch, num_classes]`, and outputs by the layer's path in `params`, such as "Conv_0",
      in the order in which the layers were called.
    """
    outputs: dict[str, Array] = {}

    def keep(call: Any, arguments: tuple[Any, ...], options: dict[str, Any], context: Any) -> Any:
        output = call(*arguments, **options)
        if context.module.path and context.method_name == "__call__":
            outputs["/".join(context.module.path)] = output
        return output

    with nn.intercept_methods(keep):
        logits, _ = model.clone(fuses_pooling=False).apply(  # pyright: ignore[reportAssignmentType, reportGeneralTypeIssues]
            variables,
            images,
            train=True,
            rngs={"dropout": dropout_key},
            mutable=["batch_stats"],
        )
    return logits, outputs  # pyright: ignore[reportReturnType]
