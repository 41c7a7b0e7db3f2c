"""The way in which a CPU computes a convolution, chosen by its shape.

`python -m benchmarks.convolutions` times a convolution with both its gradients by every way that
takes it, and says how far this choice is from the best: benchmarks/results/convolutions-cpu.json.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp

from jaxact.models.convolution import banded, direct, winograd
from jaxact.models.convolution.native import NO_PADDING, Padding, Pair

# The ways of a convolution of one group.
PRODUCT = "product"  # of a 1x1 kernel: one product, without copies
NATIVE = "native"  # XLA's own kernels
TAPS = "taps"  # a product for each entry of the kernel
WINOGRAD = "winograd"
BANDED = "banded"
PATCHES = "patches"
STRIDED = "strided patches"  # the others compute a stride as `Shape.dense` says
WAYS = (PRODUCT, NATIVE, TAPS, WINOGRAD, BANDED, PATCHES, STRIDED)

NARROW = 16  # channels, below which Winograd's products are too narrow
FEW_ENTRIES, WIDE = 4, 64  # entries of a kernel, and channels: a stride's blocks; taps copy nothing
FEWEST_TILES = 128  # of all images, that pay for Winograd's transform of the kernel
FEWEST_ROWS = 64  # of the product: with fewer it is to read the kernel that takes the time
PADDING_SHARE = 0.5  # of the direct sum's products that are of pixels, below which taps pay
FEW_FEATURES = 32  # of a product that is too narrow by itself: a band matrix widens it
FEW_PIXELS = 256  # of the outputs of all images: with fewer an output-major kernel is read in order
MANY_GROUPS = 4  # from which on they are computed at once


class Shape(NamedTuple):
    """A convolution of one group.

    Attributes:
      images: `(batch, height, width, channels)`.
      kernel: `(kernel_height, kernel_width, channels, features)`.
      padding: zeros before and after, of height and of width.
      dilation: pixels from one entry of the kernel to the next.
      dtype: of images and kernel.
      pools: whether max-pooling of 2x2 squares follows.
      strides: of height and of width.
    """

    images: tuple[int, ...]
    kernel: tuple[int, ...]
    padding: Padding
    dilation: Pair = (1, 1)
    dtype: str = "float32"
    pools: bool = False
    strides: Pair = (1, 1)

    @property
    def out_size(self) -> Pair:
        """Height and width of the outputs."""
        height, width = (
            (size + sum(pads) - (entries - 1) * step - 1) // stride + 1
            for size, entries, pads, step, stride in zip(
                self.images[1:3],
                self.kernel[:2],
                self.padding,
                self.dilation,
                self.strides,
                strict=True,
            )
        )
        return height, width

    @property
    def dense(self) -> "Shape":
        """The convolution of stride 1 by which it can be computed, itself if it is one.

        Of a kernel of one entry the pixels that it sees; of a dilated one all outputs, of which
        some are left out; of others blocks of pixels, as large as the strides.
        """
        if self.kernel[:2] == (1, 1):
            images = (self.images[0], *self.out_size, self.images[3])
            one = {"padding": NO_PADDING, "dilation": (1, 1), "strides": (1, 1)}
            return self._replace(images=images, **one)
        if self.strides == (1, 1) or self.dilation != (1, 1):
            return self._replace(strides=(1, 1))
        blocks = [-(-size // n) for size, n in zip(self.kernel[:2], self.strides, strict=True)]
        counts = [size + n - 1 for size, n in zip(self.out_size, blocks, strict=True)]
        channels = math.prod(self.strides) * self.kernel[2]
        return self._replace(
            images=(self.images[0], *counts, channels),
            kernel=(*blocks, channels, self.kernel[3]),
            padding=NO_PADDING,
            strides=(1, 1),
        )

    @property
    def fills_blocks(self) -> bool:
        """Whether the kernel is made of whole blocks, as large as the strides."""
        sizes = zip(self.kernel[:2], self.strides, strict=True)
        return all(size % stride == 0 for size, stride in sizes)


def ways(shape: Shape) -> list[str]:
    """All ways that take a convolution; `choose` names one of them."""
    if shape.dense != shape:
        is_one_entry = shape.kernel[:2] == (1, 1)
        has_patches = shape.dilation == (1, 1) and not (is_one_entry or shape.fills_blocks)
        return ways(shape.dense) + [STRIDED] * has_patches
    is_dense, entries = shape.dilation == (1, 1), math.prod(shape.kernel[:2])
    takes = {
        PRODUCT: entries == 1 and not any(map(sum, shape.padding)),
        NATIVE: True,
        TAPS: is_dense,
        WINOGRAD: is_dense and _has_winograds(shape),
        BANDED: is_dense and entries > 1 and banded.takes(shape.out_size, shape.pools),
        PATCHES: True,
    }
    return [way for way, can in takes.items() if can]


def _has_winograds(shape: Shape) -> bool:
    """Whether Winograd's kernel is this one, and keeps the digits of the dtype."""
    return shape.kernel[:2] == (winograd.KERNEL,) * 2 and jnp.finfo(shape.dtype).bits >= 32


def choose(shape: Shape) -> str:
    """The fastest way for a convolution with its gradients."""
    if shape.dense != shape:
        way = choose(shape.dense)
        # Zeros that fill its blocks are multiplied, too.
        return STRIDED if way in (TAPS, PATCHES) and STRIDED in ways(shape) else way
    possible = ways(shape)
    channels, features = shape.kernel[2:]
    rows = shape.images[0] * math.prod(shape.out_size)
    tiles = shape.images[0] * math.prod(-(-size // winograd.TILE) for size in shape.out_size)
    if PRODUCT in possible:
        return PRODUCT
    if TAPS not in possible:
        return NATIVE
    share = direct.share_of_pixels(shape.images, shape.kernel, shape.padding)
    if share < PADDING_SHARE and rows >= FEWEST_ROWS:
        return TAPS
    if math.prod(shape.kernel[:2]) <= FEW_ENTRIES and channels >= WIDE and rows >= FEWEST_ROWS:
        return TAPS
    if WINOGRAD in possible and channels >= NARROW and tiles >= FEWEST_TILES:
        return WINOGRAD
    if BANDED in possible and features <= FEW_FEATURES:
        return BANDED
    return PATCHES


def has_few_pixels(shape: Shape) -> bool:
    """Whether outputs are so few that `direct.by_rows_of_kernel` pays, where it can be taken."""
    return shape.images[0] * math.prod(shape.out_size) <= FEW_PIXELS
