"""What the models are built from: the place of an activation, and their common layers."""

import math
from typing import ClassVar, NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jax import Array, lax
from jax.typing import DTypeLike

from jaxact import activations
from jaxact.models import lowering
from jaxact.models.initializers import bias_initializer, kernel_initializer

BATCH_NORM_MOMENTUM = 0.9  # of the running statistics: new = 0.9 old + 0.1 of the batch
BATCH_NORM_EPSILON = 1e-5


class Arithmetic(NamedTuple):
    """How a model computes: the dtype between layers, and the precision of matrix products."""

    dtype: DTypeLike
    precision: lax.Precision


# Parameters and BatchNorm's statistics are float32 in all of them. What "tf32" names exists on
# NVIDIA GPUs (10 bits of mantissa, products summed in float32); elsewhere it is float32.
PRECISIONS = {
    "float32": Arithmetic(jnp.float32, lax.Precision.HIGHEST),
    "tf32": Arithmetic(jnp.float32, lax.Precision.DEFAULT),
    "bfloat16": Arithmetic(jnp.bfloat16, lax.Precision.DEFAULT),
}


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


class ConvNet(nn.Module):
    """The base of the models: their fields, and the layers that these fields decide.

    The methods make layers; call them in a compact `__call__`.

    Attributes:
      activation: the function under test.
      num_classes: number of logits.
      kernel_init: a name of `jaxact.models.initializers`.
      sharing: of the activation's learnable parameters, "layer" or "channel".
      precision: a name of `PRECISIONS`.
      folded: whether BatchNorm has been folded into the convolutions, see `jaxact.inference`.
    """

    input_size: ClassVar[int]  # the smallest height and width, in pixels

    activation: activations.Activation
    num_classes: int = 10
    kernel_init: str = "torch_default"
    sharing: str = "layer"
    precision: str = "float32"
    folded: bool = False

    @nn.nowrap
    def conv(self, x: Array, features: int, size: int, padding: str) -> Array:
        """A `size` x `size` convolution of stride 1 with bias, NHWC, padding "SAME" or "VALID"."""
        return nn.Conv(
            features,
            (size, size),
            padding=padding,
            dtype=PRECISIONS[self.precision].dtype,
            precision=PRECISIONS[self.precision].precision,
            kernel_init=kernel_initializer(self.kernel_init),
            bias_init=bias_initializer(self.kernel_init, size * size * x.shape[-1]),
            conv_general_dilated=lowering.conv_general_dilated,
        )(x)

    @nn.nowrap
    def dense(self, x: Array, features: int) -> Array:
        """`x W + b`, `[..., n]` to `[..., features]`."""
        return nn.Dense(
            features,
            dtype=PRECISIONS[self.precision].dtype,
            precision=PRECISIONS[self.precision].precision,
            kernel_init=kernel_initializer(self.kernel_init),
            bias_init=bias_initializer(self.kernel_init, x.shape[-1]),
        )(x)

    @nn.nowrap
    def logits(self, x: Array) -> Array:
        """The last dense layer, float32 `[batch, num_classes]`."""
        return self.dense(x, self.num_classes).astype(jnp.float32)

    @nn.nowrap
    def batch_norm(self, x: Array, train: bool) -> Array:
        """BatchNorm with the momentum and epsilon of the paper's framework."""
        if self.folded:
            return x
        return nn.BatchNorm(
            use_running_average=not train,
            momentum=BATCH_NORM_MOMENTUM,
            epsilon=BATCH_NORM_EPSILON,
            dtype=PRECISIONS[self.precision].dtype,
        )(x)

    @nn.nowrap
    def activate(self, x: Array) -> Array:
        """The function under test."""
        return ActivationLayer(self.activation, self.sharing)(x)


def dropout2d(x: Array, rate: float, train: bool) -> Array:
    """Zeroes whole channels of an image with probability `rate`, scales others by 1/(1 - rate).

    Source: Tompson et al. 2015 (arXiv:1411.4280), section 3.2, "SpatialDropout".
    """
    return nn.Dropout(rate, broadcast_dims=(1, 2), deterministic=not train)(x)


def flatten(x: Array) -> Array:
    """`[batch, ...]` to `[batch, n]`."""
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))
