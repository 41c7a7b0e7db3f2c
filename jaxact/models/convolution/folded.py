"""The convolution of a network that is there to predict: of one image, or a few."""

from flax import linen as nn
from jax import Array, lax
from jax.typing import DTypeLike

from jaxact.models.convolution import lowering


class FoldedConv(nn.Module):
    """`nn.Conv` with its kernel stored output-major, `[features, height, width, channels]`.

    The product of one image's few pixels takes as long as to read the kernel, and reads this one in
    order. `jaxact.inference.folding` makes the parameters.

    Attributes:
      features: channels of the output.
      size: height and width of the kernel.
      padding: "SAME" or "VALID".
      stride: of height and width.
      groups: of `groups` n, each n-th of the features sees its n-th of the channels alone.
      dtype: of the arithmetic and the outputs.
      precision: of the products.
    """

    features: int
    size: int
    padding: str
    stride: int
    groups: int
    dtype: DTypeLike
    precision: lax.Precision

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Maps `[batch, height, width, channels]` to `[batch, out_height, out_width, features]`."""
        shape = self.features, self.size, self.size, x.shape[-1] // self.groups
        kernel = self.param("kernel", nn.initializers.zeros, shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        x, kernel, bias = (array.astype(self.dtype) for array in (x, kernel, bias))
        outputs = lowering.conv_general_dilated(
            x,
            kernel,
            (self.stride, self.stride),
            self.padding,
            dimension_numbers=lowering.OUTPUT_MAJOR,
            feature_group_count=self.groups,
            precision=self.precision,
        )
        return outputs + bias
