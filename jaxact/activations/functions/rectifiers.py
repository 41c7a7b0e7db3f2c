"""Piecewise linear activations and their derivatives.

At a kink the derivative is that of the side which the definition names: "x if x > 0 else ..." is
the left one at 0, and the two clipped ones follow jax.nn.
"""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.numerics import elementwise, nan_like, scaled


@elementwise()
def linear_derivative(x: Array, slope: ArrayLike = 1.0) -> Array:
    """Derivative of `linear`: slope."""
    return nan_like(x, jnp.broadcast_to(jnp.asarray(slope), x.shape))


@elementwise(linear_derivative)
def linear(x: Array, slope: ArrayLike = 1.0) -> Array:
    """Linear: slope * x. Layers with it collapse into one.

    Args:
      x: floating-point array of any shape.
      slope: number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`.
    """
    return scaled(x, slope)


@elementwise()
def identity_derivative(x: Array) -> Array:
    """Derivative of `identity`: 1."""
    return nan_like(x, jnp.ones_like(x))


@elementwise(identity_derivative)
def identity(x: Array) -> Array:
    """Identity: x, unmodified (array of any shape and floating dtype)."""
    return x


@elementwise()
def binary_step_derivative(x: Array) -> Array:
    """Derivative of `binary_step`: 0, also at 0, where the function jumps."""
    return nan_like(x, jnp.zeros_like(x))


@elementwise(binary_step_derivative)
def binary_step(x: Array) -> Array:
    """Binary step: 1 if x > 0 else 0.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`. It carries no gradient.

    Source: McCulloch and Pitts 1943.
    """
    return nan_like(x, jnp.where(x > 0, jnp.ones_like(x), 0))


@elementwise()
def relu_derivative(x: Array) -> Array:
    """Derivative of `relu`: 1 if x > 0 else 0."""
    return nan_like(x, jnp.where(x > 0, jnp.ones_like(x), 0))


@elementwise(relu_derivative)
def relu(x: Array) -> Array:
    """Rectified linear unit: max(0, x), with derivative 0 at 0.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Nair and Hinton 2010; the derivative at 0 as in Bertoin et al. 2021.
    """
    return jnp.maximum(x, 0)


@elementwise()
def relu6_derivative(x: Array) -> Array:
    """Derivative of `relu6`: 1 if 0 < x < 6 else 0."""
    return nan_like(x, jnp.where((x > 0) & (x < 6), jnp.ones_like(x), 0))


@elementwise(relu6_derivative)
def relu6(x: Array) -> Array:
    """ReLU6: min(max(0, x), 6), with derivative 0 at 0 and at 6 (as jax.nn).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10.
    """
    return jnp.clip(x, 0, 6)


@elementwise()
def leaky_relu_derivative(x: Array, negative_slope: ArrayLike = 0.01) -> Array:
    """Derivative of `leaky_relu`: 1 if x > 0 else negative_slope."""
    return nan_like(x, jnp.where(x > 0, 1, negative_slope))


@elementwise(leaky_relu_derivative)
def leaky_relu(x: Array, negative_slope: ArrayLike = 0.01) -> Array:
    """Leaky ReLU: x if x > 0 else negative_slope * x, with derivative negative_slope at 0.

    Args:
      x: floating-point array of any shape.
      negative_slope: number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Maas, Hannun and Ng 2013.
    """
    return jnp.where(x > 0, x, scaled(x, negative_slope))


@elementwise()
def hard_tanh_derivative(x: Array) -> Array:
    """Derivative of `hard_tanh`: 1 if -1 <= x <= 1 else 0."""
    return nan_like(x, jnp.where(jnp.abs(x) <= 1, jnp.ones_like(x), 0))


@elementwise(hard_tanh_derivative)
def hard_tanh(x: Array) -> Array:
    """Hard tanh: min(max(-1, x), 1), with derivative 1 at -1 and at 1 (as jax.nn).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Collobert 2004, Large scale machine learning.
    """
    return jnp.clip(x, -1, 1)


@elementwise()
def hard_sigmoid_derivative(x: Array) -> Array:
    """Derivative of `hard_sigmoid`: 1/6 if -3 < x < 3 else 0."""
    return nan_like(x, jnp.where(jnp.abs(x) < 3, jnp.full_like(x, 1 / 6), 0))


@elementwise(hard_sigmoid_derivative)
def hard_sigmoid(x: Array) -> Array:
    """Hard sigmoid: min(max(0, x + 3), 6) / 6, with derivative 0 at -3 and at 3 (as jax.nn).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Howard et al. 2019, arXiv 1905.02244.
    """
    return jnp.clip(x + 3, 0, 6) / 6


@elementwise()
def sparse_sigmoid_derivative(x: Array) -> Array:
    """Derivative of `sparse_sigmoid`: 1/2 if -1 < x < 1 else 0."""
    return nan_like(x, jnp.where(jnp.abs(x) < 1, jnp.full_like(x, 0.5), 0))


@elementwise(sparse_sigmoid_derivative)
def sparse_sigmoid(x: Array) -> Array:
    """Sparse sigmoid: min(max(0, (x + 1) / 2), 1), with derivative 0 at -1 and at 1.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Blondel, Martins and Niculae 2019, arXiv 1901.02324, section 6.2.
    """
    return jnp.clip(x + 1, 0, 2) / 2
