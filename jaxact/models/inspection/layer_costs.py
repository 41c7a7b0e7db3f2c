"""The cost of each layer of a network: parameters and multiply-adds, from a trace alone."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from jaxact.models.inspection.tracing import Call, each_layer
from jaxact.models.layers.conv_net import ConvNet


class LayerCost(NamedTuple):
    """One layer of a network.

    Attributes:
      name: the layer's path in `params`, such as "Conv_0".
      output_shape: `[height, width, channels]` or `[units]` for one image.
      parameters: trainable scalars.
      multiply_adds: products of convolutions and dense layers for one image, forward, those within
        an activation too; 0 for others.
    """

    name: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def layer_costs(model: ConvNet, image_shape: tuple[int, ...]) -> list[LayerCost]:
    """The layers in the order in which an image passes them; nothing is computed.

    A kernel is applied once for each place of its layer's output, so a convolution or dense layer
    has places x (entries of the kernel) multiply-adds, padding counted.

    Args:
      image_shape: `(height, width, channels)`.
    """
    layers: list[LayerCost] = []

    def keep(layer: nn.Module, name: str, call: Call, inputs: Array) -> Array:
        output = call(inputs)
        params = {
            name: leaf
            for name, leaf in layer.variables.get("params", {}).items()
            if hasattr(leaf, "size")  # else a layer within, which is met by itself
        }
        places = math.prod(output.shape[1:-1])
        layers.append(
            LayerCost(
                name=name,
                output_shape=tuple(output.shape[1:]),
                parameters=sum(leaf.size for leaf in params.values()),
                multiply_adds=sum(
                    leaf.size * (places if name == "kernel" else 1)  # others see means of pixels
                    for name, leaf in params.items()
                    if name.endswith("kernel")
                ),
            )
        )
        return output

    def trace(key: Array, images: Array) -> Any:
        with each_layer(keep):
            return model.clone(fuses_pooling=False).init(key, images, train=False)

    images = jax.ShapeDtypeStruct((1, *image_shape), jnp.float32)
    jax.eval_shape(trace, jax.random.key(0), images)
    return layers
