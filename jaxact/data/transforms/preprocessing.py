"""Preprocessing: the change to images before a model sees them, besides augmentation."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike, DTypeLike

from jaxact.data import kept
from jaxact.data.formats.limits import check_memory
from jaxact.data.streaming.images import Images, StreamedImages, chunks, identity_of
from jaxact.data.transforms.whitening import EPSILON, MATRICES, fit_whitening
from jaxact.errors import ConfigError, did_you_mean

_CHUNK_VALUES = 2**22  # that are worked on at a time, whatever the size of the images
_GREY_LEVELS = 256
_VERSION = 1  # of what is fitted: what was kept of another is not used


class Preprocessing(NamedTuple):
    """The arguments of `normalize` besides images, as fitted on the training split.

    Attributes:
      mean: float32 `[channels]` or `[height, width, channels]`, in units of [0, 1].
      std: float32 `[channels]`, in units of [0, 1].
      whitening: float32 `[values, values]`, values being height times width times channels; None
        where pixels are not mixed.
    """

    mean: ArrayLike
    std: ArrayLike
    whitening: ArrayLike | None = None


def normalize(
    images: jax.Array,
    mean: ArrayLike,
    std: ArrayLike,
    whitening: ArrayLike | None = None,
    dtype: DTypeLike = jnp.float32,
) -> jax.Array:
    """Preprocesses images: `(images / 255 - mean) / std`, and then whitens them.

    Args:
      images: uint8 `[..., height, width, channels]`.
      mean, std, whitening: see `Preprocessing`; a row of pixels, height before width before
        channels, is multiplied by the matrix from the right.
      dtype: of the result; computed in float32, or in float64 for that.

    Returns:
      `[..., height, width, channels]` of `dtype`.
    """
    wide = jnp.float64 if jnp.dtype(dtype) == jnp.float64 else jnp.float32
    mean, std = jnp.asarray(mean, wide), jnp.asarray(std, wide)
    pixels = (images.astype(wide) / 255 - mean) / std
    if whitening is not None:
        matrix = jnp.asarray(whitening, wide)
        flat = pixels.reshape(-1, len(matrix))
        # A whitening matrix enlarges what is small: TF32's 10 bits of mantissa would show.
        pixels = jnp.dot(flat, matrix, precision=lax.Precision.HIGHEST).reshape(pixels.shape)
    return pixels.astype(dtype)


def preprocessings() -> tuple[str, ...]:
    """Every name that `fit_preprocessing` knows."""
    return ("none", "channel_mean", "mean_image", "mean_std", *MATRICES)


def fit_preprocessing(name: str, images: Images) -> Preprocessing:
    """Fits a preprocessing by name to the training split; all start from pixels in [0, 1].

    - `none`: that alone.
    - `channel_mean`: less the mean of each channel (Simonyan and Zisserman 2015, VGG).
    - `mean_image`: less the mean of each pixel (Krizhevsky et al. 2012, AlexNet).
    - `mean_std`: less each channel's mean, divided by its standard deviation (as for ResNet).
    - `pca`, `pca_whitening`, `zca_whitening`: less the mean image, then uncorrelated; see
      `jaxact.data.transforms.whitening.fit_whitening`.

    Args:
      name: one of `preprocessings()`.
      images: uint8 `[examples, height, width, channels]`, in memory or streamed.

    Returns:
      The same for the same images, wherever they are. What took long is kept on disk, and taken
      from there for the same images.

    Raises:
      ConfigError: there is no such preprocessing, or images are too large for it.
    """
    if name not in preprocessings():
        raise ConfigError(
            f"preprocessing={name!r} must be one of {', '.join(preprocessings())}"
            + did_you_mean(name, preprocessings())
        )
    is_slow = name in MATRICES or (isinstance(images, StreamedImages) and name != "none")
    if not is_slow:
        return _fitted(name, images)
    key = kept.key_of("preprocessing", _VERSION, name, EPSILON, identity_of(images))

    def fit() -> dict[str, np.ndarray]:
        fitted = _fitted(name, images)._asdict()
        return {part: np.asarray(value) for part, value in fitted.items() if value is not None}

    return Preprocessing(**kept.remembered(key, fit))


def _fitted(name: str, images: Images) -> Preprocessing:
    ones = np.ones(images.shape[-1], np.float32)
    if name in MATRICES:
        mean_image, whitening = fit_whitening(name, images)
        return Preprocessing(mean_image, ones, whitening)
    if name == "mean_image":
        return Preprocessing(mean_image_of(images), ones)
    if name == "none":
        return Preprocessing(np.zeros_like(ones), ones)
    mean, std = channel_statistics(images)
    return Preprocessing(mean, ones if name == "channel_mean" else std)


def mean_image_of(images: Images) -> np.ndarray:
    """The mean of each pixel over a split, float32 `[height, width, channels]` in [0, 1]."""
    total = np.zeros(images.shape[1:], np.int64)
    for chunk in chunks(images):
        total += chunk.sum(0, dtype=np.int64)
    return (total / len(images) / 255).astype(np.float32)


def channel_statistics(images: Images) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel over a split, exact up to the last rounding.

    The values are counted, so that the sums are integers: no drift, whatever the number of images.

    Args:
      images: uint8 `[examples, height, width, channels]`; the training split.

    Returns:
      `(mean, std)`, float32 `[channels]` in units of [0, 1]; std is at least one grey level
      (1/255), so that a constant channel can be divided by it.
    """
    channels = images.shape[-1]
    counts = np.zeros((channels, _GREY_LEVELS), np.int64)
    for chunk in chunks(images):
        for channel in range(channels):
            counts[channel] += np.bincount(chunk[..., channel].ravel(), minlength=_GREY_LEVELS)
    levels = np.arange(_GREY_LEVELS)
    number = images.size // channels
    total, total_of_squares = counts @ levels, counts @ levels**2
    # Python's integers do not overflow in the squares of the sums.
    variance = [
        (number * int(squares) - int(values) ** 2) / number**2
        for values, squares in zip(total, total_of_squares, strict=True)
    ]
    mean = total / number / 255
    std = np.maximum(np.sqrt(variance), 1) / 255
    return mean.astype(np.float32), std.astype(np.float32)


