"""VGG-11 with BatchNorm for 32x32 images (the paper's table 2; 9,231,114 trainable parameters)."""

from typing import ClassVar

from flax import linen as nn
from jax import Array

from jaxact.models.convolution.pooling import max_pool
from jaxact.models.layers.conv_net import ConvNet

STAGES = ((64,), (128,), (256, 256), (512, 512), (512, 512))


class VGG11(ConvNet):
    """Five stages of 3x3 convolutions, each with BatchNorm and activation, ended by max-pooling.

    The average over what is left (1x1 for 32x32 images) goes to one dense layer. BatchNorm's
    running statistics are in the collection `batch_stats`.

    Source: Simonyan and Zisserman 2015 (arXiv:1409.1556), configuration A; BatchNorm: Ioffe and
    Szegedy 2015 (arXiv:1502.03167).

    Attributes: those of `ConvNet`.
    """

    input_size: ClassVar[int] = 32
    image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 3)
    normalizes: ClassVar[bool] = True

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]`, at least 32x32, to logits `[batch, classes]`."""
        x = images
        for stage in STAGES:
            for features in stage:
                x = self.conv(x, self.widened(features), 3, "SAME")
                x = self.activate(self.batch_norm(x, train), features)
            x = max_pool(x)
        return self.logits(x.mean((1, 2)))
