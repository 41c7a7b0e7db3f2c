"""Whitening: images whose pixels are uncorrelated and of variance one over the training split."""

import math
from collections.abc import Callable

import numpy as np

from jaxact.data.streaming.images import Images
from jaxact.errors import ConfigError

# Added to every eigenvalue of the covariance, in units of the pixels' mean variance. Directions in
# which images hardly differ, whose eigenvalue is far below, stay small instead of becoming noise as
# large as the image: 0.01 as Coates and Ng, Learning feature representations with k-means, 2012,
# section 2, take for patches of 16x16.
EPSILON = 0.01
# Values an image, height times width times channels, that a matrix is made for: 48 x 48 x 3.
MOST_VALUES = 6912
_CHUNK_IMAGES = 1024


def mean_and_covariance(images: Images) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of pixels, in units of [0, 1]: float64 `[values]` and `[values, values]`.

    Sums are of whole numbers below 2^53, so exact in float64: whatever order or number of threads
    they are added up in, the result is the same.

    Args:
      images: uint8 `[examples, height, width, channels]`.
    """
    values = math.prod(images.shape[1:])
    total, products = np.zeros(values), np.zeros((values, values))
    for start in range(0, len(images), _CHUNK_IMAGES):
        flat = images[start : start + _CHUNK_IMAGES].reshape(-1, values).astype(np.float64)
        total += flat.sum(0)
        products += flat.T @ flat
    mean = total / len(images)
    return mean / 255, (products / len(images) - np.outer(mean, mean)) / 255**2


def principal_components(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues `[values]`, the largest first, and eigenvectors, columns of `[values, values]`.

    Eigenvectors are signed so that their entry of largest magnitude is positive: without a rule
    the sign is the library's.
    """
    eigenvalues, vectors = np.linalg.eigh(covariance)
    eigenvalues, vectors = np.maximum(eigenvalues[::-1], 0), vectors[:, ::-1]
    largest = np.abs(vectors).argmax(0)
    signs = np.sign(vectors[largest, np.arange(len(vectors))])
    return eigenvalues, vectors * signs


def _rotation(vectors: np.ndarray, scales: np.ndarray) -> np.ndarray:
    del scales
    return vectors


def _pca(vectors: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return vectors * scales


def _zca(vectors: np.ndarray, scales: np.ndarray) -> np.ndarray:
    matrix = (vectors * scales) @ vectors.T
    return (matrix + matrix.T) / 2  # symmetric to the last bit


# Eigenvectors U and scales s = 1 / sqrt(lambda + epsilon) to the matrix that a row of pixels, less
# their mean, is multiplied by: U, U diag(s), U diag(s) U^T.
MATRICES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "pca": _rotation,
    "pca_whitening": _pca,
    "zca_whitening": _zca,
}


def fit_whitening(
    name: str, images: Images, epsilon: float = EPSILON
) -> tuple[np.ndarray, np.ndarray]:
    """The mean image and the matrix that images less their mean are multiplied by.

    `pca` turns images onto the principal components of the training split: uncorrelated, their
    variances as they are. `pca_whitening` scales these to variance one, `lambda / (lambda + e)` to
    be exact. `zca_whitening` turns them back: of all that whiten the one whose images stay nearest
    to what they were, so that neighbours are still neighbours for a convolution.

    Args:
      name: of `MATRICES`.
      images: uint8 `[examples, height, width, channels]`; the training split.
      epsilon: see `EPSILON`; e is that share of the pixels' mean variance.

    Returns:
      Mean, float32 `[height, width, channels]`, and matrix, float32 `[values, values]`, of pixels
      scaled to [0, 1]. The matrix is the identity where all images are equal.

    Raises:
      ConfigError: images are too large.

    Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009, appendix A;
    Bell and Sejnowski, The independent components of natural scenes are edge filters, 1997.
    """
    shape = images.shape[1:]
    if math.prod(shape) > MOST_VALUES:
        size = "x".join(map(str, shape))
        raise ConfigError(
            f"preprocessing={name!r} takes images of at most {MOST_VALUES} values, these are "
            f"{size}: choose another, or make them smaller with --config.image_size"
        )
    mean, covariance = mean_and_covariance(images)
    variance = np.trace(covariance) / len(covariance)
    if variance == 0:
        return mean.reshape(shape).astype(np.float32), np.eye(len(covariance), dtype=np.float32)
    eigenvalues, vectors = principal_components(covariance)
    matrix = MATRICES[name](vectors, 1 / np.sqrt(eigenvalues + epsilon * variance))
    return mean.reshape(shape).astype(np.float32), matrix.astype(np.float32)
