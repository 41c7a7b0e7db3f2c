"""The paper's small CNN for MNIST (its table 1; 21,840 parameters with 28x28x1 images)."""

import functools
from typing import ClassVar

from flax import linen as nn
from jax import Array

from jaxact.models.convolution.pooling import max_pool
from jaxact.models.layers.common import flatten
from jaxact.models.layers.conv_net import ConvNet


class SmallCNN(ConvNet):
    """Conv 5x5 (10), pool, act, conv 5x5 (20), dropout, pool, act, dense 50, act, dense 10.

    The activation stands after the pooling, as in the paper. For a monotonic function that equals
    activation before pooling; for others (swish, GELU, Mish) it does not.

    Attributes:
      dropout: a name of `DROPOUTS`; the paper has Dropout2d, "channels".
      dropout_rate: the paper does not state it, 0.5 is its framework's default.
      Those of `ConvNet`.
    """

    input_size: ClassVar[int] = 28
    image_shape: ClassVar[tuple[int, int, int]] = (28, 28, 1)

    dropout: str = "channels"
    dropout_rate: float = 0.5

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]`, at least 16x16, to logits `[batch, classes]`."""
        x = self.activate(self.conv_and_pool(images, self.widened(10), 5, "VALID"), 10)
        drop = functools.partial(self.drop, rate=self.dropout_rate, form=self.dropout, train=train)
        if self.dropout == "channels":  # of a channel dropped as a whole, pooling sees nothing
            x = drop(self.conv_and_pool(x, self.widened(20), 5, "VALID"))
        else:
            x = max_pool(drop(self.conv(x, self.widened(20), 5, "VALID")))
        x = self.activate(x, 20)
        x = self.activate(self.dense(flatten(x), self.widened(50)), 50)
        return self.logits(x)
