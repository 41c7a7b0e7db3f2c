"""How convolution is computed, chosen per platform.

XLA's CPU convolution is slow, and inside a loop (`lax.scan`) it also loses its threads; a matrix
product keeps both. So on a CPU a convolution becomes matrix products: Winograd's for 3x3 kernels
where they pay, those of a band matrix for few features, one for each entry of the kernel where much
of it falls on padding, else one product of patches, made by concatenating shifted slices. One of a
stride becomes one of stride 1 over blocks of pixels, one of groups as many without. Accelerators
keep their own convolution.
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxact.models import banded, winograd
from jaxact.models.pooling import max_pool

Padding = Sequence[tuple[int, int]]  # before and after, of height and of width
_NHWC = lax.ConvDimensionNumbers((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))


def patches_convolution(images: Array, kernel: Array) -> Array:
    """Convolution of stride 1, without padding, as a matrix product of patches.

    `out[b, y, x, o] = sum_{i, j, c} images[b, y + i, x + j, c] kernel[i, j, c, o]`

    Args:
      images: `[batch, height, width, channels]`.
      kernel: `[kernel_height, kernel_width, channels, features]`.

    Returns:
      `[batch, out_height, out_width, features]`.
    """
    kernel_height, kernel_width, _, features = kernel.shape
    batch, height, width, _ = images.shape
    height, width = height - kernel_height + 1, width - kernel_width + 1
    slices = [
        images[:, i : i + height, j : j + width]
        for i in range(kernel_height)
        for j in range(kernel_width)
    ]
    patches = jnp.concatenate(slices, axis=-1).reshape(batch * height * width, -1)
    outputs = patches @ kernel.reshape(-1, features)
    return outputs.reshape(batch, height, width, features)


class _Overlap(NamedTuple):
    """Along one axis, the outputs that one entry of the kernel contributes to, and their inputs."""

    inputs: slice
    outputs: slice


def _overlaps(size: int, kernel_size: int, padding: tuple[int, int]) -> list[_Overlap]:
    """For every entry of the kernel, what of it does not fall on padding; may be empty."""
    first = padding[0]
    out_size = size + sum(padding) - kernel_size + 1
    overlaps = []
    for i in range(kernel_size):
        start, stop = max(0, first - i), min(out_size, size + first - i)
        stop = max(start, stop)
        overlaps.append(_Overlap(slice(start + i - first, stop + i - first), slice(start, stop)))
    return overlaps


def _length(part: slice) -> int:
    return part.stop - part.start


def taps_convolution(images: Array, kernel: Array, padding: Padding) -> Array:
    """Convolution of stride 1 as a sum over the kernel's entries, without products of padding.

    Args:
      images: `[batch, height, width, channels]`.
      kernel: `[kernel_height, kernel_width, channels, features]`.
      padding: zeros before and after, of height and of width.

    Returns:
      `[batch, out_height, out_width, features]`.
    """
    batch, height, width, channels = images.shape
    kernel_height, kernel_width, _, features = kernel.shape
    out_height = height + sum(padding[0]) - kernel_height + 1
    out_width = width + sum(padding[1]) - kernel_width + 1
    outputs = jnp.zeros((batch, out_height, out_width, features), images.dtype)
    for i, rows in enumerate(_overlaps(height, kernel_height, padding[0])):
        for j, columns in enumerate(_overlaps(width, kernel_width, padding[1])):
            if not _length(rows.outputs) or not _length(columns.outputs):
                continue
            part = images[:, rows.inputs, columns.inputs]
            product = part.reshape(-1, channels) @ kernel[i, j]
            around = [
                (taken.start, whole - taken.stop)
                for taken, whole in ((rows.outputs, out_height), (columns.outputs, out_width))
            ]
            outputs += jnp.pad(
                product.reshape(*part.shape[:3], features), ((0, 0), *around, (0, 0))
            )
    return outputs


def _suits_taps(images: Array, kernel: Array, padding: Padding) -> bool:
    """Whether less than half of the direct sum's products are of pixels, and that matters."""
    share, rows = 1.0, images.shape[0]
    for size, kernel_size, pads in zip(images.shape[1:3], kernel.shape[:2], padding, strict=True):
        out_size = size + sum(pads) - kernel_size + 1
        rows *= out_size
        pixels = sum(_length(overlap.outputs) for overlap in _overlaps(size, kernel_size, pads))
        share *= pixels / (kernel_size * out_size)
    # Of few rows, it is to read the kernel that takes the time; to cut it up, as much again.
    return share < 0.5 and rows >= 64


