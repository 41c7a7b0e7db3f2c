"""Convolution of few features: a band matrix gives several outputs of a row at once.

A product with 10 or 20 columns leaves most of a CPU's arithmetic idle. So a row of the product is
the window under `BLOCK` neighbouring outputs, or under two rows of them, and the kernel a band
matrix from it to all of them: more multiplications, but wider ones, and fewer copies of each pixel.
Along the height, kernels of 5 rows do with two fifths of the products by Winograd's F(4, 5).

Max-pooling that follows costs next to nothing here: with the even outputs of a block in front of
the odd ones, it is the largest of two halves of a product's row, and of two rows; or of the four
quarters of one.
"""

import jax.numpy as jnp
from jax import Array, lax
from jax.lax import PrecisionLike

from jaxact.models.convolution import winograd
from jaxact.models.convolution.pooling import largest

BLOCK = 4  # neighbouring outputs of a row
MANY_ROWS = 512  # of the product by rows, from which on a larger kernel pays

# Winograd's F(4, 5), the transforms of inputs, kernel and products: by the method of Toom and Cook,
# as in Lavin and Gray 2016 (arXiv:1509.09308), section 4, from the points 0, 1, -1, 2, -2, 1/2,
# -1/2 and infinity. In float32 the result differs from the direct sum by about 1e-6 of its largest.
_TILE, _KERNEL_ROWS = 4, 5
_INPUTS = (
    (-1, 0, 21 / 4, 0, -21 / 4, 0, 1, 0),
    (0, 1, 1, -17 / 4, -17 / 4, 1, 1, 0),
    (0, -1, 1, 17 / 4, -17 / 4, -1, 1, 0),
    (0, 1 / 2, 1 / 4, -5 / 2, -5 / 4, 2, 1, 0),
    (0, -1 / 2, 1 / 4, 5 / 2, -5 / 4, -2, 1, 0),
    (0, 2, 4, -5 / 2, -5, 1 / 2, 1, 0),
    (0, -2, 4, 5 / 2, -5, -1 / 2, 1, 0),
    (0, -1, 0, 21 / 4, 0, -21 / 4, 0, 1),
)
_KERNEL = (
    (-1, 0, 0, 0, 0),
    (-2 / 9, -2 / 9, -2 / 9, -2 / 9, -2 / 9),
    (-2 / 9, 2 / 9, -2 / 9, 2 / 9, -2 / 9),
    (1 / 90, 1 / 45, 2 / 45, 4 / 45, 8 / 45),
    (1 / 90, -1 / 45, 2 / 45, -4 / 45, 8 / 45),
    (32 / 45, 16 / 45, 8 / 45, 4 / 45, 2 / 45),
    (32 / 45, -16 / 45, 8 / 45, -4 / 45, 2 / 45),
    (0, 0, 0, 0, 1),
)
_OUTPUTS = (
    (1, 1, 1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 1 / 2, -1 / 2, 0),
    (0, 1, 1, 4, 4, 1 / 4, 1 / 4, 0),
    (0, 1, -1, 8, -8, 1 / 8, -1 / 8, 1),
)


def takes(out_size: tuple[int, int], pools: bool) -> bool:
    """Whether `convolution` takes these."""
    out_height, out_width = out_size
    return out_width % BLOCK == 0 and not (pools and out_height % 2)


