"""Depthwise convolution: every channel by itself, without a product of matrices.

The outputs are a sum over the kernel's entries of shifted images times a row of the kernel, which
XLA computes in one pass. So are the gradients with respect to images, with the kernel turned round.
Those of the kernel are sums over the batch and over pixels, an entry of the kernel at a time, of
few images at once, so that they stay in the cache meanwhile.
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxact.models.convolution.native import Padding, Pair, pad

CHUNK = 2**17  # numbers of the images whose sums are computed at once: 512 KiB of float32
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
    count = _divisor(batch, CHUNK // math.prod(padded.shape[1:]))
    rows = _divisor(height, ROWS)
    window = (count, (height - 1) * strides[0] + 1, (width - 1) * strides[1] + 1, channels)

    def of_images(chunk: Array, sums: Array) -> Array:
        part, weights = lax.optimization_barrier(
            tuple(
                lax.dynamic_slice_in_dim(array, chunk * count, count)
                for array in (padded, gradient)
            )
        )

        def add_entry(entry: Array, sums: Array) -> Array:
            i, j = entry // shape[1], entry % shape[1]
            start = (jnp.int32(0), i * dilation[0], j * dilation[1], jnp.int32(0))
            seen = lax.dynamic_slice(part, start, window)[:, :: strides[0], :: strides[1]]
            products = [
                array.reshape(count, height // rows, rows, width, channels)
                for array in (seen, weights)
            ]
            few = sum(products[0][:, :, row] * products[1][:, :, row] for row in range(rows))
            total = lax.optimization_barrier(few).sum((0, 1, 2))
            return lax.dynamic_update_index_in_dim(sums, sums[entry] + total, entry, 0)

        return lax.fori_loop(0, shape[0] * shape[1], add_entry, sums)

    sums = jnp.zeros((shape[0] * shape[1], channels), gradient.dtype)
    return lax.fori_loop(0, batch // count, of_images, sums).reshape(shape)


def _divisor(number: int, most: int) -> int:
    """The largest divisor of a number that is not above another; at least 1."""
    return next(size for size in range(max(1, min(number, most)), 0, -1) if number % size == 0)


_valid.defvjp(_forward, _backward)
