"""Max-pooling whose backward pass is made of comparisons.

XLA's own scatters number by number: on a CPU it takes ten times as long, and on a GPU the order of
its sums is not determined.
"""

import functools
import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array, lax

OFFSETS = tuple((i, j) for i in range(3) for j in range(3))  # of the pixels of a window
LARGEST_WINDOW = 25  # pixels, up to which the largest of shifted images is worth it


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def largest(squares: Array, axes: tuple[int, ...]) -> Array:
    """The maximum over some axes; its gradient is split evenly among those that are equal to it."""
    return squares.max(axes)


@largest.defjvp
def _largest_jvp(
    axes: tuple[int, ...], primals: tuple[Array], tangents: tuple[Array]
) -> tuple[Array, Array]:
    (squares,), (changes,) = primals, tangents
    maximum = largest(squares, axes)
    equal = (squares == jnp.expand_dims(maximum, axes)).astype(squares.dtype)
    counts = equal.sum(axes)
    # A compiler may compute the squares again for this, and round otherwise: then none is equal,
    # and `jnp.max` would divide by 0.
    return maximum, (changes * equal).sum(axes) / jnp.maximum(counts, 1)


# Compiled as a whole where it is called outside of a compiled function.
@functools.partial(jax.jit, inline=True)
def max_pool(images: Array) -> Array:
    """Max-pooling of 2x2 squares that do not overlap, by reshaping.

    Rows and columns that do not fill a square are dropped ("valid"). Where several entries of a
    square share its maximum, the gradient is split evenly among them; `nn.max_pool` gives all of it
    to the first.

    Args:
      images: `[batch, height, width, channels]`.

    Returns:
      `[batch, height // 2, width // 2, channels]`.
    """
    batch, height, width, channels = images.shape
    rows, columns = height // 2, width // 2
    squares = images[:, : 2 * rows, : 2 * columns].reshape(batch, rows, 2, columns, 2, channels)
    return largest(squares, (2, 4))


def reduce_window_max(
    images: Array,
    *,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    base_dilation: Sequence[int],
    window_dilation: Sequence[int],
) -> Array | None:
    """Max-pooling as `nn.max_pool` asks XLA for it, as the largest of shifted images.

    Where several pixels of a window share its maximum, they share its gradient. Arguments are those
    of the operation.

    Returns:
      `[batch, out_height, out_width, channels]`; None for what is no pooling of images, or has
      large windows.
    """
    is_plain = all(factor == 1 for factor in (*base_dilation, *window_dilation))
    beside = (window_dimensions[0], window_dimensions[-1], window_strides[0], window_strides[-1])
    of_images = images.ndim == 4 and {*beside} == {1} and not any((*padding[0], *padding[-1]))
    size, strides = tuple(window_dimensions[1:3]), tuple(window_strides[1:3])
    if not (is_plain and of_images) or not jnp.issubdtype(images.dtype, jnp.floating):
        return None
    if size == strides == (2, 2) and not any(map(any, padding)):
        return max_pool(images)
    if math.prod(size) > LARGEST_WINDOW:
        return None
    smallest = jnp.array(-jnp.inf, images.dtype)
    images = lax.pad(images, smallest, [(*pads, 0) for pads in padding])
    ends = [
        (length - entries) // stride * stride + 1
        for length, entries, stride in zip(images.shape[1:3], size, strides, strict=True)
    ]
    shifted = (
        images[:, i : i + ends[0] : strides[0], j : j + ends[1] : strides[1]]
        for i in range(size[0])
        for j in range(size[1])
    )
    return functools.reduce(jnp.maximum, shifted)


@jax.custom_vjp
def overlapping_max_pool(images: Array) -> Array:
    """The largest of each 3x3 window, a window every 2 pixels: neighbours share a row or column.

    The last window of an even height or width lacks a row or column ("ceil mode"). Where several
    pixels of a window share its maximum, the gradient is split evenly among them.

    Source: Krizhevsky et al. 2012 (AlexNet), section 3.4.

    Args:
      images: float `[batch, height, width, channels]`, at least 2x2.

    Returns:
      `[batch, height // 2, width // 2, channels]`.
    """
    blocks = _blocks(images)
    return functools.reduce(jnp.maximum, (_entry(blocks, *offset) for offset in OFFSETS))


def _blocks(images: Array) -> Array:
    """2x2 blocks `[batch, rows + 1, 2, columns + 1, 2, channels]`, beyond the image -inf."""
    batch, height, width, channels = images.shape
    rows, columns = height // 2, width // 2
    after = ((0, 0), (0, 2 * rows + 2 - height), (0, 2 * columns + 2 - width), (0, 0))
    padded = jnp.pad(images, after, constant_values=-jnp.inf)
    return padded.reshape(batch, rows + 1, 2, columns + 1, 2, channels)


def _entry(blocks: Array, i: int, j: int) -> Array:
    """The pixel in row i and column j of every window: `[batch, rows, columns, channels]`."""
    rows, columns = blocks.shape[1] - 1, blocks.shape[3] - 1
    return blocks[:, i // 2 : i // 2 + rows, i % 2, j // 2 : j // 2 + columns, j % 2]


def _forward(images: Array) -> tuple[Array, tuple[Array, Array]]:
    outputs = overlapping_max_pool(images)
    return outputs, (images, outputs)


def _backward(saved: tuple[Array, Array], gradient: Array) -> tuple[Array]:
    images, outputs = saved
    batch, height, width, channels = images.shape
    blocks = _blocks(images)
    rows, columns = outputs.shape[1:3]
    ties = sum((_entry(blocks, *offset) == outputs).astype(gradient.dtype) for offset in OFFSETS)
    around = ((0, 0), (1, 1), (1, 1), (0, 0))
    # At least 1, for the reason given in `_largest_jvp`.
    share = jnp.pad(gradient / jnp.maximum(ties, 1), around)
    maximum = jnp.pad(outputs, around)

    def of_pixels(p: int, q: int) -> Array:
        """The gradient at row p, column q of every block, from the one to four windows over it."""
        pixels = blocks[:, :, p, :, q]
        total = jnp.zeros_like(pixels)
        for first_row in (1, 0)[: 2 - p]:
            for first_column in (1, 0)[: 2 - q]:
                window = (
                    slice(None),
                    slice(first_row, first_row + rows + 1),
                    slice(first_column, first_column + columns + 1),
                )
                total += jnp.where(pixels == maximum[window], share[window], 0)
        return total

    pairs = [jnp.stack([of_pixels(p, q) for q in range(2)], axis=3) for p in range(2)]
    whole = jnp.stack(pairs, axis=2).reshape(batch, 2 * rows + 2, 2 * columns + 2, channels)
    return (whole[:, :height, :width],)


overlapping_max_pool.defvjp(_forward, _backward)


class OverlappingMaxPool(nn.Module):
    """`overlapping_max_pool` as a layer."""

    @nn.compact
    def __call__(self, images: Array) -> Array:
        return overlapping_max_pool(images)