def convolution(
    images: Array, kernel: Array, pools: bool = False, precision: PrecisionLike = None
) -> Array:
    """Convolution of stride 1, without padding, and if asked for the max-pooling of its outputs.

    Args:
      images: `[batch, height, width, channels]`, as `takes` says.
      kernel: `[kernel_height, kernel_width, channels, features]`.
      pools: whether `pooling.max_pool` of 2x2 squares follows.
      precision: of the products.

    Returns:
      `[batch, out_height, out_width, features]`, of half the height and width if pooled.
    """
    batch, height, width, _ = images.shape
    kernel_height, kernel_width, _, features = kernel.shape
    out_height, out_width = height - kernel_height + 1, width - kernel_width + 1
    blocks, bands = out_width // BLOCK, _bands(kernel, pools)
    seen = BLOCK + kernel_width - 1  # of a row, by a block
    has_many_rows = batch * out_height * blocks >= MANY_ROWS
    by_winograd = has_many_rows and _suits_winograd(out_height, kernel)
    if pools and has_many_rows and not by_winograd:
        quarters = _by_pairs_of_rows(images, bands, seen, precision)
        outputs = largest(quarters.reshape(*quarters.shape[:3], 4, -1), (3,))
        return outputs.reshape(batch, out_height // 2, out_width // 2, features)
    windows = _windows(images, 2, seen, BLOCK, 2).reshape(batch, height, blocks, -1)
    product = _by_winograd if by_winograd else _by_rows
    rows = product(windows, bands, precision)
    if pools:  # the largest of two rows, and of two halves of each
        rows = rows.reshape(batch, out_height // 2, 2, blocks, 2, BLOCK // 2 * features)
        rows = largest(rows, (2, 4))
        out_height, out_width = out_height // 2, out_width // 2
    return rows.reshape(batch, out_height, out_width, features)


def _windows(array: Array, axis: int, size: int, stride: int, place: int) -> Array:
    """The entries that windows of `size` see, one every `stride`; their axis is `place`."""
    starts = range(0, array.shape[axis] - size + 1, stride)
    parts = [lax.slice_in_dim(array, start, start + size, axis=axis) for start in starts]
    return jnp.stack(parts, place)


def _bands(kernel: Array, even_first: bool) -> Array:
    """From the window under a block to its outputs: `[kernel_height, window, block * features]`."""
    order = (*range(0, BLOCK, 2), *range(1, BLOCK, 2)) if even_first else range(BLOCK)
    shifted = [
        jnp.pad(kernel, ((0, 0), (place, BLOCK - 1 - place), (0, 0), (0, 0))) for place in order
    ]
    return jnp.stack(shifted, axis=3).reshape(kernel.shape[0], -1, BLOCK * kernel.shape[-1])


def _by_rows(windows: Array, bands: Array, precision: PrecisionLike) -> Array:
    """The sum over the kernel's rows: `[batch, out_height, blocks, block * features]`."""
    kernel_height = bands.shape[0]
    out_height = windows.shape[1] - kernel_height + 1
    patches = jnp.concatenate(
        [lax.slice_in_dim(windows, i, i + out_height, axis=1) for i in range(kernel_height)], -1
    )
    outputs = jnp.matmul(
        patches.reshape(-1, patches.shape[-1]),
        bands.reshape(-1, bands.shape[-1]),
        precision=precision,
    )
    return outputs.reshape(*patches.shape[:-1], -1)


def _by_pairs_of_rows(images: Array, bands: Array, seen: int, precision: PrecisionLike) -> Array:
    """The same for two rows of outputs at once: `[batch, pairs, blocks, 2 * block * features]`.

    A kernel of 5 rows needs a fifth more multiplications so, but two fifths fewer copies of pixels.
    """
    kernel_height, window, _ = bands.shape
    rows = _windows(images, 1, kernel_height + 1, 2, 1)
    patches = _windows(rows, 3, seen, BLOCK, 2)
    wider = jnp.concatenate([jnp.pad(bands, ((row, 1 - row), (0, 0), (0, 0))) for row in (0, 1)], 2)
    outputs = jnp.matmul(
        patches.reshape(-1, (kernel_height + 1) * window),
        wider.reshape(-1, wider.shape[2]),
        precision=precision,
    )
    return outputs.reshape(*patches.shape[:3], -1)


def _suits_winograd(out_height: int, kernel: Array) -> bool:
    """Whether Winograd's products pay for many rows, and keep the digits of the dtype."""
    kernel_height, _, channels, _ = kernel.shape
    # Few channels do not pay for the transform of the inputs.
    pays = channels >= 8 and jnp.finfo(kernel.dtype).bits >= 32
    return pays and kernel_height == _KERNEL_ROWS and out_height % _TILE == 0


def _by_winograd(windows: Array, bands: Array, precision: PrecisionLike) -> Array:
    """The same as `_by_rows`."""
    batch, height, blocks, window = windows.shape
    tiles = height // _TILE - 1
    entries = winograd.tile_entries(windows, 1, len(_INPUTS))
    inputs = winograd.stack(winograd.combine(_INPUTS, entries), 0)
    weights = winograd.stack(winograd.combine(_KERNEL, winograd.unstack(bands, 0)), 0)
    inputs = inputs.reshape(len(_INPUTS), -1, window)
    products = jnp.matmul(inputs, weights, precision=precision)
    products = products.reshape(len(_INPUTS), batch, tiles, blocks, -1)
    outputs = winograd.combine(_OUTPUTS, winograd.unstack(products, 0))
    return winograd.stack(outputs, 2).reshape(batch, tiles * _TILE, blocks, -1)
