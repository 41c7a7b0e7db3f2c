"""A look at each layer of a network as it is called, without a change to the network."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from flax import linen as nn
from jax import Array

from jaxact.models.layers.conv_net import ConvNet

Call = Callable[[Any], Any]


def each_layer(act: Callable[[nn.Module, str, Call, Any], Any]) -> AbstractContextManager[None]:
    """Within it, a layer gives what `act(layer, name, call, inputs)` gives.

    The name is the layer's path in `params`, such as "Conv_0"; the network as a whole has none and
    is left out; `call(inputs)` is the layer itself. Flax intercepts the calls within alone, so that
    other passes cost nothing more and the network's variables keep their structure.
    """

    def intercept(call: Any, arguments: Any, options: Mapping[str, Any], context: Any) -> Any:
        layer = context.module
        if not (layer.path and arguments and context.method_name == "__call__"):
            return call(*arguments, **options)
        inputs, *more = arguments
        return act(layer, "/".join(layer.path), lambda x: call(x, *more, **options), inputs)

    return nn.intercept_methods(intercept)


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
    kept: dict[str, Array] = {}

    def keep(layer: nn.Module, name: str, call: Call, inputs: Array) -> Array:
        kept[name] = call(inputs)
        return kept[name]

    with each_layer(keep):
        logits, _ = model.clone(fuses_pooling=False).apply(  # pyright: ignore[reportAssignmentType, reportGeneralTypeIssues]
            variables,
            images,
            train=True,
            rngs={"dropout": dropout_key},
            mutable=["batch_stats"],
        )
    return logits, kept  # pyright: ignore[reportReturnType]
