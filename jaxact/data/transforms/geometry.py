"""Moving the pixels of uint8 images: crop, mirror, affine maps and lenses; pure, jittable.

Where a result's pixel comes from between pixels it is sampled bilinearly, and what comes from
outside the image is 0, black. Places are `(row, column)` in pixels from the image's centre.

An affine augmentation draws a matrix an image, `(key, images' shape, amount) -> [batch, 3, 3]`,
which takes `(row, column, 1)` of the result to where it comes from; amount 0 is the identity.
Matrices multiply, so that several augmentations cost one sampling, and blur once.
"""

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.ndimage import map_coordinates

Shape = tuple[int, ...]


def random_crop(key: Array, images: Array, padding: int = 4) -> Array:
    """Moves each image by an offset of its own: zero padding, then a crop of the old size.

    Args:
      key: of the offsets, uniform over 0 to `2 padding` in each direction.
      images: `[batch, height, width, channels]`.
      padding: pixels added on every side.

    Returns:
      The crops, of the shape and dtype of `images`.

    Source: He et al., Deep residual learning for image recognition, 2016, section 4.2.
    """
    padding = int(padding)
    offsets = jax.random.randint(key, (len(images), 2), 0, 2 * padding + 1)
    sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))

    # Among six ways (gathers by index, selects, one-hot products) the fastest on a CPU.
    def crop(image: Array, offset: Array) -> Array:
        return lax.dynamic_slice(image, (offset[0], offset[1], 0), images.shape[1:])

    return jax.vmap(crop)(jnp.pad(images, sides), offsets)


def random_flip(key: Array, images: Array, probability: float = 0.5) -> Array:
    """Mirrors each image left to right with a probability.

    Args:
      key: of the coin flips.
      images: `[batch, height, width, channels]`.
      probability: 0 to 1.

    Returns:
      Of the shape and dtype of `images`.
    """
    heads = jax.random.bernoulli(key, probability, (len(images), 1, 1, 1))
    return jnp.where(heads, jnp.flip(images, axis=2), images)


def to_uint8(pixels: Array) -> Array:
    """The nearest grey levels, 0 to 255."""
    return jnp.clip(jnp.round(pixels), 0, 255).astype(jnp.uint8)


def warp(images: Array, matrices: Array) -> Array:
    """Each image under an affine map of its own.

    Args:
      images: uint8 `[batch, height, width, channels]`.
      matrices: `[batch, 3, 3]`, from places in the result to places in the image.

    Returns:
      uint8 `[batch, height, width, channels]`.
    """
    rows, columns = _places(images.shape)
    grid = jnp.stack([rows, columns, jnp.ones_like(rows)])
    # TF32 would be off by some hundredths of a pixel.
    sources = jnp.einsum("bij,jhw->bihw", matrices, grid, precision=lax.Precision.HIGHEST)
    return _sample(images, sources[:, :2])


def after(first: Array, second: Array) -> Array:
    """The matrices, `[batch, 3, 3]`, of `first` and then `second`: their product."""
    return jnp.matmul(first, second, precision=lax.Precision.HIGHEST)


def lens_distortion(key: Array, images: Array, amount: float = 0.3) -> Array:
    """A lens that bends straight lines outwards or inwards: `source = x (1 + k r^2)`.

    Args:
      key: of `k`, uniform over `[-amount, amount]`, one draw an image.
      images: uint8 `[batch, height, width, channels]`; r is 1 in their corners.
      amount: of the first radial coefficient.

    Source: Brown, Decentering distortion of lenses, 1966, its first radial term.
    """
    strength = _uniform(key, images.shape, amount)
    places = jnp.stack(_places(images.shape))
    _, height, width, _ = images.shape
    corner = max(((height - 1) ** 2 + (width - 1) ** 2) / 4, 1.0)
    squares = (places**2).sum(0) / corner
    return _sample(images, places * (1 + strength[:, None, None, None] * squares))


def rotation(degrees: Array) -> Array:
    """Turns counterclockwise: `[batch]` to matrices `[batch, 3, 3]`."""
    radians = jnp.deg2rad(degrees)
    cosine, sine = jnp.cos(radians), jnp.sin(radians)
    return _matrices([[cosine, sine, None], [-sine, cosine, None]])


