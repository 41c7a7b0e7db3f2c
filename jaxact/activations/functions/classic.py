"""The functions of the first networks: lines, steps, sigmoids and rectifiers.

At a kink the derivative is that of the side which the definition names: "x if x > 0 else ..." is
the left one at 0, and `relu6` follows jax.nn. The sigmoids are written in e^-|x|, which neither
overflows nor cancels. Their usual derivatives s (1 - s) and 1 - tanh(x)**2 are exactly 0 in float32
beyond 16.7 and 9.1; those here follow the true ones down to the smallest normal number.
"""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import Kink, kink_at_zero
from jaxact.activations.numerics import elementwise, nan_like, negative_abs, scaled
from jaxact.activations.precision import closed, exp, exp_parts
from jaxact.activations.registry import activation

_SHIFT = 8  # e^(-2 |x|) is scaled by 2**8: it must not underflow before 4 times it does
_NEAR = 0.625
_TANH_SERIES = (
    -5.70498872745e-3,
    2.06390887954e-2,
    -5.37397155531e-2,
    1.33314422036e-1,
    -3.33332819422e-1,
)


@elementwise()
def identity_derivative(x: Array) -> Array:
    """Derivative of `identity`: 1."""
    return nan_like(x, jnp.ones_like(x))


@activation(identity_derivative, monotonic=True, reference="f(x) = x")
def identity(x: Array) -> Array:
    """Identity: x, unmodified (array of any shape and floating dtype)."""
    return x


@elementwise()
def linear_derivative(x: Array, slope: ArrayLike = 1.0) -> Array:
    """Derivative of `linear`: slope."""
    return nan_like(x, jnp.broadcast_to(jnp.asarray(slope), x.shape))


@activation(linear_derivative, monotonic=True, reference="f(x) = slope x")
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
def binary_step_derivative(x: Array) -> Array:
    """Derivative of `binary_step`: 0, also at 0, where the function jumps."""
    return nan_like(x, jnp.zeros_like(x))


@activation(
    binary_step_derivative,
    kinks=(Kink(0.0, 0.0),),
    monotonic=True,
    reference="McCulloch and Pitts 1943, A logical calculus of ideas immanent in nervous activity",
)
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
def sigmoid_derivative(x: Array) -> Array:
    """Derivative of `sigmoid`: e / (1 + e)**2, with e = e^-|x|."""
    q, scale = exp_parts(negative_abs(x))
    c, d = closed(q, scale, power=2)
    return (1 + c) * scale / (d * d)


@activation(
    sigmoid_derivative,
    monotonic=True,
    reference="Rumelhart, Hinton and Williams 1986, Learning representations by back-propagation",
)
def sigmoid(x: Array) -> Array:
    """Logistic sigmoid: 1 / (1 + e^-x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Rumelhart, Hinton and Williams 1986.
    """
    q, scale = exp_parts(negative_abs(x))
    c, d = closed(q, scale)
    return jnp.where(x < 0, (1 + c) * scale, 1) / d


@elementwise()
def tanh_derivative(x: Array) -> Array:
    """Derivative of `tanh`: 4 e / (1 + e)**2, with e = e^(-2 |x|)."""
    q, scale = exp_parts(negative_abs(2 * x), 0.0, _SHIFT)
    c, d = closed(q, scale, _SHIFT, power=2)
    return (1 + c) * scale / (d * d * 2 ** (_SHIFT - 2))


@activation(tanh_derivative, monotonic=True, reference="LeCun et al. 1998, Efficient BackProp")
def tanh(x: Array) -> Array:
    """Hyperbolic tangent.

    In float32 sign(x) (1 - 2 e / (1 + e)), with e = e^(-2 |x|), and near 0 a polynomial.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: LeCun et al. 1998, Efficient BackProp; the polynomial: Moshier, Cephes, tanhf.
    """
    if x.dtype == jnp.float64:
        return jnp.tanh(x)
    e = exp(negative_abs(2 * x))
    near = jnp.clip(x, -_NEAR, _NEAR)
    square = near * near
    series = jnp.full_like(x, _TANH_SERIES[0])
    for coefficient in _TANH_SERIES[1:]:
        series = series * square + coefficient
    far = jnp.sign(x) * (1 - 2 * (e / (1 + e)))
    return jnp.where(jnp.abs(x) < _NEAR, x + near * square * series, far)


@elementwise()
def relu_derivative(x: Array) -> Array:
    """Derivative of `relu`: 1 if x > 0 else 0."""
    return nan_like(x, jnp.where(x > 0, jnp.ones_like(x), 0))


@activation(
    relu_derivative,
    kinks=(Kink(0.0, 0.0),),
    monotonic=True,
    reference="Nair and Hinton 2010, Rectified linear units improve restricted Boltzmann machines",
)
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


@activation(
    relu6_derivative,
    kinks=(Kink(0.0, 0.0), Kink(6.0, 0.0)),
    monotonic=True,
    reference="Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10",
)
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


@activation(
    leaky_relu_derivative,
    kinks=lambda negative_slope: kink_at_zero(negative_slope),
    monotonic=lambda negative_slope: negative_slope >= 0,
    reference="Maas, Hannun and Ng 2013, Rectifier nonlinearities improve acoustic models",
)
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
