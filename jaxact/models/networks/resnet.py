"""Residual networks for images of 32 pixels: ResNet-20, ResNet-18, and pre-activation ResNet-18."""

from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from jaxact.models.layers.conv_net import ConvNet


class ResidualNet(ConvNet):
    """A 3x3 convolution, stages of blocks of two that are added to their input, one dense layer.

    The first block of each stage but the first has a stride of 2. Convolutions have no bias, as
    BatchNorm follows each.

    Attributes: those of `ConvNet`.
    """

    input_size: ClassVar[int] = 8
    image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 3)
    normalizes: ClassVar[bool] = True
    widths: ClassVar[tuple[int, ...]]  # channels of each stage
    blocks: ClassVar[int]  # of each stage

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]`, at least 8x8, to logits `[batch, classes]`."""
        x = self.begin(images, train)
        for stage, features in enumerate(self.widths):
            for block in range(self.blocks):
                x = self.block(x, features, 2 if stage and not block else 1, train)
        return self.logits(self.end(x, train).mean((1, 2)))

    @nn.nowrap
    def conv_no_bias(self, x: Array, features: int, size: int, stride: int = 1) -> Array:
        """A convolution without bias whose padding is half its size, as PyTorch has it."""
        return self.conv(x, features, size, size // 2, stride, has_bias=False)

    @nn.nowrap
    def normalized(self, x: Array, train: bool, features: int | None = None) -> Array:
        """BatchNorm and the activation, of which `features` come; default: as many as x has."""
        return self.activate(self.batch_norm(x, train), features)

    @nn.nowrap
    def normalized_conv(self, x: Array, features: int, train: bool, stride: int = 1) -> Array:
        """A 3x3 convolution without bias, BatchNorm and the activation."""
        x = self.conv_no_bias(x, self.widened(features), 3, stride)
        return self.normalized(x, train, features)

    @nn.nowrap
    def begin(self, images: Array, train: bool) -> Array:
        """From the images to the first block."""
        return self.normalized_conv(images, self.widths[0], train)

    @nn.nowrap
    def end(self, x: Array, train: bool) -> Array:
        """From the last block to the mean over pixels."""
        del train
        return x

    @nn.nowrap
    def shortcut(self, x: Array, features: int, stride: int, train: bool) -> Array:
        """The input of a block in the shape of its output: a 1x1 convolution where that differs."""
        if stride == 1 and x.shape[-1] == features:
            return x
        return self.batch_norm(self.conv_no_bias(x, features, 1, stride), train)

    @nn.nowrap
    def block(self, x: Array, features: int, stride: int, train: bool) -> Array:
        """Two 3x3 convolutions, added to the shortcut before the last activation."""
        inner = self.normalized_conv(x, features, train, stride)
        outer = self.batch_norm(self.conv_no_bias(inner, features, 3), train)
        return self.activate(outer + self.shortcut(x, features, stride, train))


class ResNet18(ResidualNet):
    """ResNet-18 with a 3x3 stem for 32 pixels, four stages of two blocks (11,173,962 parameters).

    Source: He et al. 2015 (arXiv:1512.03385), table 1; the stem and strides for 32 pixels, and
    projections where a shape changes (option B), are those of usual practice on CIFAR.
    """

    widths: ClassVar[tuple[int, ...]] = (64, 128, 256, 512)
    blocks: ClassVar[int] = 2


class ResNet20(ResidualNet):
    """ResNet-20 for CIFAR-10: three stages of three blocks (269,722 parameters with 10 classes).

    Where a shape changes, the shortcut leaves out every second pixel and adds channels of zeros, so
    that it has no parameters (option A).

    Source: He et al. 2015 (arXiv:1512.03385), section 4.2.
    """

    widths: ClassVar[tuple[int, ...]] = (16, 32, 64)
    blocks: ClassVar[int] = 3

    @nn.nowrap
    def shortcut(self, x: Array, features: int, stride: int, train: bool) -> Array:
        """The input of a block, with channels of zeros on both sides where more are needed."""
        del train
        more = features - x.shape[-1]
        return jnp.pad(
            x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (more // 2, more - more // 2))
        )


class PreActResNet18(ResidualNet):
    """ResNet-18 with BatchNorm and activation before each convolution (11,172,170 parameters).

    The sum of a block goes on as it is; the activation ends the network once more.

    Source: He et al. 2016 (arXiv:1603.05027), figure 4 (e).
    """

    widths: ClassVar[tuple[int, ...]] = (64, 128, 256, 512)
    blocks: ClassVar[int] = 2

    @nn.nowrap
    def begin(self, images: Array, train: bool) -> Array:
        del train
        return self.conv_no_bias(images, self.widths[0], 3)

    @nn.nowrap
    def end(self, x: Array, train: bool) -> Array:
        return self.normalized(x, train)

    @nn.nowrap
    def block(self, x: Array, features: int, stride: int, train: bool) -> Array:
        """Two 3x3 convolutions of activations, added to the shortcut."""
        before = self.normalized(x, train)
        shortcut = x
        if stride > 1 or x.shape[-1] != features:
            shortcut = self.conv_no_bias(before, features, 1, stride)
        inner = self.normalized_conv(before, features, train, stride)
        return shortcut + self.conv_no_bias(inner, features, 3)