def translation(rows: Array, columns: Array) -> Array:
    """Moves down and right by so many pixels, each `[batch]`: matrices `[batch, 3, 3]`."""
    one = jnp.ones_like(rows)
    return _matrices([[one, None, -rows], [None, one, -columns]])


def stretching(down: Array, across: Array) -> Array:
    """Makes larger by a factor in each direction, each `[batch]`: matrices `[batch, 3, 3]`."""
    return _matrices([[1 / down, None, None], [None, 1 / across, None]])


def shearing(slope: Array) -> Array:
    """Slants upright lines, columns moved by `slope` times the row: matrices `[batch, 3, 3]`."""
    one = jnp.ones_like(slope)
    return _matrices([[one, None, None], [slope, one, None]])


def random_rotation(key: Array, shape: Shape, amount: float) -> Array:
    """By an angle uniform over `[-amount, amount]` degrees."""
    return rotation(_uniform(key, shape, amount))


def random_translation(key: Array, shape: Shape, amount: float) -> Array:
    """By up to `amount` of the height and of the width, uniformly and in either direction."""
    row_key, column_key = jax.random.split(key)
    return translation(
        shape[1] * _uniform(row_key, shape, amount), shape[2] * _uniform(column_key, shape, amount)
    )


def random_stretching(key: Array, shape: Shape, amount: float) -> Array:
    """Height and width by factors of their own, from `1 / (1 + amount)` to `1 + amount`.

    Uniform in their logarithm, so that doubling is as likely as halving.
    """
    row_key, column_key = jax.random.split(key)
    most = jnp.log1p(amount)
    return stretching(
        jnp.exp(_uniform(row_key, shape, most)), jnp.exp(_uniform(column_key, shape, most))
    )


def random_shearing(key: Array, shape: Shape, amount: float) -> Array:
    """By a slope uniform over `[-amount, amount]`."""
    return shearing(_uniform(key, shape, amount))


def random_crop_and_scale(key: Array, shape: Shape, amount: float) -> Array:
    """A part of the image, enlarged to its size; the part keeps the image's proportions.

    Its share of the area is uniform over `[1 - amount, 1]`, its place over where it fits.

    Source: after Szegedy et al., Going deeper with convolutions, 2015, section 6 (there with
    proportions of 3:4 to 4:3, see `random_stretching`).
    """
    area_key, row_key, column_key = jax.random.split(key, 3)
    side = jnp.sqrt(jax.random.uniform(area_key, shape[:1], minval=1 - amount, maxval=1.0))
    rooms = [(1 - side) * (pixels - 1) / 2 for pixels in shape[1:3]]
    down = rooms[0] * _uniform(row_key, shape, 1.0)
    across = rooms[1] * _uniform(column_key, shape, 1.0)
    return _matrices([[side, None, down], [None, side, across]])


def _uniform(key: Array, shape: Shape, most: float | Array) -> Array:
    """One draw an image from `[-most, most]`."""
    return most * jax.random.uniform(key, shape[:1], minval=-1.0, maxval=1.0)


def _matrices(rows: list[list[Array | None]]) -> Array:
    """Two rows of `[batch]` entries, None for zeros, above a row (0, 0, 1): `[batch, 3, 3]`."""
    some = next(entry for entry in rows[0] if entry is not None)
    zero = jnp.zeros_like(some)
    filled = [[zero if entry is None else entry for entry in row] for row in rows]
    last = [zero, zero, jnp.ones_like(some)]
    return jnp.stack([jnp.stack(row, -1) for row in [*filled, last]], -2)


def _places(shape: Shape) -> list[Array]:
    """The rows and the columns of every pixel, from the centre: `[height, width]` each."""
    axes = [jnp.arange(n, dtype=jnp.float32) - (n - 1) / 2 for n in shape[1:3]]
    return list(jnp.meshgrid(*axes, indexing="ij"))


def _sample(images: Array, places: Array) -> Array:
    """The image's values at places `[batch, 2, height, width]`, bilinearly."""
    centre = jnp.array([[[(n - 1) / 2]] for n in images.shape[1:3]], jnp.float32)

    def channel(pixels: Array, at: Array) -> Array:
        return map_coordinates(pixels, list(at), order=1, mode="constant", cval=0.0)

    def image(pixels: Array, at: Array) -> Array:
        return jax.vmap(channel, (-1, None), -1)(pixels, at)

    return to_uint8(jax.vmap(image)(images.astype(jnp.float32), places + centre))