def _suits_winograd(images: Array, kernel: Array, padding: Padding) -> bool:
    """Whether Winograd's convolution pays, and keeps the digits that its dtype has."""
    batch, height, width, channels = images.shape
    if kernel.shape[:2] != (winograd.KERNEL, winograd.KERNEL) or jnp.finfo(images.dtype).bits < 32:
        return False
    tiles = batch
    for size, pads in zip((height, width), padding, strict=True):
        tiles *= -(-(size + sum(pads) - winograd.KERNEL + 1) // winograd.TILE)
    # Few tiles do not pay for the transform of the kernel, few channels not for that of the tiles.
    return channels >= 16 and tiles >= 128


def cpu_convolution(images: Array, kernel: Array, padding: Padding, pools: bool = False) -> Array:
    """Convolution of stride 1, and max-pooling if asked for, in the fastest way on a CPU."""
    if _suits_taps(images, kernel, padding):
        outputs = taps_convolution(images, kernel, padding)
    elif _suits_winograd(images, kernel, padding):
        outputs = winograd.convolution(images, kernel, padding)
    else:
        images = jnp.pad(images, ((0, 0), *padding, (0, 0)))
        if banded.suits(images, kernel, pools):
            return banded.convolution(images, kernel, pools)
        outputs = patches_convolution(images, kernel)
    return max_pool(outputs) if pools else outputs


def over_blocks(
    images: Array, kernel: Array, strides: Sequence[int], padding: Padding
) -> tuple[Array, Array]:
    """Images and kernel whose convolution of stride 1, without padding, is that of the strides.

    A block of pixels, as large as the strides, becomes the channels of one pixel; so do the entries
    of the kernel, which zeros fill up to whole blocks.

    Args:
      images: `[batch, height, width, channels]`.
      kernel: `[kernel_height, kernel_width, channels, features]`.
      strides: of height and of width.
      padding: zeros before and after, of height and of width.

    Returns:
      `[batch, rows, columns, block * channels]` and
      `[kernel_rows, kernel_columns, block * channels, features]`.
    """
    batch, height, width, channels = images.shape
    blocks = [-(-size // stride) for size, stride in zip(kernel.shape[:2], strides, strict=True)]
    counts = [
        (size + sum(pads) - kernel_size) // stride + of_kernel
        for size, pads, kernel_size, stride, of_kernel in zip(
            (height, width), padding, kernel.shape[:2], strides, blocks, strict=True
        )
    ]
    # What no output sees is cut off: padding may be negative in `lax.pad`.
    after = [
        count * stride - size - pads[0]
        for count, stride, size, pads in zip(counts, strides, (height, width), padding, strict=True)
    ]
    edges = [(pads[0], end, 0) for pads, end in zip(padding, after, strict=True)]
    images = lax.pad(images, jnp.zeros((), images.dtype), ((0, 0, 0), *edges, (0, 0, 0)))
    images = images.reshape(batch, counts[0], strides[0], counts[1], strides[1], channels)
    images = images.transpose(0, 1, 3, 2, 4, 5).reshape(batch, *counts, -1)
    filled = [
        (0, count * stride - size)
        for count, stride, size in zip(blocks, strides, kernel.shape[:2], strict=True)
    ]
    features = kernel.shape[-1]
    kernel = jnp.pad(kernel, (*filled, (0, 0), (0, 0)))
    kernel = kernel.reshape(blocks[0], strides[0], blocks[1], strides[1], channels, features)
    return images, kernel.transpose(0, 2, 1, 3, 4, 5).reshape(*blocks, -1, features)


# Compiled as a whole where it is called outside of a compiled function: its many slices one by one
# would take seconds. Inside of one nothing is changed.
@functools.partial(jax.jit, inline=True, static_argnames=("strides", "padding", "groups", "pools"))
def _on_cpu(
    images: Array,
    kernel: Array,
    strides: Sequence[int],
    padding: Padding,
    groups: int,
    pools: bool,
) -> Array:
    def of_group(images: Array, kernel: Array) -> Array:
        if all(stride == 1 for stride in strides):
            return cpu_convolution(images, kernel, padding, pools)
        blocks = over_blocks(images, kernel, strides, padding)
        return cpu_convolution(*blocks, ((0, 0), (0, 0)), pools)

    parts = [jnp.split(array, groups, axis=-1) for array in (images, kernel)]
    return jnp.concatenate(list(map(of_group, *parts)), axis=-1)


def conv_general_dilated(
    lhs: Array,
    rhs: Array,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    precision: Any = None,
    pools: bool = False,
) -> Array:
    """`jax.lax.conv_general_dilated`, faster on a CPU; for `nn.Conv(conv_general_dilated=...)`.

    Dilation, cropping and layouts other than NHWC are left to XLA.

    Args:
      pools: whether `max_pool` of 2x2 squares follows. What `nn.Conv` adds is then added to fewer
        numbers, and gives the same as if added before: the largest stays the largest.
      Those of `jax.lax.conv_general_dilated`.
    """

    def stock(lhs, rhs):
        outputs = lax.conv_general_dilated(
            lhs,
            rhs,
            window_strides,
            padding,
            lhs_dilation=lhs_dilation,
            rhs_dilation=rhs_dilation,
            dimension_numbers=dimension_numbers,
            feature_group_count=feature_group_count,
            precision=precision,
        )
        return max_pool(outputs) if pools else outputs

    def is_one(factors: Sequence[int] | None) -> bool:
        return factors is None or all(factor == 1 for factor in factors)

    numbers = lax.conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    if not (is_one(lhs_dilation) and is_one(rhs_dilation)) or numbers != _NHWC:
        return stock(lhs, rhs)
    kernel_size = rhs.shape[:2]
    pads = (
        lax.padtype_to_pads(lhs.shape[1:3], kernel_size, window_strides, padding)
        if isinstance(padding, str)
        else padding
    )
    if any(amount < 0 for pair in pads for amount in pair):
        return stock(lhs, rhs)

    on_cpu = functools.partial(
        _on_cpu,
        strides=tuple(window_strides),
        padding=tuple(map(tuple, pads)),
        groups=feature_group_count,
        pools=pools,
    )
    if jax.default_backend() == "cpu":  # the only platform; to trace both would take seconds
        return on_cpu(lhs, rhs)
    return lax.platform_dependent(lhs, rhs, cpu=on_cpu, default=stock)
