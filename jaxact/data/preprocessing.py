"""What is done to images before a model sees them, besides augmentation."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike, DTypeLike

_CHUNK_IMAGES = 4096
_GREY_LEVELS = 256


def normalize(
    images: jax.Array, mean: ArrayLike, std: ArrayLike, dtype: DTypeLike = jnp.float32
) -> jax.Array:
    """Standardises each channel: `(images / 255 - mean) / std`, computed in float32.

    Args:
      images: uint8 `[..., channels]`.
      mean, std: `[channels]`, in units of [0, 1]; see `channel_statistics`.
      dtype: of the result.

    Returns:
      `[..., channels]` of `dtype`.
    """
    mean, std = jnp.asarray(mean, jnp.float32), jnp.asarray(std, jnp.float32)
    return ((images.astype(jnp.float32) / 255 - mean) / std).astype(dtype)


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
    for start in range(0, len(images), _CHUNK_IMAGES):
        chunk = images[start : start + _CHUNK_IMAGES]
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


def fit_to_model(images: np.ndarray, size: int) -> np.ndarray:
    """Enlarges images that are smaller than a model's smallest input, bilinearly.

    Args:
      images: uint8 `[examples, height, width, channels]`.
      size: smallest height and width that the model takes, in pixels.

    Returns:
      uint8 `[examples, max(height, size), max(width, size), channels]`, rounded to whole grey
      levels; `images` itself where it is large enough.
    """
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
    """
    examples, old_height, old_width, channels = images.shape
    if (old_height, old_width) == (height, width):
        return images
    result = np.empty((examples, height, width, channels), np.uint8)
    for start in range(0, examples, _CHUNK_IMAGES):
        chunk = slice(start, start + _CHUNK_IMAGES)
        result[chunk] = _resize(jnp.asarray(images[chunk]), result.shape[1:])
    return result


def _resize(images: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    resized = jax.image.resize(images.astype(jnp.float32), (len(images), *shape), "bilinear")
    return jnp.round(resized).astype(jnp.uint8)
