"""Learned factors of a residual block's outputs."""

from flax import linen as nn
from jax import Array

LAYER_SCALE = 1e-6  # Liu et al. 2022 (arXiv:2201.03545), table 5


class LayerScale(nn.Module):
    """`scale x`, a learned factor a channel, which starts small: a residual block begins as none.

    Source: Touvron et al. 2021 (arXiv:2103.17239), section 2.

    Attributes:
      initial: what every factor starts at.
    """

    initial: float = LAYER_SCALE

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """`[..., channels]` to the same shape and dtype."""
        scale = self.param("scale", nn.initializers.constant(self.initial), x.shape[-1:])
        return x * scale.astype(x.dtype)
