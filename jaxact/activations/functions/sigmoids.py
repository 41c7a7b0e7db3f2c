"""Saturating activations, written in e^-|x|, which neither overflows nor cancels.

The usual derivatives s (1 - s) and 1 - tanh(x)**2 are exactly 0 in float32 beyond 16.7 and 9.1;
those here follow the true ones down to the smallest normal number.
"""

import jax.numpy as jnp
from jax import Array

from jaxact.activations.numerics import elementwise, negative_abs

_NEAR = 0.625
_TANH_SERIES = (
    -5.70498872745e-3,
    2.06390887954e-2,
    -5.37397155531e-2,
    1.33314422036e-1,
    -3.33332819422e-1,
)


def _closed(x: Array) -> Array:
    """1 / (1 + e^|x|), at most 1/2: value and derivative share it, and so its one `exp`."""
    e = jnp.exp(negative_abs(x))
    return e / (1 + e)


@elementwise()
def sigmoid_derivative(x: Array) -> Array:
    """Derivative of `sigmoid`: q (1 - q), with q = 1 / (1 + e^|x|)."""
    q = _closed(x)
    return q * (1 - q)


@elementwise(sigmoid_derivative)
def sigmoid(x: Array) -> Array:
    """Logistic sigmoid: 1 / (1 + e^-x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Rumelhart, Hinton and Williams 1986.
    """
    q = _closed(x)
    return jnp.where(x < 0, q, 1 - q)


@elementwise()
def tanh_derivative(x: Array) -> Array:
    """Derivative of `tanh`: 4 q (1 - q), with q = 1 / (1 + e^2|x|)."""
    q = _closed(2 * x)
    return 4 * q * (1 - q)


@elementwise(tanh_derivative)
def tanh(x: Array) -> Array:
    """Hyperbolic tangent.

    In float32 sign(x) (1 - 2 q), with q = 1 / (1 + e^2|x|), and near 0 a polynomial.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: LeCun et al. 1998, Efficient BackProp; the polynomial: Moshier, Cephes, tanhf.
    """
    if x.dtype == jnp.float64:
        return jnp.tanh(x)
    q = _closed(2 * x)
    near = jnp.clip(x, -_NEAR, _NEAR)
    square = near * near
    series = jnp.full_like(x, _TANH_SERIES[0])
    for coefficient in _TANH_SERIES[1:]:
        series = series * square + coefficient
    return jnp.where(jnp.abs(x) < _NEAR, x + near * square * series, jnp.sign(x) * (1 - 2 * q))


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
