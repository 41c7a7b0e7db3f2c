"""Activations made of powers and roots alone, without an exponential, and their derivatives.

None lets x**2 overflow but `squared_relu`, whose value does.
"""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.numerics import elementwise, negative_abs
from jaxact.activations.precision import exact_product, exact_sum
from jaxact.activations.registry import POSITIVE, activation

# From here on 1 + x**2 is x**2 (and from a little farther it overflows).
_FAR = {jnp.dtype("float32"): 1e18, jnp.dtype("float64"): 1e150}


def _root(z: Array, b: ArrayLike = 1.0) -> tuple[Array, Array, Array]:
    """z**2 + b as a sum of two numbers, and its root."""
    square, rest = exact_product(z, z)
    total, lost = exact_sum(square, jnp.broadcast_to(jnp.asarray(b, z.dtype), z.shape))
    total, lost = exact_sum(total, rest + lost)
    return total, lost, jnp.sqrt(total)


def _scaled(x: Array, alpha: ArrayLike) -> tuple[Array, Array]:
    """s = sqrt(alpha) and z = s x, bounded."""
    s = jnp.sqrt(alpha)
    return s, jnp.clip(s * x, -_FAR[x.dtype], _FAR[x.dtype])


@elementwise()
def isru_derivative(x: Array, alpha: ArrayLike = 1.0) -> Array:
    """Derivative of `isru`: (1 + alpha x**2)**(-3/2)."""
    total, rest, root = _root(_scaled(x, alpha)[1])
    inverse = 1 / (total * root)
    return inverse - inverse * (1.5 * rest / total)


@activation(
    isru_derivative,
    domains={"alpha": POSITIVE},
    monotonic=True,
    reference="Carlile et al. 2017, Inverse square root linear units, arXiv 1710.09967",
)
def isru(x: Array, alpha: ArrayLike = 1.0) -> Array:
    """Inverse square root unit: x / sqrt(1 + alpha x**2).

    Args:
      x: floating-point array of any shape.
      alpha: positive number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`, between -1 / sqrt(alpha) and 1 / sqrt(alpha).

    Source: Carlile et al. 2017, arXiv 1710.09967.
    """
    s, z = _scaled(x, alpha)
    total, _, root = _root(z)
    magnitude = jnp.abs(z)
    is_outer = magnitude > 1  # there the difference from its limit is the smaller part
    quotient = jnp.where(is_outer, 1, z) / jnp.where(is_outer, total + magnitude * root, root)
    return jnp.where(is_outer, jnp.sign(z) * (1 - quotient), quotient) / s


@elementwise()
def isrlu_derivative(x: Array, alpha: ArrayLike = 1.0) -> Array:
    """Derivative of `isrlu`: 1 if x >= 0 else (1 + alpha x**2)**(-3/2)."""
    return jnp.where(x >= 0, 1, isru_derivative(x, alpha))


@activation(
    isrlu_derivative,
    domains={"alpha": POSITIVE},
    monotonic=True,
    reference="Carlile et al. 2017, Inverse square root linear units, arXiv 1710.09967",
)
def isrlu(x: Array, alpha: ArrayLike = 1.0) -> Array:
    """Inverse square root linear unit: x if x >= 0 else x / sqrt(1 + alpha x**2).

    Args:
      x: floating-point array of any shape.
      alpha: positive number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`; twice continuously differentiable.

    Source: Carlile et al. 2017, arXiv 1710.09967.
    """
    return jnp.where(x >= 0, x, isru(x, alpha))


def _bent(x: Array) -> tuple[Array, Array]:
    """`x`, bounded, and sqrt(x**2 + 1)."""
    z = jnp.clip(x, -_FAR[x.dtype], _FAR[x.dtype])
    return z, jnp.sqrt(z * z + 1)


@elementwise()
def bent_identity_derivative(x: Array) -> Array:
    """Derivative of `bent_identity`: x / (2 sqrt(x**2 + 1)) + 1."""
    z, root = _bent(x)
    return 1 + z / (2 * root)


@activation(
    bent_identity_derivative,
    monotonic=True,
    reference="Kunc and Klema 2024, Three decades of activations, arXiv 2402.09092 (a survey)",
)
def bent_identity(x: Array) -> Array:
    """Bent identity: (sqrt(x**2 + 1) - 1) / 2 + x.

    As x (1 + x / (2 (sqrt(x**2 + 1) + 1))), whose factor lies between 1/2 and 3/2; below -1, where
    that cancels, as (x - 1 + 1 / (sqrt(x**2 + 1) - x)) / 2.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: without a paper of its own; Kunc and Klema 2024, arXiv 2402.09092, a survey.
    """
    z, root = _bent(x)
    is_low = x < -1
    quotient = jnp.where(is_low, 1, z) / jnp.where(is_low, root - z, 2 * (root + 1))
    return jnp.where(is_low, x / 2 - (1 - quotient) / 2, x * (1 + quotient))


@elementwise()
def sqnl_derivative(x: Array) -> Array:
    """Derivative of `sqnl`: max(0, 1 - |x| / 2)."""
    return 1 + negative_abs(jnp.clip(x, -2, 2)) / 2


@activation(
    sqnl_derivative,
    monotonic=True,
    reference="Wuraola and Patel 2018, SQNL, doi 10.1109/IJCNN.2018.8489043",
)
def sqnl(x: Array) -> Array:
    """Square non-linearity: x - sign(x) x**2 / 4 between -2 and 2, and -1 or 1 outside.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`; its derivative is continuous.

    Source: Wuraola and Patel 2018, SQNL, IJCNN, doi 10.1109/IJCNN.2018.8489043.
    """
    inside = jnp.clip(x, -2, 2)
    return inside * (1 + negative_abs(inside) / 4)


@elementwise()
def squared_relu_derivative(x: Array) -> Array:
    """Derivative of `squared_relu`: 2 max(0, x)."""
    return 2 * jnp.maximum(x, 0)


@activation(
    squared_relu_derivative, monotonic=True, reference="So et al. 2021, Primer, arXiv 2109.08668"
)
def squared_relu(x: Array) -> Array:
    """Squared ReLU: max(0, x)**2.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`; in float32 it overflows from 1.8e19 on.

    Source: So et al. 2021, Primer, arXiv 2109.08668.
    """
    above = jnp.maximum(x, 0)
    return above * above
