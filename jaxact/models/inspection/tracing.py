"""A look at each layer of a network as it is called, without a change to the network."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from flax import linen as nn
from jax import Array

from jaxact.activations import Activation
from jaxact.models.convolution.rewriting import lowered
from jaxact.models.layers.activation_layer import watched
from jaxact.models.layers.conv_net import ConvNet
from jaxact.models.protocol import Model

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
    model: Model, variables: Mapping[str, Any], images: Array, dropout_key: Array
) -> tuple[Array, dict[str, Array]]:
    """A network's forward pass as in training, and the output of each of its layers.

    Args:
      images: normalised, float `[batch, height, width, channels]`.

    Returns:
      Logits `[batch, num_classes]`, and outputs by the layer's path in `params`, such as "Conv_0",
      in the order in which the layers were called. Layers of flax.nnx cannot be told: there they
      are those of activation alone.
    """
    plain = model.clone(fuses_pooling=False) if isinstance(model, ConvNet) else model

    def run(
        variables: Mapping[str, Any], images: Array, dropout_key: Array
    ) -> tuple[Array, dict[str, Array]]:
        kept: dict[str, Array] = {}

        def keep(layer: nn.Module, name: str, call: Call, inputs: Array) -> Array:
            kept[name] = call(inputs)
            return kept[name]

        def keep_activation(
            name: str, activation: Activation, learned: Any, inputs: Array, outputs: Array
        ) -> Array:
            del activation, learned, inputs
            kept[name] = outputs
            return outputs

        with each_layer(keep), watched(keep_activation):
            logits, _ = plain.forward(variables, images, dropout_key)
        return logits, kept

    return lowered(run)(variables, images, dropout_key)
