"""Smooth relatives of ReLU and their derivatives, which are sigmoids."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.functions.rectifiers import sparse_sigmoid
from jaxact.activations.functions.sigmoids import sigmoid
from jaxact.activations.numerics import elementwise, nan_like, negative_abs


def softplus_derivative(x: Array) -> Array:
    """Derivative of `softplus`: 1 / (1 + e^-x)."""
    return sigmoid(x)


@elementwise(softplus_derivative)
def softplus(x: Array) -> Array:
    """Softplus: log(1 + e^x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Dugas et al. 2000.
    """
    return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(negative_abs(x)))


def log_sigmoid_derivative(x: Array) -> Array:
    """Derivative of `log_sigmoid`: 1 / (1 + e^x)."""
    return sigmoid(-x)


@elementwise(log_sigmoid_derivative)
def log_sigmoid(x: Array) -> Array:
    """Log-sigmoid: log(1 / (1 + e^-x)) = -softplus(-x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, below 0.
    """
    return jnp.minimum(x, 0) - jnp.log1p(jnp.exp(negative_abs(x)))


def _squareplus_below(x: Array, b: ArrayLike) -> tuple[Array, Array]:
    """squareplus(-|x|) and its derivative there: neither cancels, and x**2 does not overflow."""
    magnitude = -negative_abs(x)
    near = jnp.minimum(magnitude, 1e19 if x.dtype == jnp.float32 else 1e150)
    root = jnp.sqrt(near * near + b)
    value = jnp.divide(0.5 * b, jnp.maximum(root, magnitude) + magnitude)
    return value, jnp.divide(0.5 * b, (root + near) * root)


@elementwise()
def squareplus_derivative(x: Array, b: ArrayLike = 4.0) -> Array:
    """Derivative of `squareplus`: (1 + x / sqrt(x**2 + b)) / 2."""
    _, slope = _squareplus_below(x, b)
    return jnp.where(x < 0, slope, 1 - slope)


@elementwise(squareplus_derivative)
def squareplus(x: Array, b: ArrayLike = 4.0) -> Array:
    """Squareplus: (x + sqrt(x**2 + b)) / 2.

    Args:
      x: floating-point array of any shape.
      b: positive number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Barron 2021, arXiv 2112.11687.
    """
    value, _ = _squareplus_below(x, b)
    return jnp.maximum(x, 0) + value


def sparse_plus_derivative(x: Array) -> Array:
    """Derivative of `sparse_plus`: sparse_sigmoid(x)."""
    return sparse_sigmoid(x)


@elementwise(sparse_plus_derivative)
def sparse_plus(x: Array) -> Array:
    """Sparse plus: 0 if x <= -1, x if x >= 1, else (x + 1)**2 / 4.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Blondel, Martins and Niculae 2019, arXiv 1901.02324, section 6.2.
    """
    rise = jnp.clip(x + 1, 0, 2) / 2
    return nan_like(x, jnp.where(x >= 1, x, rise * rise))
