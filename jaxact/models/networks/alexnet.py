"""AlexNet (60,965,224 parameters with 1000 classes), and its half for 32x32 images."""

from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from jaxact.models.convolution.pooling import OverlappingMaxPool
from jaxact.models.layers.common import flatten
from jaxact.models.layers.conv_net import ConvNet
from jaxact.models.layers.normalization import LocalResponseNorm

FIELD = 227  # pixels that conv 11x11 of stride 4 covers with 55 outputs


class AlexNet(ConvNet):
    """Five convolutions, the first two with LRN, three overlapping poolings, three dense layers.

    Conv 11x11/4 96, LRN, pool; conv 5x5 256 in 2 groups, LRN, pool; conv 3x3 384; conv 3x3 384 and
    conv 3x3 256 in 2 groups, pool; dense 4096, dense 4096, dense classes. The activation stands
    after every convolution and hidden dense layer, before LRN and pooling; dropout follows both
    hidden dense layers. Groups are what the original's two GPUs computed each by itself.

    The paper says 224x224 images, but its 55x55 outputs need 227: smaller images get a border of
    zeros. The original starts from `kernel_init="normal_0.01"` and biases of 1 or 0; here biases
    are as in the other models.

    Source: Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep Convolutional
    Neural Networks", section 3.

    Attributes:
      dropout_rate: of the hidden dense layers.
      Those of `ConvNet`.
    """

    input_size: ClassVar[int] = 224
    image_shape: ClassVar[tuple[int, int, int]] = (FIELD, FIELD, 3)
    widths: ClassVar[tuple[int, ...]] = (96, 256, 384, 384, 256)
    hidden: ClassVar[int] = 4096

    dropout_rate: float = 0.5

    @nn.nowrap
    def first(self, images: Array) -> Array:
        """The first convolution: `[batch, 227, 227, channels]` to `[batch, 55, 55, 96]`."""
        missing = [max(FIELD - side, 0) for side in images.shape[1:3]]
        border = [(amount // 2, amount - amount // 2) for amount in missing]
        images = jnp.pad(images, ((0, 0), *border, (0, 0)))
        return self.conv(images, self.widened(self.widths[0]), 11, "VALID", stride=4)

    @nn.nowrap
    def activated_conv(self, x: Array, features: int, size: int, groups: int = 1) -> Array:
        """A convolution that keeps height and width, and the activation."""
        x = self.conv(x, self.widened(features, groups), size, "SAME", groups=groups)
        return self.activate(x, features, groups)

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]`, at least `input_size`, to `[batch, classes]`."""
        first, second, third, fourth, fifth = self.widths
        x = self.activate(self.first(images), first)
        x = OverlappingMaxPool()(LocalResponseNorm()(x))
        x = self.activated_conv(x, second, 5, groups=2)
        x = OverlappingMaxPool()(LocalResponseNorm()(x))
        x = self.activated_conv(x, third, 3)
        x = self.activated_conv(x, fourth, 3, groups=2)
        x = self.activated_conv(x, fifth, 3, groups=2)
        x = flatten(OverlappingMaxPool()(x))
        for _ in range(2):
            x = self.activate(self.dense(x, self.widened(self.hidden)), self.hidden)
            x = self.drop(x, self.dropout_rate, "elements", train)
        return self.logits(x)


class AlexNet32(AlexNet):
    """AlexNet for 32x32 images, half as wide: what one of the original's two GPUs held.

    The first convolution is 5x5 of stride 1 ("SAME"), so that 32x32 outputs are pooled to 16x16,
    8x8 and 4x4; all else is as in `AlexNet`. 8,991,946 parameters for CIFAR-10.

    Attributes: those of `AlexNet`.
    """

    input_size: ClassVar[int] = 32
    image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 3)
    widths: ClassVar[tuple[int, ...]] = (48, 128, 192, 192, 128)
    hidden: ClassVar[int] = 2048

    @nn.nowrap
    def first(self, images: Array) -> Array:
        """The first convolution: `[batch, 32, 32, channels]` to `[batch, 32, 32, 48]`."""
        return self.conv(images, self.widened(self.widths[0]), 5, "SAME")