def fit_to_model(images: Any, size: int) -> Any:
    """Enlarges images that are smaller than a model's smallest input, bilinearly.

    Args:
      images: uint8 `[examples, height, width, channels]`.
      size: smallest height and width that the model takes, in pixels.

    Returns:
      uint8 `[examples, max(height, size), max(width, size), channels]`, rounded to whole grey
      levels; `images` itself where it is large enough. Those that are streamed remain so.
    """
    if isinstance(images, StreamedImages):
        return images.enlarged(size, fit_to_model)
    _, height, width, _ = images.shape
    return resize(images, max(height, size), max(width, size))


def resize(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Makes images larger or smaller, bilinearly, with anti-aliasing where they become smaller.

    Args:
      images: uint8 `[examples, height, width, channels]`.
      height, width: wanted, in pixels.

    Returns:
      uint8 `[examples, height, width, channels]`, rounded to whole grey levels; `images` itself
      where it has that size.

    Raises:
      DataError: memory cannot hold them, here and on the device.
    """
    examples, old_height, old_width, channels = images.shape
    if (old_height, old_width) == (height, width):
        return images
    check_memory(
        2 * examples * height * width * channels,
        f"a split of {examples} images, each made {height} x {width},",
        "use fewer images (--config.train_examples, --config.test_examples) or smaller ones",
    )
    result = np.empty((examples, height, width, channels), np.uint8)
    chunk_images = max(1, _CHUNK_VALUES // (channels * max(height * width, old_height * old_width)))
    for start in range(0, examples, chunk_images):
        chunk = slice(start, start + chunk_images)
        result[chunk] = _resize(jnp.asarray(images[chunk]), result.shape[1:])
    return result


def enlarged(images: jax.Array, size: int) -> jax.Array:
    """`fit_to_model` as JAX traces it within a program, whose batch may be a symbol.

    Where sums have another order, a value half way between two grey levels may become the other.
    """
    height, width = images.shape[1:3]
    shape = max(height, size), max(width, size)
    if shape == (height, width):
        return images
    rows, columns = map(_interpolation, (height, width), shape)
    pixels = images.astype(jnp.float32)
    exact = lax.Precision.HIGHEST
    resized = jnp.einsum("nhwc,Hh,Ww->nHWc", pixels, rows, columns, precision=exact)
    return jnp.round(resized).astype(jnp.uint8)


@functools.cache
def _interpolation(old: int, new: int) -> np.ndarray:
    """The matrix of `jax.image.resize`, bilinear, with its roundings: float32 `[new, old]`."""
    with jax.ensure_compile_time_eval():
        return np.asarray(jax.image.resize(np.eye(old, dtype=np.float32), (new, old), "bilinear"))


def _resize(images: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    resized = jax.image.resize(images.astype(jnp.float32), (len(images), *shape), "bilinear")
    return jnp.round(resized).astype(jnp.uint8)
