"""The paper's small CNN for MNIST (its table 1; 21,840 parameters with 28x28x1 images)."""

from typing import ClassVar

from flax import linen as nn
from jax import Array

from jaxact import activations
from jaxact.models.layers import ActivationLayer, conv, dense, dropout2d, flatten
from jaxact.models.lowering import max_pool


class SmallCNN(nn.Module):
    """Conv 5x5 (10), pool, act, conv 5x5 (20), Dropout2d, pool, act, dense 50, act, dense 10.

    The activation stands after the pooling, as in the paper. For a monotonic function that equals
    activation before pooling; for others (swish, GELU, Mish) it does not.

    Attributes:
      activation: the function under test.
      num_classes: number of logits.
      kernel_init: a name of `jaxact.models.initializers`.
      sharing: of the activation's learnable parameters, "layer" or "channel".
      dropout_rate: of the Dropout2d; the paper does not state it, 0.5 is its framework's default.
    """

    input_size: ClassVar[int] = 28

    activation: activations.Activation
    num_classes: int = 10
    kernel_init: str = "torch_default"
    sharing: str = "layer"
    dropout_rate: float = 0.5

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]`, at least 16x16, to logits `[batch, classes]`."""

        def activate(x: Array) -> Array:
            return ActivationLayer(self.activation, self.sharing)(x)

        x = activate(max_pool(conv(images, 10, 5, "VALID", self.kernel_init)))
        x = dropout2d(conv(x, 20, 5, "VALID", self.kernel_init), self.dropout_rate, train)
        x = flatten(activate(max_pool(x)))
        x = activate(dense(x, 50, self.kernel_init))
        return dense(x, self.num_classes, self.kernel_init)
