"""The computation of convolution, chosen by the platform that a program is lowered for.

XLA's CPU convolution loses its fast kernels inside a loop (`lax.scan`, see `native`); a matrix
product keeps them. So on a CPU a convolution becomes matrix products, elementwise sums, or XLA's
convolution in the form that is fast everywhere: `choice` says which. One of a stride is a product
of patches, or becomes one of stride 1 over blocks of pixels; a few groups become as many
convolutions without, many one product with an axis of groups, and as many as channels no product at
all. Kernels that are stored output-major, for prediction, are read so where pixels are few.
Accelerators keep their own convolution, but for narrow ones of networks that are trained at once.
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

from jaxact.models.convolution import banded, choice, depthwise, direct, native, winograd
from jaxact.models.convolution.native import NO_PADDING, Padding, Pair, pad
from jaxact.models.convolution.pooling import max_pool

OUTPUT_MAJOR = lax.ConvDimensionNumbers((0, 3, 1, 2), (0, 3, 1, 2), (0, 3, 1, 2))  # NHWC, OHWI
_NHWC = OUTPUT_MAJOR._replace(rhs_spec=(3, 2, 0, 1))  # HWIO
_platform: contextvars.ContextVar[str | None] = contextvars.ContextVar("platform", default=None)
_by_patches: contextvars.ContextVar[bool] = contextvars.ContextVar("by_patches", default=False)


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


@contextlib.contextmanager
def each_its_kernel(by_patches: bool = True) -> Iterator[None]:
    """Within it, narrow convolutions are products of patches on an accelerator, too.

    For networks under `jax.vmap`, each with kernels of its own: JAX makes of their convolutions one
    of as many groups, and cuDNN's kernels for groups are made for wide ones; of their products it
    makes a batched one. `python -m benchmarks.studies.seeds_at_once` times both.

    Args:
      by_patches: whether they are, rather than groups.
    """
    token = _by_patches.set(by_patches)
    try:
        yield
    finally:
        _by_patches.reset(token)


def platform() -> str:
    """The platform that is traced for; where none is said, JAX's first."""
    return _platform.get() or jax.default_backend()


def by_way(
    way: str,
    images: Array,
    kernel: Array,
    padding: Padding,
    dilation: Pair = (1, 1),
    pools: bool = False,
    precision: PrecisionLike = None,
    strides: Pair = (1, 1),
) -> Array:
    """Convolution of one group, and max-pooling if asked for, in one of the ways.

    Args:
      way: one of `choice.ways`.
      images: `[batch, height, width, channels]`.
      kernel: `[kernel_height, kernel_width, channels, features]`.
      padding: zeros before and after, of height and of width.
      dilation: pixels from one entry of the kernel to the next, of height and of width.
      pools: whether `max_pool` follows.
      precision: of the products.
      strides: of height and of width.
    """
    outputs: Array
    if strides != (1, 1) and dilation != (1, 1) and kernel.shape[:2] != (1, 1):
        outputs = by_way(way, images, kernel, padding, dilation, False, precision)
        outputs = outputs[:, :: strides[0], :: strides[1]]
        return max_pool(outputs) if pools else outputs
    if way == choice.STRIDED:
        outputs = direct.by_strided_patches(images, kernel, strides, padding, precision)
        return max_pool(outputs) if pools else outputs
    images, kernel, padding = dense(images, kernel, strides, padding)
    if way == choice.NATIVE:
        outputs = native.convolution(images, kernel, padding, dilation, precision)
    elif way == choice.TAPS:
        outputs = direct.by_taps(images, kernel, padding, precision)
    elif way == choice.WINOGRAD:
        outputs = winograd.convolution(images, kernel, padding, precision)
    else:  # a product of a 1x1 kernel is one of patches that are single pixels
        images = jnp.pad(images, ((0, 0), *padding, (0, 0)))
        if way == choice.BANDED:
            return banded.convolution(images, kernel, pools, precision)
        outputs = direct.by_patches(images, kernel, dilation, precision)
    return max_pool(outputs) if pools else outputs


def dense(
    images: Array, kernel: Array, strides: Pair, padding: Padding
) -> tuple[Array, Array, Padding]:
    """Images, kernel and padding whose convolution of stride 1 is that of the strides."""
    if kernel.shape[:2] == (1, 1):
        return pad(images, padding)[:, :: strides[0], :: strides[1]], kernel, NO_PADDING
    if strides != (1, 1):
        return *_over_blocks(images, kernel, strides, padding), NO_PADDING
    return images, kernel, padding


def of_group(
    images: Array,
    kernel: Array,
    strides: Pair,
    padding: Padding,
    dilation: Pair = (1, 1),
    pools: bool = False,
    precision: PrecisionLike = None,
    way: str | None = None,
) -> Array:
    """Convolution of one group, in the way that its shape has, if none is given."""
    if way is None:
        names = (images.shape, kernel.shape, padding, dilation, images.dtype.name, pools)
        way = choice.choose(choice.Shape(*names, strides))
    return by_way(way, images, kernel, padding, dilation, pools, precision, strides)


