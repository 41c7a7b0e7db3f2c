"""MobileNetV2 for images of 32 pixels (2,236,682 parameters with 10 classes)."""

from typing import ClassVar, NamedTuple

from flax import linen as nn
from jax import Array

from jaxact.models.layers.conv_net import ConvNet


class Stage(NamedTuple):
    """Blocks of one width: a row of the paper's table 2.

    Attributes:
      expansion: inner channels of a block over those of its input.
      features: channels of each block's output.
      blocks: how many there are.
      stride: of the first block; that of the others is 1.
    """

    expansion: int
    features: int
    blocks: int
    stride: int


class MobileNetV2(ConvNet):
    """Inverted residuals: wide within a block, narrow between blocks, where nothing is activated.

    Conv 3x3 32, 17 blocks in seven stages, conv 1x1 1280, the mean over pixels, one dense layer. A
    block is a 1x1 convolution to more channels (none where the expansion is 1), a depthwise 3x3,
    and a 1x1 to few channels; it is added to its input where both have one shape. BatchNorm follows
    each convolution, the activation (ReLU6 in the paper) all but a block's last. For 32 pixels the
    strides of the first convolution and of the second stage are 1 instead of 2, as is usual on
    CIFAR: 4x4 pixels are left of 32x32. The official code's dropout before the dense layer is
    left out, as is usual there.

    Source: Sandler et al. 2018 (arXiv:1801.04381), tables 1 and 2.

    Attributes: those of `ConvNet`.
    """

    input_size: ClassVar[int] = 8
    image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 3)
    normalizes: ClassVar[bool] = True
    first: ClassVar[int] = 32  # channels of the first convolution
    stages: ClassVar[tuple[Stage, ...]] = (
        Stage(1, 16, 1, 1),
        Stage(6, 24, 2, 1),
        Stage(6, 32, 3, 2),
        Stage(6, 64, 4, 2),
        Stage(6, 96, 3, 1),
        Stage(6, 160, 3, 2),
        Stage(6, 320, 1, 1),
    )
    last: ClassVar[int] = 1280  # channels of the last convolution

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]`, at least 8x8, to logits `[batch, classes]`."""
        x = self.activated_conv(images, self.first, 3, train)
        for expansion, features, blocks, stride in self.stages:
            for block in range(blocks):
                x = self.block(x, expansion, features, 1 if block else stride, train)
        x = self.activated_conv(x, self.last, 1, train)
        return self.logits(x.mean((1, 2)))

    @nn.nowrap
    def normalized_conv(
        self, x: Array, features: int, size: int, train: bool, stride: int = 1, groups: int = 1
    ) -> Array:
        """A convolution without bias, padded by half its size as PyTorch has it, and BatchNorm."""
        x = self.conv(x, features, size, size // 2, stride, groups, has_bias=False)
        return self.batch_norm(x, train)

    @nn.nowrap
    def activated_conv(
        self, x: Array, features: int, size: int, train: bool, stride: int = 1, groups: int = 1
    ) -> Array:
        """A convolution without bias, BatchNorm and the activation."""
        widened = self.widened(features, groups)
        x = self.normalized_conv(x, widened, size, train, stride, groups)
        return self.activate(x, features, groups)

    @nn.nowrap
    def block(self, x: Array, expansion: int, features: int, stride: int, train: bool) -> Array:
        """An inverted residual: `[batch, height, width, n]` to `[..., features]`."""
        channels = x.shape[-1]
        inner, y = expansion * channels, x
        if expansion > 1:
            y = self.activated_conv(y, inner, 1, train)
        y = self.activated_conv(y, inner, 3, train, stride, groups=inner)
        y = self.normalized_conv(y, features, 1, train)
        return x + y if stride == 1 and features == channels else y
