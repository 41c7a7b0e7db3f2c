"""Random changes to the colours of uint8 images, and the fit that one of them needs."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from jaxact.data.streaming.images import Images, chunks
from jaxact.data.transforms.geometry import to_uint8

_LUMA = (0.299, 0.587, 0.114)  # of red, green, blue: ITU-R BT.601


def color_jitter(key: Array, images: Array, amount: float = 0.4) -> Array:
    """Changes brightness, contrast and saturation of each image, in this order.

    Each by a factor uniform over `[1 - amount, 1 + amount]`: of the pixels; of their distance from
    the image's mean grey; of their distance from their own grey. A grey image has no saturation.

    Args:
      key: of the factors, three an image.
      images: uint8 `[batch, height, width, channels]`.
      amount: 0 to 1.

    Returns:
      uint8 `[batch, height, width, channels]`.

    Source: after Howard, Some improvements on deep convolutional neural network based image
    classification, 2013, section 2.2 (there in random order).
    """
    factors = 1 + amount * jax.random.uniform(key, (3, len(images), 1, 1, 1), minval=-1.0)
    pixels = images.astype(jnp.float32) * factors[0]
    middle = _grey(pixels).mean((1, 2, 3), keepdims=True)
    pixels = middle + factors[1] * (pixels - middle)
    grey = _grey(pixels)
    return to_uint8(grey + factors[2] * (pixels - grey))


def _grey(pixels: Array) -> Array:
    """The grey of each pixel, `[..., 1]`: the luma of three channels, else their mean."""
    if pixels.shape[-1] == 3:
        weights = jnp.array(_LUMA, jnp.float32)
        return (pixels * weights).sum(-1, keepdims=True)
    return pixels.mean(-1, keepdims=True)


def color_components(images: Images) -> np.ndarray:
    """The principal components of the pixels' colours, each as long as its eigenvalue.

    Of the covariance of the channels over all pixels, in units of [0, 1], where
    `covariance p_i = lambda_i p_i` with `|p_i| = 1`. The sums are of whole numbers, so exact.

    Args:
      images: uint8 `[examples, height, width, channels]`; the training split, in memory or
        streamed.

    Returns:
      float32 `[channels, channels]`; column i is `lambda_i p_i`, the largest first.
    """
    channels = images.shape[-1]
    total, products = np.zeros(channels), np.zeros((channels, channels))
    for chunk in chunks(images):
        pixels = chunk.reshape(-1, channels).astype(np.float64)
        total += pixels.sum(0)
        products += pixels.T @ pixels
    number = images.size // channels
    mean = total / number
    values, vectors = np.linalg.eigh((products / number - np.outer(mean, mean)) / 255**2)
    return (vectors * np.maximum(values, 0))[:, ::-1].astype(np.float32)


def color_shifts(key: Array, count: int, components: Array, amount: float = 0.1) -> Array:
    """The shifts that `pca_color` adds to `count` images, in units of [0, 1]: `[count, channels]`.

    `sum_i alpha_i lambda_i p_i` with `alpha_i` from N(0, amount), one draw an image: its
    covariance is `amount^2 components components^T`.
    """
    alphas = amount * jax.random.normal(key, (count, components.shape[1]))
    return jnp.einsum("bi,ci->bc", alphas, components, precision=lax.Precision.HIGHEST)


def pca_color(key: Array, images: Array, components: Array, amount: float = 0.1) -> Array:
    """Adds to all pixels of an image a random multiple of the colours' principal components.

    A change in the intensity and colour of the light, as large as the training images differ. Of
    grey images it changes the brightness.

    Args:
      key: of the multiples.
      images: uint8 `[batch, height, width, channels]`.
      components: `[channels, channels]`, from `color_components`.
      amount: standard deviation of the multiples.

    Returns:
      uint8 `[batch, height, width, channels]`.

    Source: Krizhevsky et al., ImageNet classification with deep convolutional neural networks,
    2012, section 4.1. Eigenvalues there are of unstated units; of [0, 1] only they are small.
    """
    shifts = 255 * color_shifts(key, len(images), components, amount)
    return to_uint8(images.astype(jnp.float32) + shifts[:, None, None, :])
