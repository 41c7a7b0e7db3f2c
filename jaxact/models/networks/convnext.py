"""A small ConvNeXt for images of 32 pixels (3,376,290 parameters with 10 classes)."""

from typing import ClassVar

from flax import linen as nn
from jax import Array

from jaxact.models.layers.conv_net import ConvNet
from jaxact.models.layers.layer_scale import LayerScale


class ConvNeXt(ConvNet):
    """Residual blocks of a depthwise 7x7 convolution, LayerNorm and two dense layers of a pixel.

    Conv 2x2/2, then four stages of 2, 2, 6 and 2 blocks with 40, 80, 160 and 320 channels, between
    them LayerNorm and conv 2x2/2; the mean over pixels, LayerNorm, one dense layer. The activation
    (GELU in the paper) stands once in a block, between a dense layer to four times the channels
    and one back, whose outputs are scaled by a learned factor a channel before they are added to
    the block's input. LayerNorm is over the channels of a pixel.

    Depths and widths are those of timm's ConvNeXt-Atto; the first convolution is 2x2 of stride 2
    instead of 4x4 of stride 4, so that 16x16, 8x8, 4x4 and 2x2 pixels are left of 32x32. Stochastic
    depth is left out: its rate at this size is 0.

    Source: Liu et al. 2022 (arXiv:2201.03545), figure 4 and section 2.

    Attributes: those of `ConvNet`.
    """

    input_size: ClassVar[int] = 16
    image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 3)
    widths: ClassVar[tuple[int, ...]] = (40, 80, 160, 320)  # channels of each stage
    depths: ClassVar[tuple[int, ...]] = (2, 2, 6, 2)  # blocks of each stage

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]`, at least 16x16, to logits `[batch, classes]`."""
        del train  # nothing in it differs
        x = images
        for stage, (features, depth) in enumerate(zip(self.widths, self.depths, strict=True)):
            x = self.halved(self.layer_norm(x), features) if stage else self.begin(x)
            for _ in range(depth):
                x = self.block(x)
        return self.logits(self.layer_norm(x.mean((1, 2))))

    @nn.nowrap
    def halved(self, x: Array, features: int) -> Array:
        """A 2x2 convolution of stride 2: half the height and width."""
        return self.conv(x, features, 2, "VALID", stride=2)

    @nn.nowrap
    def begin(self, images: Array) -> Array:
        """Patches of 2x2 pixels to the first stage's channels."""
        return self.layer_norm(self.halved(images, self.widths[0]))

    @nn.nowrap
    def block(self, x: Array) -> Array:
        """A residual block: the shape of `x`."""
        channels = x.shape[-1]
        y = self.layer_norm(self.conv(x, channels, 7, 3, groups=channels))
        inner = 4 * channels
        y = self.activate(self.dense(y, self.widened(inner)), inner)
        y = self.dense(y, channels)
        return x + LayerScale()(y)
