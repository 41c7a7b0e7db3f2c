"""Test-time augmentation: several views of each image are classified, and their votes averaged."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax


def ten_crops(images: Array, padding: int, flips: bool = True) -> Array:
    """The four corner crops and the central one, and their mirror images.

    Images are padded with zeros, as `jaxact.data.random_crop` pads them for training, and the crops
    have the size that images had: the central one is the image itself.

    Args:
      images: `[batch, height, width, channels]`.
      padding: pixels on every side.
      flips: False leaves the mirror images out, for what has a left and a right.

    Returns:
      Of the dtype of `images`, `[views, batch, height, width, channels]`: top left, top right,
      bottom left, bottom right, centre; then the same mirrored left to right.

    Source: Krizhevsky et al., ImageNet classification with deep convolutional neural networks,
    2012, section 4.1 (there crops of 224 from images of 256).
    """
    _, height, width, _ = images.shape
    padded = jnp.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    most = 2 * padding
    corners = [(0, 0), (0, most), (most, 0), (most, most), (padding, padding)]
    crops = jnp.stack(
        [padded[:, row : row + height, column : column + width] for row, column in corners]
    )
    return jnp.concatenate([crops, jnp.flip(crops, axis=3)]) if flips else crops


def average_probabilities(logits_of: Callable[[Array], Array], views: Array) -> Array:
    """`mean over views of softmax(logits)`, view by view so that memory is that of one.

    Args:
      logits_of: `[batch, height, width, channels]` to `[batch, classes]`, normalising included.
      views: `[views, batch, height, width, channels]`, as from `ten_crops`.

    Returns:
      float32 `[batch, classes]`, which sum to one.
    """

    def probabilities(images: Array) -> Array:
        return jax.nn.softmax(logits_of(images).astype(jnp.float32))

    return lax.map(probabilities, views).mean(0)
