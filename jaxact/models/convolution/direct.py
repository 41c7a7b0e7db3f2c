"""Convolution as the matrix products of its definition.

One product of patches, or one for each entry of the kernel: a tap.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jax.lax import PrecisionLike

from jaxact.models.convolution.native import Padding, Pair, pad
from jaxact.models.convolution.winograd import unstack


def by_patches(
    images: Array,
    kernel: Array,
    dilation: Pair = (1, 1),
    precision: PrecisionLike = None,
) -> Array:
    """Convolution of stride 1, without padding, as a matrix product of patches.

    `out[b, y, x, o] = sum_{i, j, c} images[b, y + i, x + j, c] kernel[i, j, c, o]`

    Args:
      images: `[batch, height, width, channels]`.
      kernel: `[kernel_height, kernel_width, channels, features]`.
      dilation: pixels from one entry of the kernel to the next, of height and of width.
      precision: of the product.

    Returns:
      `[batch, out_height, out_width, features]`.
    """
    return _product(_patches(images, kernel.shape[:2], dilation), kernel, precision)


def by_strided_patches(
    images: Array,
    kernel: Array,
    strides: Pair,
    padding: Padding,
    precision: PrecisionLike = None,
) -> Array:
    """Convolution of a stride as a matrix product of patches.

    The entries of a kernel's row that lie within a stride see pixels side by side, and are copied
    at once; so nothing is taken apart but rows of pixels, and no product is of a zero but those of
    padding.

    Args:
      images: `[batch, height, width, channels]`.
      kernel: `[kernel_height, kernel_width, channels, features]`.
      strides: of height and of width.
      padding: zeros before and after, of height and of width.
      precision: of the product.

    Returns:
      `[batch, out_height, out_width, features]`.
    """
    batch, *size, channels = images.shape
    places, counts, edges = [], [], []
    for pixels, entries, stride, (before, after) in zip(
        size, kernel.shape, strides, padding, strict=False
    ):
        places.append((pixels + before + after - entries) // stride + 1)
        counts.append(places[-1] + -(-entries // stride) - 1)
        # What no output sees is cut off.
        edges.append((before, counts[-1] * stride - pixels - before))
    blocks = pad(images, (edges[0], edges[1])).reshape(
        batch, counts[0], strides[0], counts[1], strides[1] * channels
    )
    rows, parts = unstack(blocks, 2), []
    for i in range(kernel.shape[0]):
        first = i // strides[0]
        row = rows[i % strides[0]][:, first : first + places[0]]
        for j in range(0, kernel.shape[1], strides[1]):
            first = j // strides[1]
            seen = min(strides[1], kernel.shape[1] - j) * channels
            parts.append(row[:, :, first : first + places[1], :seen])
    return _product(jnp.concatenate(parts, axis=-1), kernel, precision)


def _product(patches: Array, kernel: Array, precision: PrecisionLike) -> Array:
    rows = patches.reshape(-1, patches.shape[-1])
    columns = kernel.reshape(-1, kernel.shape[-1])
    outputs = jnp.matmul(rows, columns, precision=precision)
    return outputs.reshape(*patches.shape[:-1], -1)


def _patches(images: Array, kernel_size: tuple[int, ...], dilation: Pair = (1, 1)) -> Array:
    """All that the kernel sees: `[batch, out_height, out_width, entries * channels]`."""
    height, width = (
        size - (entries - 1) * step
        for size, entries, step in zip(images.shape[1:3], kernel_size, dilation, strict=True)
    )
    places = [[i * step for i in range(n)] for n, step in zip(kernel_size, dilation, strict=True)]
    slices = [images[:, i : i + height, j : j + width] for i in places[0] for j in places[1]]
    return jnp.concatenate(slices, axis=-1)


def by_rows_of_kernel(images: Array, kernel: Array, precision: PrecisionLike = None) -> Array:
    """The sums of `by_patches`; of few pixels faster, for it reads the kernel in order.

    Args:
      images: `[batch, height, width, channels]`.
      kernel: `[features, kernel_height, kernel_width, channels]`.
      precision: of the product.

    Returns:
      `[batch, out_height, out_width, features]`.
    """
    patches, rows = _patches(images, kernel.shape[1:3]), kernel.reshape(len(kernel), -1)
    columns = patches.reshape(-1, patches.shape[-1])
    outputs = lax.dot_general(rows, columns, (((1,), (1,)), ((), ())), precision=precision)
    # Without the barrier XLA makes of a transposed product that of the operands exchanged.
    return lax.optimization_barrier(outputs).T.reshape(*patches.shape[:-1], -1)


class _Overlap(NamedTuple):
    """Along one axis, the outputs that one entry of the kernel contributes to, and their inputs."""

    inputs: slice
    outputs: slice


def _overlaps(size: int, kernel_size: int, padding: Pair) -> list[_Overlap]:
    """The part of every kernel entry's window that is not padding; may be empty."""
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


def by_taps(
    images: Array, kernel: Array, padding: Padding, precision: PrecisionLike = None
) -> Array:
    """Convolution of stride 1 as a sum over the kernel's entries, without products of padding.

    Args:
      images: `[batch, height, width, channels]`.
      kernel: `[kernel_height, kernel_width, channels, features]`.
      padding: zeros before and after, of height and of width.
      precision: of the products.

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
            product = jnp.matmul(part.reshape(-1, channels), kernel[i, j], precision=precision)
            around = [
                (taken.start, whole - taken.stop)
                for taken, whole in ((rows.outputs, out_height), (columns.outputs, out_width))
            ]
            outputs += jnp.pad(
                product.reshape(*part.shape[:3], features), ((0, 0), *around, (0, 0))
            )
    return outputs


def share_of_pixels(
    images_shape: Sequence[int], kernel_shape: Sequence[int], padding: Padding
) -> float:
    """The share of the direct sum's products that are of pixels: the others are of padding."""
    share = 1.0
    for size, entries, pads in zip(images_shape[1:3], kernel_shape[:2], padding, strict=True):
        pixels = sum(_length(overlap.outputs) for overlap in _overlaps(size, entries, pads))
        share *= pixels / (entries * (size + sum(pads) - entries + 1))
    return share
