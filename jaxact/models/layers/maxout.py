"""Maxout: a layer that is its own activation, the largest of several affine pieces.

Source: Goodfellow et al. 2013 (arXiv:1302.4389), section 3.
"""

from flax import linen as nn
from jax import Array

from jaxact.errors import ConfigError
from jaxact.models.layers.common import convolution, linear


def maxout(x: Array, pieces: int) -> Array:
    """The largest of each `pieces` channels that are n / pieces apart, `[..., n]`.

    Raises:
      ConfigError: `pieces` does not divide the number of channels.
    """
    if pieces < 1 or x.shape[-1] % pieces:
        raise ConfigError(f"pieces={pieces} must divide the number of channels, {x.shape[-1]}")
    return x.reshape(*x.shape[:-1], pieces, x.shape[-1] // pieces).max(-2)


class MaxoutDense(nn.Module):
    """Maxout: `max_j (x W_j + b_j)`, `[..., n]` to `[..., features]`.

    `pieces` dense layers of which the largest output counts: `pieces` times the parameters of one,
    and a convex, piecewise linear function that is learned.

    Attributes:
      features: units of the output.
      pieces: affine pieces of each unit.
      kernel_init: a name of `jaxact.models.layers.initializers`, for every piece.
      precision: a name of `PRECISIONS`.
    """

    features: int
    pieces: int = 2
    kernel_init: str = "torch_default"
    precision: str = "float32"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        units = self.features * self.pieces
        return maxout(linear(x, units, self.kernel_init, self.precision), self.pieces)


class MaxoutConv(nn.Module):
    """Maxout across channels: the largest of `pieces` convolutions at each place, NHWC.

    Attributes:
      features: channels of the output.
      size: height and width of the kernels.
      padding: "SAME" or "VALID".
      Those of `MaxoutDense`.
    """

    features: int
    size: int
    padding: str = "SAME"
    pieces: int = 2
    kernel_init: str = "torch_default"
    precision: str = "float32"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        channels = self.features * self.pieces
        x = convolution(x, channels, self.size, self.padding, self.kernel_init, self.precision)
        return maxout(x, self.pieces)
