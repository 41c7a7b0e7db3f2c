"""The pieces the models are built from: activation, convolution and dense layers, Dropout2d."""

import math

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from jaxact import activations
from jaxact.models import lowering
from jaxact.models.initializers import bias_initializer, kernel_initializer


class ActivationLayer(nn.Module):
    """The place of an activation function; holds its learnable parameters, if it has any.

    Attributes:
      activation: the function.
      sharing: one parameter for the whole "layer", as in the paper's framework, or one for each
        "channel" (the last axis).
    """

    activation: activations.Activation
    sharing: str = "layer"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        shape = (x.shape[-1],) if self.sharing == "channel" else ()
        learned = {
            name: self.param(name, nn.initializers.constant(value), shape, jnp.float32)
            for name, value in self.activation.params.items()
        }
        return self.activation(x, **learned)


def conv(x: Array, features: int, size: int, padding: str, kernel_init: str) -> Array:
    """A `size` x `size` convolution of stride 1 with bias; to be called in a compact method.

    Args:
      x: `[batch, height, width, channels]`.
      padding: "SAME" or "VALID".
      kernel_init: a name of `jaxact.models.initializers`.

    Returns:
      `[batch, out_height, out_width, features]`.
    """
    return nn.Conv(
        features,
        (size, size),
        padding=padding,
        kernel_init=kernel_initializer(kernel_init),
        bias_init=bias_initializer(kernel_init, size * size * x.shape[-1]),
        conv_general_dilated=lowering.conv_general_dilated,
    )(x)


def dense(x: Array, features: int, kernel_init: str) -> Array:
    """A dense layer `x W + b`, `[..., n]` to `[..., features]`; for a compact method."""
    return nn.Dense(
        features,
        kernel_init=kernel_initializer(kernel_init),
        bias_init=bias_initializer(kernel_init, x.shape[-1]),
    )(x)


def dropout2d(x: Array, rate: float, train: bool) -> Array:
    """Zeroes whole channels of an image with probability `rate`, scales others by 1/(1 - rate).

    Source: Tompson et al. 2015 (arXiv:1411.4280), section 3.2, "SpatialDropout".
    """
    return nn.Dropout(rate, broadcast_dims=(1, 2), deterministic=not train)(x)


def flatten(x: Array) -> Array:
    """`[batch, ...]` to `[batch, n]`."""
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))
