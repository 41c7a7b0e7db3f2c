"""The computation of convolution, chosen by the platform that a program is lowered for.

XLA's CPU convolution is slow, and inside a loop (`lax.scan`) it also loses its threads; a matrix
product keeps both. So on a CPU a convolution becomes matrix products: Winograd's for 3x3 kernels
where they pay, those of a band matrix for few features, one for each entry of the kernel where much
of it falls on padding, else one product of patches, made by concatenating shifted slices. One of a
stride becomes one of stride 1 over blocks of pixels, one of groups as many without. Kernels that
are stored output-major, for prediction, are read so where pixels are few. Accelerators keep their
own convolution.
"""

import contextlib
import contextvars
import functools
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.lax import PrecisionLike

from jaxact.models.convolution import banded, direct, winograd
from jaxact.models.convolution.direct import Padding
from jaxact.models.convolution.pooling import max_pool

OUTPUT_MAJOR = lax.ConvDimensionNumbers((0, 3, 1, 2), (0, 3, 1, 2), (0, 3, 1, 2))  # NHWC, OHWI
_NHWC = OUTPUT_MAJOR._replace(rhs_spec=(3, 2, 0, 1))  # HWIO
_platform: contextvars.ContextVar[str | None] = contextvars.ContextVar("platform", default=None)


@contextlib.contextmanager
def traced_for(platform: str) -> Iterator[None]:
    """Within it, convolutions are traced for one platform alone, such as "cpu" or "cuda".

    Elsewhere a trace holds the convolution of every platform, and lowering takes the right one;
    of a large network that trace takes half as long again. What is traced within is for nothing
    else: `jax.jit` keeps traces, so give it a function of its own.
    """
    token = _platform.set(platform)
    try:
        yield
    finally:
        _platform.reset(token)


def platform() -> str:
    """The platform that is traced for; where none is said, JAX's first."""
    return _platform.get() or jax.default_backend()


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


def cpu_convolution(
    images: Array,
    kernel: Array,
    padding: Padding,
    pools: bool = False,
    precision: PrecisionLike = None,
) -> Array:
    """Convolution of stride 1, and max-pooling if asked for, in the fastest way on a CPU."""
    if direct.suits_taps(images, kernel, padding):
        outputs = direct.by_taps(images, kernel, padding, precision)
    elif _suits_winograd(images, kernel, padding):
        outputs = winograd.convolution(images, kernel, padding, precision)
    else:
        images = jnp.pad(images, ((0, 0), *padding, (0, 0)))
        if banded.suits(images, kernel, pools):
            return banded.convolution(images, kernel, pools, precision)
        outputs = direct.by_patches(images, kernel, precision)
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


def _on_cpu(
    images: Array,
    kernel: Array,
    *,
    numbers: lax.ConvDimensionNumbers,
    strides: Sequence[int],
    padding: Padding,
    groups: int,
    pools: bool,
    precision: PrecisionLike,
) -> Array:
    is_dense = all(stride == 1 for stride in strides)
    if numbers == OUTPUT_MAJOR:
        if is_dense and groups == 1 and direct.has_few_pixels(images, kernel.shape[1:3], padding):
            images = jnp.pad(images, ((0, 0), *padding, (0, 0)))
            outputs = direct.by_rows_of_kernel(images, kernel, precision)
            return max_pool(outputs) if pools else outputs
        kernel = kernel.transpose(1, 2, 3, 0)

    def of_group(images: Array, kernel: Array) -> Array:
        if is_dense:
            return cpu_convolution(images, kernel, padding, pools, precision)
        blocks = over_blocks(images, kernel, strides, padding)
        return cpu_convolution(*blocks, ((0, 0), (0, 0)), pools, precision)

    parts = [jnp.split(array, groups, axis=-1) for array in (images, kernel)]
    return jnp.concatenate(list(map(of_group, *parts)), axis=-1)


def _by_xla(
    images: Array,
    kernel: Array,
    *,
    numbers: lax.ConvDimensionNumbers,
    strides: Sequence[int],
    padding: str | Padding,
    groups: int,
    pools: bool,
    precision: PrecisionLike,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
) -> Array:
    outputs = lax.conv_general_dilated(
        images,
        kernel,
        strides,
        padding,
        lhs_dilation=lhs_dilation,
        rhs_dilation=rhs_dilation,
        dimension_numbers=numbers,
        feature_group_count=groups,
        precision=precision,
    )
    return max_pool(outputs) if pools else outputs


# Compiled as a whole where it is called outside of a compiled function: its many slices one by one
# would take seconds. Inside of one nothing is changed.
@functools.partial(
    jax.jit,
    inline=True,
    static_argnames=(
        "platform",
        "numbers",
        "strides",
        "padding",
        "groups",
        "pools",
        "precision",
    ),
)
def _chosen(images: Array, kernel: Array, platform: str | None, **options: Any) -> Array:
    on_cpu, by_xla = (functools.partial(way, **options) for way in (_on_cpu, _by_xla))
    if platform is None:
        return lax.platform_dependent(images, kernel, cpu=on_cpu, default=by_xla)
    return (on_cpu if platform == "cpu" else by_xla)(images, kernel)


def conv_general_dilated(
    lhs: Array,
    rhs: Array,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    precision: PrecisionLike = None,
    pools: bool = False,
) -> Array:
    """`jax.lax.conv_general_dilated`, faster on a CPU; for `nn.Conv` and where it is folded.

    What counts is the platform that the program is lowered for, wherever it is traced. Dilation,
    cropping and layouts other than NHWC with HWIO or `OUTPUT_MAJOR` are left to XLA.

    Args:
      pools: whether `max_pool` of 2x2 squares follows. What the layer adds is then added to fewer
        numbers, and gives the same as if added before: the largest stays the largest.
      Those of `jax.lax.conv_general_dilated`.
    """

    def is_one(factors: Sequence[int] | None) -> bool:
        return factors is None or all(factor == 1 for factor in factors)

    numbers = lax.conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    kernel_size = [rhs.shape[axis] for axis in numbers.rhs_spec[2:]]
    options: dict[str, Any] = {
        "numbers": numbers,
        "strides": tuple(window_strides),
        "groups": feature_group_count,
        "pools": pools,
        "precision": precision,
    }
    if not (is_one(lhs_dilation) and is_one(rhs_dilation)) or numbers not in (_NHWC, OUTPUT_MAJOR):
        return _by_xla(
            lhs,
            rhs,
            padding=padding,
            lhs_dilation=lhs_dilation,
            rhs_dilation=rhs_dilation,
            **options,
        )
    pads = (
        lax.padtype_to_pads(lhs.shape[1:3], kernel_size, window_strides, padding)
        if isinstance(padding, str)
        else padding
    )
    if any(amount < 0 for pair in pads for amount in pair):
        return _by_xla(lhs, rhs, padding=pads, **options)
    return _chosen(lhs, rhs, _platform.get(), padding=tuple(map(tuple, pads)), **options)
