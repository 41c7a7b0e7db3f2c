"""VGG-11 with BatchNorm for 32x32 images (the paper's table 2; 9,231,114 trainable parameters)."""

from typing import ClassVar

from flax import linen as nn
from jax import Array

from jaxact import activations
from jaxact.models.layers import ActivationLayer, conv, dense
from jaxact.models.lowering import max_pool

POOL = 0
VGG11_LAYERS = (64, POOL, 128, POOL, 256, 256, POOL, 512, 512, POOL, 512, 512, POOL)


class VGG11(nn.Module):
    """Eight 3x3 convolutions, each with BatchNorm and activation, in five stages with max-pooling.

    The average over what is left (1x1 for 32x32 images) goes to one dense layer. BatchNorm's
    running statistics are in the collection `batch_stats`; their momentum (0.9) and epsilon (1e-5)
    are those of the paper's framework.

    Source: Simonyan and Zisserman 2015 (arXiv:1409.1556), configuration A; BatchNorm: Ioffe and
    Szegedy 2015 (arXiv:1502.03167).

    Attributes:
      activation: the function under test.
      num_classes: number of logits.
      kernel_init: a name of `jaxact.models.initializers`.
      sharing: of the activation's learnable parameters, "layer" or "channel".
    """

    input_size: ClassVar[int] = 32

    activation: activations.Activation
    num_classes: int = 10
    kernel_init: str = "torch_default"
    sharing: str = "layer"

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]`, at least 32x32, to logits `[batch, classes]`."""
        x = images
        for features in VGG11_LAYERS:
            if features == POOL:
                x = max_pool(x)
            else:
                x = conv(x, features, 3, "SAME", self.kernel_init)
                x = nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)(x)
                x = ActivationLayer(self.activation, self.sharing)(x)
        return dense(x.mean((1, 2)), self.num_classes, self.kernel_init)
