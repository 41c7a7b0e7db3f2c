"""Activations with parameters that training learns."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.numerics import elementwise, nan_like, scaled


@elementwise()
def prelu_derivative(x: Array, alpha: ArrayLike = 0.25) -> Array:
    """Derivative of `prelu` in x: 1 if x > 0 else alpha."""
    return nan_like(x, jnp.where(x > 0, 1, alpha))


@elementwise(prelu_derivative)
def prelu(x: Array, alpha: ArrayLike = 0.25) -> Array:
    """Parametric ReLU: max(0, x) + alpha min(0, x), with derivative alpha at 0.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      alpha: the learned slope below 0: shape `[]` (shared) or `[channels]` (one a channel).

    Returns:
      Array of the shape and dtype of `x`; differentiable in `alpha` too, by min(0, x).

    Source: He et al. 2015, arXiv 1502.01852, equation 1.
    """
    return jnp.where(x > 0, x, scaled(x, alpha))
