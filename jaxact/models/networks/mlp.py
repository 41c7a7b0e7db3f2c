"""A multilayer perceptron (1,796,010 parameters with 28x28x1 images and 10 classes)."""

from typing import ClassVar

from flax import linen as nn
from jax import Array

from jaxact.models.layers.common import flatten
from jaxact.models.layers.conv_net import ConvNet


class MLP(ConvNet):
    """Two hidden dense layers of 1000 units, each with the activation, and one for the logits.

    No convolution, no normalisation and no dropout: images of any size are a row of numbers.

    Source: Kingma and Ba 2015 (arXiv:1412.6980), section 6.2, without its regularisation.

    Attributes: those of `ConvNet`.
    """

    input_size: ClassVar[int] = 1
    image_shape: ClassVar[tuple[int, int, int]] = (28, 28, 1)
    widths: ClassVar[tuple[int, ...]] = (1000, 1000)  # units of each hidden layer

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]`, of one size, to logits `[batch, classes]`."""
        del train  # nothing in it differs
        x = flatten(images)
        for features in self.widths:
            x = self.activate(self.dense(x, self.widened(features)), features)
        return self.logits(x)
