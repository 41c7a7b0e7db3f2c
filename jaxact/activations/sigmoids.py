"""Saturating activations, written in e^-|x|, which neither overflows nor cancels.

The usual derivatives s (1 - s) and 1 - tanh(x)**2 are exactly 0 in float32 beyond 16.7 and 9.1;
those here follow the true ones down to the smallest normal number.
"""

import jax.numpy as jnp
from jax import Array

from jaxact.activations.numerics import elementwise, negative_abs


@elementwise()
def sigmoid_derivative(x: Array) -> Array:
    """Derivative of `sigmoid`: e^-|x| / (1 + e^-|x|)**2."""
    e = jnp.exp(negative_abs(x))
    return e / ((1 + e) * (1 + e))


@elementwise(sigmoid_derivative)
def sigmoid(x: Array) -> Array:
    """Logistic sigmoid: 1 / (1 + e^-x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Rumelhart, Hinton and Williams 1986.
    """
    e = jnp.exp(negative_abs(x))
    return jnp.where(x < 0, e, 1) / (1 + e)


@elementwise()
def tanh_derivative(x: Array) -> Array:
    """Derivative of `tanh`: 4 e^-2|x| / (1 + e^-2|x|)**2."""
    e = jnp.exp(2 * negative_abs(x))
    return 4 * e / ((1 + e) * (1 + e))


@elementwise(tanh_derivative)
def tanh(x: Array) -> Array:
    """Hyperbolic tangent.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: LeCun et al. 1998, Efficient BackProp.
    """
    return jnp.tanh(x)


@elementwise()
def soft_sign_derivative(x: Array) -> Array:
    """Derivative of `soft_sign`: 1 / (1 + |x|)**2."""
    root = 1 / (1 + jnp.abs(x))
    return root * root


@elementwise(soft_sign_derivative)
def soft_sign(x: Array) -> Array:
    """Soft sign: x / (1 + |x|), with the limits -1 and 1 at the infinities.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Bergstra et al. 2009; Glorot and Bengio 2010.
    """
    largest = jnp.finfo(x.dtype).max
    x = jnp.clip(x, -largest, largest)
    return x / (1 + jnp.abs(x))
