"""What the models are built from: the place of an activation, and their common layers."""

import functools
import math
from typing import ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import Array, lax
from jax.typing import DTypeLike

from jaxact import activations
from jaxact.errors import ConfigError
from jaxact.models.convolution import lowering
from jaxact.models.convolution.folded import FoldedConv
from jaxact.models.convolution.pooling import max_pool
from jaxact.models.layers.initializers import bias_initializer, kernel_initializer

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
        "channel" (the last axis, of `x` and of the parameter).
    """

    activation: activations.Activation
    sharing: str = "layer"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        channels = (x.shape[-1],) if self.sharing == "channel" else ()
        learned = {}
        for name, value in self.activation.params.items():
            start = np.asarray(value, np.float32)
            repeated = np.broadcast_to(
                start.reshape(start.shape + (1,) * len(channels)), start.shape + channels
            )
            learned[name] = self.param(name, lambda key, array=repeated: jnp.asarray(array))
        return self.activation(x, **learned)


def convolution(
    x: Array,
    features: int,
    size: int,
    padding: str,
    kernel_init: str,
    precision: str,
    bias_init: float | None = None,
    stride: int = 1,
    groups: int = 1,
    pools: bool = False,
) -> Array:
    """The convolution of `ConvNet.conv`, made in the module whose `__call__` this is called in.

    With `pools`, it gives what `max_pool` makes of it.
    """
    return nn.Conv(
        features,
        (size, size),
        strides=stride,
        padding=padding,
        feature_group_count=groups,
        dtype=PRECISIONS[precision].dtype,
        precision=PRECISIONS[precision].precision,
        kernel_init=kernel_initializer(kernel_init),
        bias_init=bias_initializer(kernel_init, size * size * x.shape[-1] // groups, bias_init),
        conv_general_dilated=functools.partial(lowering.conv_general_dilated, pools=pools),
    )(x)


def linear(
    x: Array, features: int, kernel_init: str, precision: str, bias_init: float | None = None
) -> Array:
    """The dense layer of `ConvNet.dense`, likewise."""
    return nn.Dense(
        features,
        dtype=PRECISIONS[precision].dtype,
        precision=PRECISIONS[precision].precision,
        kernel_init=kernel_initializer(kernel_init),
        bias_init=bias_initializer(kernel_init, x.shape[-1], bias_init),
    )(x)


def maxout(x: Array, pieces: int) -> Array:
    """The largest of each `pieces` channels that are n / pieces apart, `[..., n]`.

    Raises:
      ConfigError: `pieces` does not divide the number of channels.
    """
    if pieces < 1 or x.shape[-1] % pieces:
        raise ConfigError(f"pieces={pieces} must divide the number of channels, {x.shape[-1]}")
    return x.reshape(*x.shape[:-1], pieces, x.shape[-1] // pieces).max(-2)


class MaxoutDense(nn.Module):
    """Maxout: `max_j (x W_j + b_j)`, `[..., n]` to `[..., features]`.

    A layer with its activation: `pieces` dense layers of which the largest output counts. It has
    `pieces` times the parameters of one and learns a convex, piecewise linear function.

    Source: Goodfellow et al. 2013 (arXiv:1302.4389), section 3.

    Attributes:
      features: units of the output.
      pieces: affine pieces of each unit.
      kernel_init: a name of `jaxact.models.layers.initializers`; of every piece.
      precision: a name of `PRECISIONS`.
    """

    features: int
    pieces: int = 2
    kernel_init: str = "torch_default"
    precision: str = "float32"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        units = self.features * self.pieces
        return maxout(linear(x, units, self.kernel_init, self.precision), self.pieces)


class MaxoutConv(nn.Module):
    """Maxout across channels: the largest of `pieces` convolutions at each place, NHWC.

    Source: Goodfellow et al. 2013 (arXiv:1302.4389), section 3.

    Attributes:
      features: channels of the output.
      size: height and width of the kernels.
      padding: "SAME" or "VALID".
      Those of `MaxoutDense`.
    """

    features: int
    size: int
    padding: str = "SAME"
    pieces: int = 2
    kernel_init: str = "torch_default"
    precision: str = "float32"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        channels = self.features * self.pieces
        x = convolution(x, channels, self.size, self.padding, self.kernel_init, self.precision)
        return maxout(x, self.pieces)


class ConvNet(nn.Module):
    """The base of the models: their fields, and the layers that these fields decide.

    The methods make layers; call them in a compact `__call__`.

    Attributes:
      activation: the function under test.
      num_classes: number of logits.
      kernel_init: a name of `jaxact.models.layers.initializers`.
      sharing: of the activation's learnable parameters, "layer" or "channel".
      precision: a name of `PRECISIONS`.
      bias_init: what every bias starts at; None: as goes with `kernel_init`.
      folded: whether BatchNorm has been folded into the convolutions, see `jaxact.inference`.
      keeps_dropping: whether dropout is active in evaluation, too: Monte Carlo dropout, see
        `jaxact.inference`.
      fuses_pooling: whether a convolution may give its pooled outputs at once; not where the
        outputs of every layer are looked at.
    """

    input_size: ClassVar[int]  # the smallest height and width, in pixels
    normalizes: ClassVar[bool] = False  # whether it has BatchNorm; `batch_norm` requires it

    activation: activations.Activation
    num_classes: int = 10
    kernel_init: str = "torch_default"
    sharing: str = "layer"
    precision: str = "float32"
    bias_init: float | None = None
    folded: bool = False
    keeps_dropping: bool = False
    fuses_pooling: bool = True

    @nn.nowrap
    def conv(
        self, x: Array, features: int, size: int, padding: str, stride: int = 1, groups: int = 1
    ) -> Array:
        """A `size` x `size` convolution with bias, NHWC, padding "SAME" or "VALID".

        With `groups` of n, each n-th of the features sees its n-th of the channels alone.
        """
        if self.folded and self.normalizes:
            arithmetic = PRECISIONS[self.precision]
            return FoldedConv(features, size, padding, stride, groups, *arithmetic)(x)
        return convolution(
            x,
            features,
            size,
            padding,
            self.kernel_init,
            self.precision,
            self.bias_init,
            stride,
            groups,
        )

    @nn.nowrap
    def conv_and_pool(self, x: Array, features: int, size: int, padding: str) -> Array:
        """`max_pool` of `conv`; as one, it is faster on a CPU."""
        if not self.fuses_pooling:
            return max_pool(self.conv(x, features, size, padding))
        settings = self.kernel_init, self.precision, self.bias_init
        return convolution(x, features, size, padding, *settings, pools=True)

    @nn.nowrap
    def dense(self, x: Array, features: int) -> Array:
        """`x W + b`, `[..., n]` to `[..., features]`."""
        return linear(x, features, self.kernel_init, self.precision, self.bias_init)

    @nn.nowrap
    def logits(self, x: Array) -> Array:
        """The last dense layer, float32 `[batch, num_classes]`."""
        return self.dense(x, self.num_classes).astype(jnp.float32)

    @nn.nowrap
    def batch_norm(self, x: Array, train: bool) -> Array:
        """BatchNorm with the momentum and epsilon of the paper's framework.

        Raises:
          TypeError: the class does not say that it normalizes.
        """
        if not self.normalizes:
            raise TypeError(f"{type(self).__name__} has BatchNorm; say `normalizes = True` in it")
        if self.folded:
            return x
        return nn.BatchNorm(
            use_running_average=not train,
            momentum=BATCH_NORM_MOMENTUM,
            epsilon=BATCH_NORM_EPSILON,
            dtype=PRECISIONS[self.precision].dtype,
        )(x)

    @nn.nowrap
    def drop(self, x: Array, rate: float, form: str, train: bool) -> Array:
        """Dropout, `form` a name of `DROPOUTS`."""
        return dropout(x, rate, form, train or self.keeps_dropping)

    @nn.nowrap
    def activate(self, x: Array) -> Array:
        """The function under test."""
        return ActivationLayer(self.activation, self.sharing)(x)


# The axes of NHWC along which all are dropped together.
DROPOUTS: dict[str, tuple[int, ...]] = {"channels": (1, 2), "elements": ()}


def dropout(x: Array, rate: float, form: str, active: bool) -> Array:
    """Zeroes with probability `rate`, scales what is left by 1/(1 - rate); NHWC.

    Args:
      form: "channels": whole channels of an image, Dropout2d; "elements": each number for itself.
      active: if not, `x` is returned.

    Source: Srivastava et al. 2014 (JMLR 15, 1929-1958); of channels: Tompson et al. 2015
    (arXiv:1411.4280), section 3.2, "SpatialDropout".
    """
    return nn.Dropout(rate, broadcast_dims=DROPOUTS[form], deterministic=not active)(x)


def flatten(x: Array) -> Array:
    """`[batch, ...]` to `[batch, n]`."""
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))
