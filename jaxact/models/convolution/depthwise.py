"""Depthwise convolution: every channel by itself, without a product of matrices.

The outputs are a sum over the kernel's entries of shifted images times a row of the kernel, which
XLA computes in one pass. So are the gradients with respect to images, with the kernel turned round.
Those of the kernel are sums over the batch and over pixels, a row of the kernel at a time, of few
images at once, so that they stay in the cache meanwhile.
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxact.models.convolution.native import Padding, Pair, pad

CHUNK = 2**19  # numbers of the images whose sums are computed at once: 2 MiB of float32
ROWS = 8  # that are added up in one pass


def convolution(
    images: Array,
    kernel: Array,
    padding: Padding,
    strides: Pair = (1, 1),
    dilation: Pair = (1, 1),
) -> Array:
    """Convolution of as many groups as channels.

    `out[b, y, x, c * m + o] = sum_{i, j} images[b, y + i, x + j, c] kernel[i, j, 0, c * m + o]`

    Args:
      images: `[batch, height, width, channels]`.
      kernel: `[kernel_height, kernel_width, 1, channels * multiplier]`.
      padding: zeros before and after, of height and of width.
      strides: of height and of width.
      dilation: pixels from one entry of the kernel to the next, of height and of width.

    Returns:
      `[batch, out_height, out_width, channels * multiplier]`.
    """
    dtype = jnp.result_type(images, kernel)
    # Sums of many numbers keep the digits of narrow dtypes only in a wider one.
    wide = dtype if jnp.finfo(dtype).bits >= 32 else jnp.float32
    images, kernel = images.astype(wide), kernel.astype(wide)
    multiplier = kernel.shape[-1] // images.shape[-1]
    if multiplier > 1:
        images = jnp.repeat(images, multiplier, axis=-1)
    # Without the barrier every shifted image would be padded anew.
    padded = lax.optimization_barrier(pad(images, padding))
    outputs: Any = _valid(padded, kernel.squeeze(2), strides, dilation)
    return outputs.astype(dtype)


def _out_size(padded: Array, kernel: Array, strides: Pair, dilation: Pair) -> Pair:
    height, width = (
        (size - (entries - 1) * step - 1) // stride + 1
        for size, entries, stride, step in zip(
            padded.shape[1:3], kernel.shape[:2], strides, dilation, strict=True
        )
    )
    return height, width


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _valid(padded: Array, kernel: Array, strides: Pair, dilation: Pair) -> Array:
    """The convolution of padded images with a kernel `[height, width, channels]`."""
    height, width = _out_size(padded, kernel, strides, dilation)
    rows, columns = (height - 1) * strides[0] + 1, (width - 1) * strides[1] + 1
    total = jnp.zeros((), padded.dtype)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            top, left = i * dilation[0], j * dilation[1]
            seen = padded[:, top : top + rows : strides[0], left : left + columns : strides[1]]
            total = total + seen * kernel[i, j]
    return total


def _forward(
    padded: Array, kernel: Array, strides: Pair, dilation: Pair
) -> tuple[Array, tuple[Array, Array]]:
    return _valid(padded, kernel, strides, dilation), (padded, kernel)


def _backward(
    strides: Pair, dilation: Pair, saved: tuple[Array, Array], gradient: Array
) -> tuple[Array, Array]:
    padded, kernel = saved
    spans = [(size - 1) * step for size, step in zip(kernel.shape[:2], dilation, strict=True)]
    edges = []
    for size, count, stride, span in zip(
        padded.shape[1:3], gradient.shape[1:3], strides, spans, strict=True
    ):
        unseen = size - span - 1 - (count - 1) * stride
        edges.append((span, span + unseen, stride - 1))
    zero = jnp.zeros((), gradient.dtype)
    around = lax.optimization_barrier(lax.pad(gradient, zero, ((0, 0, 0), *edges, (0, 0, 0))))
    of_images: Any = _valid(around, jnp.flip(kernel, (0, 1)), (1, 1), dilation)
    return of_images, _of_kernel(padded, gradient, kernel.shape, strides, dilation)


def _of_kernel(
    padded: Array, gradient: Array, shape: tuple[int, ...], strides: Pair, dilation: Pair
) -> Array:
    """The gradient with respect to the kernel, `[height, width, channels]`."""
    batch, height, width, channels = gradient.shape
    rows = _divisor(height, ROWS)
    copies = max(1, shape[1] // rows)  # of an image, in the products of a row of the kernel
    count = _divisor(batch, CHUNK // (copies * math.prod(padded.shape[1:])))
    high, wide = ((n - 1) * stride + 1 for n, stride in zip((height, width), strides, strict=True))

    def in_rows(images: Array) -> list[Array]:
        """Pixels of those rows that are added up in one pass, row by row."""
        blocks = images.reshape(count, height // rows, rows, width, channels)
        return [blocks[:, :, row] for row in range(rows)]

    def of_images(chunk: Array, sums: Array) -> Array:
        part, slopes = lax.optimization_barrier(
            tuple(
                lax.dynamic_slice_in_dim(array, chunk * count, count)
                for array in (padded, gradient)
            )
        )
        weights = in_rows(slopes)

        def of_row(i: Array, sums: Array) -> Array:
            # A copy: where the place of a row is not known, products are not vectorised.
            row = lax.optimization_barrier(
                lax.dynamic_slice_in_dim(part, i * dilation[0], high, 1)
            )[:, :: strides[0]]
            products = []
            for left in range(0, shape[1] * dilation[1], dilation[1]):
                seen = in_rows(row[:, :, left : left + wide : strides[1]])
                few: Any = sum(a * b for a, b in zip(seen, weights, strict=True))
                products.append(few.reshape(-1, channels))
            totals = [product.sum(0) for product in lax.optimization_barrier(products)]
            return lax.dynamic_update_index_in_dim(sums, sums[i] + jnp.stack(totals), i, 0)

        return lax.fori_loop(0, shape[0], of_row, sums)

    return lax.fori_loop(0, batch // count, of_images, jnp.zeros(shape, gradient.dtype))


def _divisor(number: int, most: int) -> int:
    """The largest divisor of a number that is not above another; at least 1."""
    return next(size for size in range(max(1, min(number, most)), 0, -1) if number % size == 0)


_valid.defvjp(_forward, _backward)
