"""Hard, soft and sparse variants of sigmoid, tanh and ReLU, and their derivatives.

The hard ones are piecewise linear; at a kink their derivatives follow jax.nn.
"""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import ActivationError, Kink
from jaxact.activations.functions.classic import sigmoid
from jaxact.activations.numerics import elementwise, finite, nan_like, negative_abs
from jaxact.activations.precision import (
    exact_product,
    exact_sum,
    log1p_of_exp,
)
from jaxact.activations.registry import POSITIVE, activation

_UNDERFLOWS = 800.0  # e^-x is 0 here in float64 too


@elementwise()
def hard_sigmoid_derivative(x: Array) -> Array:
    """Derivative of `hard_sigmoid`: 1/6 if -3 < x < 3 else 0."""
    return nan_like(x, jnp.where(jnp.abs(x) < 3, jnp.full_like(x, 1 / 6), 0))


@activation(
    hard_sigmoid_derivative,
    kinks=(Kink(-3.0, 0.0), Kink(3.0, 0.0)),
    monotonic=True,
    reference="Howard et al. 2019, Searching for MobileNetV3, arXiv 1905.02244",
)
def hard_sigmoid(x: Array) -> Array:
    """Hard sigmoid: min(max(0, x + 3), 6) / 6, with derivative 0 at -3 and at 3 (as jax.nn).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Howard et al. 2019, arXiv 1905.02244.
    """
    return jnp.clip(x + 3, 0, 6) / 6


def _hard_tanh_kinks(low: float, high: float) -> tuple[Kink, ...]:
    if high <= low:
        raise ActivationError(f"hard_tanh: high must be above low, not {high} and {low}")
    return Kink(low, 1.0), Kink(high, 1.0)


@elementwise()
def hard_tanh_derivative(x: Array, low: ArrayLike = -1.0, high: ArrayLike = 1.0) -> Array:
    """Derivative of `hard_tanh`: 1 if low <= x <= high else 0."""
    return nan_like(x, jnp.where((x >= low) & (x <= high), jnp.ones_like(x), 0))


@activation(
    hard_tanh_derivative,
    kinks=_hard_tanh_kinks,
    monotonic=True,
    reference="Collobert 2004, Large scale machine learning",
)
def hard_tanh(x: Array, low: ArrayLike = -1.0, high: ArrayLike = 1.0) -> Array:
    """Hard tanh: min(max(low, x), high), with derivative 1 at both bounds (as jax.nn).

    Args:
      x: floating-point array of any shape.
      low: number, or array that broadcasts against the trailing axes of `x`.
      high: likewise, above it.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Collobert 2004, Large scale machine learning.
    """
    return jnp.clip(x, low, high)


def log_sigmoid_derivative(x: Array) -> Array:
    """Derivative of `log_sigmoid`: 1 / (1 + e^x)."""
    return sigmoid(-x)


@activation(
    log_sigmoid_derivative,
    monotonic=True,
    reference="f(x) = -log(1 + e^-x), the log-likelihood of logistic regression",
)
def log_sigmoid(x: Array) -> Array:
    """Log-sigmoid: log(1 / (1 + e^-x)) = -softplus(-x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, below 0.
    """
    return jnp.minimum(x, 0) - log1p_of_exp(negative_abs(x))


@elementwise()
def soft_sign_derivative(x: Array) -> Array:
    """Derivative of `soft_sign`: 1 / (1 + |x|)**2."""
    total, lost = exact_sum(jnp.ones_like(x), -negative_abs(finite(x)))
    root = 1 / total
    square = root * root
    return square - square * (2 * lost * root)


@activation(
    soft_sign_derivative,
    monotonic=True,
    reference="Bergstra et al. 2009, Quadratic polynomials learn better image features",
)
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


def _softplus_closing(x: Array, beta: ArrayLike) -> Array:
    """-|beta x|, bounded."""
    return jnp.maximum(negative_abs(jnp.asarray(beta * finite(x))), -_UNDERFLOWS)


@elementwise()
def softplus_derivative(x: Array, beta: ArrayLike = 1.0) -> Array:
    """Derivative of `softplus`: 1 / (1 + e^(-beta x))."""
    return sigmoid(jnp.asarray(beta * finite(x)))


@activation(
    softplus_derivative,
    domains={"beta": POSITIVE},
    monotonic=True,
    reference="Dugas et al. 2000, Incorporating second-order functional knowledge",
)
def softplus(x: Array, beta: ArrayLike = 1.0) -> Array:
    """Softplus: log(1 + e^(beta x)) / beta.

    Args:
      x: floating-point array of any shape.
      beta: positive number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Dugas et al. 2000; beta as in PyTorch.
    """
    return jnp.maximum(x, 0) + log1p_of_exp(_softplus_closing(x, beta)) / beta


def sparse_plus_derivative(x: Array) -> Array:
    """Derivative of `sparse_plus`: sparse_sigmoid(x)."""
    return sparse_sigmoid(x)


@activation(
    sparse_plus_derivative,
    monotonic=True,
    reference="Blondel, Martins and Niculae 2019, arXiv 1901.02324, section 6.2",
)
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


@elementwise()
def sparse_sigmoid_derivative(x: Array) -> Array:
    """Derivative of `sparse_sigmoid`: 1/2 if -1 < x < 1 else 0."""
    return nan_like(x, jnp.where(jnp.abs(x) < 1, jnp.full_like(x, 0.5), 0))


@activation(
    sparse_sigmoid_derivative,
    kinks=(Kink(-1.0, 0.0), Kink(1.0, 0.0)),
    monotonic=True,
    reference="Blondel, Martins and Niculae 2019, arXiv 1901.02324, section 6.2",
)
def sparse_sigmoid(x: Array) -> Array:
    """Sparse sigmoid: min(max(0, (x + 1) / 2), 1), with derivative 0 at -1 and at 1.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Blondel, Martins and Niculae 2019, arXiv 1901.02324, section 6.2.
    """
    return jnp.clip(x + 1, 0, 2) / 2


def _squareplus_below(x: Array, b: ArrayLike) -> tuple[Array, Array]:
    """squareplus(-|x|) and its derivative there: x**2 does not overflow.

    Far from 0 they are quotients that do not cancel; near it differences that hardly do, and are
    rounded once less.
    """
    magnitude = -negative_abs(x)
    near = jnp.minimum(magnitude, 1e19 if x.dtype == jnp.float32 else 1e150)
    square, rest = exact_product(near, near)
    total, lost = exact_sum(square, jnp.broadcast_to(jnp.asarray(b, x.dtype), x.shape))
    total, lost = exact_sum(total, rest + lost)
    root = jnp.sqrt(total)
    is_near = 4 * magnitude < root
    value = jnp.divide(0.5 * b, jnp.maximum(root, magnitude) + magnitude)
    slope = jnp.divide(0.5 * b, total + (near * root + lost))
    return (
        jnp.where(is_near, 0.5 * root - 0.5 * magnitude, value),
        jnp.where(is_near, 0.5 - 0.5 * near / root, slope),
    )


@elementwise()
def squareplus_derivative(x: Array, b: ArrayLike = 4.0) -> Array:
    """Derivative of `squareplus`: (1 + x / sqrt(x**2 + b)) / 2."""
    _, slope = _squareplus_below(x, b)
    return jnp.where(x < 0, slope, 1 - slope)


@activation(
    squareplus_derivative,
    domains={"b": POSITIVE},
    monotonic=True,
    reference="Barron 2021, Squareplus, arXiv 2112.11687",
)
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