def _over_blocks(
    images: Array, kernel: Array, strides: Pair, padding: Padding
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
    shape = choice.Shape(images.shape, kernel.shape, padding, strides=strides).dense
    counts, blocks = shape.images[1:3], shape.kernel[:2]
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
    strides: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    pools: bool,
    precision: PrecisionLike,
) -> Array:
    if numbers == OUTPUT_MAJOR:
        shape = choice.Shape(images.shape, (*kernel.shape[1:], kernel.shape[0]), padding)
        is_dense = strides == dilation == (1, 1) and groups == 1
        if is_dense and choice.has_few_pixels(shape):
            images = jnp.pad(images, ((0, 0), *padding, (0, 0)))
            outputs = direct.by_rows_of_kernel(images, kernel, precision)
            return max_pool(outputs) if pools else outputs
        kernel = kernel.transpose(1, 2, 3, 0)

    def convolve(images: Array, kernel: Array, way: str | None = None) -> Array:
        return of_group(images, kernel, strides, padding, dilation, pools, precision, way)

    if groups == images.shape[-1] > 1:
        outputs = depthwise.convolution(images, kernel, padding, strides, dilation)
        return max_pool(outputs) if pools else outputs
    if groups > choice.MANY_GROUPS:  # one product with an axis of groups
        arrays = [array.reshape(*array.shape[:3], groups, -1) for array in (images, kernel)]
        by_group = jax.vmap(lambda part, weights: convolve(part, weights, choice.PATCHES), 3, 3)
        outputs = by_group(*arrays)
        return outputs.reshape(*outputs.shape[:3], -1)
    parts = [jnp.split(array, groups, axis=-1) for array in (images, kernel)]
    outputs = [convolve(part, weights) for part, weights in zip(*parts, strict=True)]
    return jnp.concatenate(outputs, axis=-1)


def _by_xla(
    images: Array,
    kernel: Array,
    *,
    numbers: lax.ConvDimensionNumbers,
    strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
    pools: bool,
    precision: PrecisionLike,
    lhs_dilation: Sequence[int] | None = None,
) -> Array:
    outputs = lax.conv_general_dilated(
        images,
        kernel,
        strides,
        padding,
        lhs_dilation=lhs_dilation,
        rhs_dilation=dilation,
        dimension_numbers=numbers,
        feature_group_count=groups,
        precision=precision,
    )
    return max_pool(outputs) if pools else outputs


def _narrow_by_patches(images: Array, kernel: Array, **options: Any) -> Array:
    """A product of patches where images have few channels; all else by XLA."""
    is_narrow = images.shape[-1] < choice.WIDE
    if is_narrow and options["groups"] == 1 and options["numbers"] == _NHWC:
        names = ("padding", "dilation", "pools", "precision", "strides")
        return by_way(choice.PATCHES, images, kernel, **{name: options[name] for name in names})
    return _by_xla(images, kernel, **options)


# Compiled as a whole where it is called outside of a compiled function: its many slices one by one
# would take seconds. Inside of one nothing is changed.
@functools.partial(
    jax.jit,
    inline=True,
    static_argnames=(
        "platform",
        "by_patches",
        "numbers",
        "strides",
        "padding",
        "dilation",
        "groups",
        "pools",
        "precision",
    ),
)
def _chosen(
    images: Array, kernel: Array, platform: str | None, by_patches: bool, **options: Any
) -> Array:
    elsewhere = _narrow_by_patches if by_patches else _by_xla
    on_cpu, others = (functools.partial(way, **options) for way in (_on_cpu, elsewhere))
    if platform is None:
        return lax.platform_dependent(images, kernel, cpu=on_cpu, default=others)
    return (on_cpu if platform == "cpu" else others)(images, kernel)


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

    What counts is the platform that the program is lowered for, wherever it is traced. Dilated
    images, cropping and layouts other than NHWC with HWIO or `OUTPUT_MAJOR` are left to XLA.

    Args:
      pools: whether `max_pool` of 2x2 squares follows. What the layer adds is then added to fewer
        numbers, and gives the same as if added before: the largest stays the largest.
      Those of `jax.lax.conv_general_dilated`.
    """

    numbers = lax.conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    dilation = tuple(rhs_dilation or (1,) * (lhs.ndim - 2))
    options: dict[str, Any] = {
        "numbers": numbers,
        "strides": tuple(window_strides),
        "dilation": dilation,
        "groups": feature_group_count,
        "pools": pools,
        "precision": precision,
    }
    is_dilated = lhs_dilation is not None and any(factor != 1 for factor in lhs_dilation)
    if is_dilated or numbers not in (_NHWC, OUTPUT_MAJOR):
        return _by_xla(lhs, rhs, padding=padding, lhs_dilation=lhs_dilation, **options)
    kernel_size = [rhs.shape[axis] for axis in numbers.rhs_spec[2:]]
    spans = [(size - 1) * step + 1 for size, step in zip(kernel_size, dilation, strict=True)]
    pads = (
        lax.padtype_to_pads(lhs.shape[1:3], spans, window_strides, padding)
        if isinstance(padding, str)
        else padding
    )
    sizes = zip(lhs.shape[1:3], pads, spans, strict=True)
    is_empty = any(size + sum(pair) < span for size, pair, span in sizes)
    if is_empty or any(amount < 0 for pair in pads for amount in pair):
        return _by_xla(lhs, rhs, padding=pads, **options)
    where = _platform.get(), _by_patches.get()
    return _chosen(lhs, rhs, *where, padding=tuple(map(tuple, pads)), **options)
