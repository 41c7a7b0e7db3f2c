"""Convolution by XLA's own CPU kernels, in a form in which they are fast inside of loops too.

XLA's CPU compiler has threaded kernels for a convolution whose images are NHWC, whose kernel is
HWIO, and that reverses nothing. It rewrites others to that form, but only in a program's outermost
computation: within `lax.fori_loop` or `lax.scan` the gradients' convolutions, as JAX transposes
them, are computed number by number, a hundred times slower. So the gradients are written here in
that form, and barriers keep XLA from folding the transpositions back into the convolutions.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.lax import PrecisionLike

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]
NO_PADDING: Padding = ((0, 0), (0, 0))
_NHWC = ("NHWC", "HWIO", "NHWC")


def pad(images: Array, padding: Padding) -> Array:
    """Zeros around height and width, or, where negative, a part cut off."""
    edges = [(before, after, 0) for before, after in padding]
    return lax.pad(images, jnp.zeros((), images.dtype), ((0, 0, 0), *edges, (0, 0, 0)))


def _canonical(
    images: Array,
    kernel: Array,
    padding: Padding,
    strides: Pair = (1, 1),
    dilation: Pair = (1, 1),
    precision: PrecisionLike = None,
) -> Array:
    """XLA's convolution of NHWC and HWIO; what padding crops is cropped before."""
    cropped: Padding = tuple((min(0, a), min(0, b)) for a, b in padding)  # pyright: ignore
    if any(amount for pair in cropped for amount in pair):
        images = pad(images, cropped)
    return lax.conv_general_dilated(
        images,
        kernel,
        strides,
        [(max(0, a), max(0, b)) for a, b in padding],
        rhs_dilation=dilation,
        dimension_numbers=_NHWC,
        precision=precision,
    )


def is_canonical(
    dimension_numbers: lax.ConvDimensionNumbers,
    lhs_dilation: Sequence[int],
    feature_group_count: int,
    batch_group_count: int,
    **others: Any,
) -> bool:
    """Whether an operation has the form in which XLA's kernels are fast in loops, too."""
    del others
    is_whole = feature_group_count == batch_group_count == 1 and {*lhs_dilation} == {1}
    return is_whole and tuple(dimension_numbers) == ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def convolution(
    images: Array,
    kernel: Array,
    padding: Padding,
    dilation: Pair = (1, 1),
    precision: PrecisionLike = None,
) -> Array:
    """Convolution of stride 1.

    Args:
      images: `[batch, height, width, channels]`.
      kernel: `[kernel_height, kernel_width, channels, features]`.
      padding: zeros before and after, of height and of width.
      dilation: pixels from one entry of the kernel to the next, of height and of width.
      precision: of the products.

    Returns:
      `[batch, out_height, out_width, features]`.
    """
    return _canonical(images, kernel, padding, dilation=dilation, precision=precision)


def _forward(
    images: Array, kernel: Array, padding: Padding, dilation: Pair, precision: PrecisionLike
) -> tuple[Array, tuple[Array, Array]]:
    return convolution(images, kernel, padding, dilation, precision), (images, kernel)


def _backward(
    padding: Padding,
    dilation: Pair,
    precision: PrecisionLike,
    saved: tuple[Array, Array],
    gradient: Array,
) -> tuple[Array, Array]:
    images, kernel = saved
    spans = [(size - 1) * step for size, step in zip(kernel.shape[:2], dilation, strict=True)]
    around: Padding = tuple(  # pyright: ignore[reportAssignmentType]
        (span - before, span - after) for span, (before, after) in zip(spans, padding, strict=True)
    )
    flipped = lax.optimization_barrier(jnp.flip(kernel, (0, 1)).swapaxes(2, 3))
    of_images: Any = convolution(gradient, flipped, around, dilation, precision)
    # The sum over the batch and over pixels is that of a convolution whose channels are the batch,
    # and whose kernel is the gradient, as large as the image.
    pixels = lax.optimization_barrier(images.transpose(3, 1, 2, 0))
    weights = lax.optimization_barrier(gradient.transpose(1, 2, 0, 3))
    entries = _canonical(pixels, weights, padding, strides=dilation, precision=precision)
    return of_images, lax.optimization_barrier(entries).transpose(1, 2, 0, 3)


convolution.defvjp(_forward, _backward)
