"""A four-layer CNN for CIFAR-10, as in AlexNet's paper's figure 1 (89,578 parameters there)."""

from typing import ClassVar

from flax import linen as nn
from jax import Array

from jaxact.models.convolution.pooling import OverlappingMaxPool
from jaxact.models.layers.common import flatten
from jaxact.models.layers.conv_net import ConvNet


class FourLayerCNN(ConvNet):
    """Conv 5x5 32, conv 5x5 32, conv 5x5 64, each with overlapping pooling; one dense layer.

    No regularisation. The paper does not say which its four layers are; these are those of its
    author's first networks for CIFAR-10. The activation stands before the pooling.

    Source: Krizhevsky et al. 2012 (AlexNet), figure 1; cuda-convnet, `layers-80sec.cfg`.

    Attributes: those of `ConvNet`.
    """

    input_size: ClassVar[int] = 8
    image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 3)

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]`, at least 8x8, to logits `[batch, classes]`."""
        del train  # nothing in it differs
        x = images
        for features in (32, 32, 64):
            x = self.conv(x, self.widened(features), 5, "SAME")
            x = OverlappingMaxPool()(self.activate(x, features))
        return self.logits(flatten(x))
