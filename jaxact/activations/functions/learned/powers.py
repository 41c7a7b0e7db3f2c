"""Powers of ReLU whose coefficients training learns, and their derivatives.

They overflow where their values do. Where terms of either sign cancel, a result is as precise as
they are.
"""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import Kink
from jaxact.activations.numerics import elementwise, nan_like
from jaxact.activations.registry import activation

Numbers = tuple[float, ...]

# A third each of x, x**2 and x**3, as the authors of PolyCom begin.
POLY_RELU_COEFFICIENTS = (0.0, 1 / 3, 1 / 3, 1 / 3)


@elementwise()
def star_relu_derivative(x: Array, scale: ArrayLike = 0.8944, bias: ArrayLike = -0.4472) -> Array:
    """Derivative of `star_relu` in x: 2 scale max(0, x)."""
    del bias
    return 2 * jnp.asarray(scale) * jnp.maximum(x, 0)


@activation(
    star_relu_derivative,
    learnable=("scale", "bias"),
    monotonic=True,
    reference="Yu et al. 2022, MetaFormer baselines for vision, arXiv 2210.13452",
)
def star_relu(x: Array, scale: ArrayLike = 0.8944, bias: ArrayLike = -0.4472) -> Array:
    """StarReLU: scale max(0, x)**2 + bias.

    With the initial values it takes a standard normal input to mean 0 and variance 1.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      scale: learned, of shape `[]` or `[channels]`.
      bias: learned, likewise.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Yu et al. 2022, arXiv 2210.13452.
    """
    above = jnp.maximum(x, 0)
    return jnp.asarray(scale * above) * above + bias


def _of_rectified(coefficients: list[Array], x: Array) -> Array:
    """A polynomial of max(0, x), the lowest power first, by Horner's rule."""
    above = jnp.maximum(x, 0)
    value = jnp.broadcast_to(coefficients[-1], x.shape)
    for coefficient in coefficients[-2::-1]:
        value = value * above + coefficient
    return value


def _poly_relu_monotonic(coefficients: Numbers) -> bool | None:
    """Whether all powers rise, or all fall; else not known."""
    rising = coefficients[1:]
    return True if not rising or min(rising) >= 0 or max(rising) <= 0 else None


@elementwise()
def poly_relu_derivative(
    x: Array, coefficients: ArrayLike | Numbers = POLY_RELU_COEFFICIENTS
) -> Array:
    """Derivative of `poly_relu` in x: 0 if x <= 0 else sum_i i a_i x**(i - 1)."""
    rising = [i * coefficient for i, coefficient in enumerate(jnp.asarray(coefficients))][1:]
    slope = _of_rectified(rising, x) if rising else jnp.zeros_like(x)
    return nan_like(x, jnp.where(x > 0, slope, 0))


@activation(
    poly_relu_derivative,
    learnable=("coefficients",),
    kinks=lambda coefficients: (Kink(0.0, 0.0),) if any(coefficients[1:2]) else (),
    monotonic=_poly_relu_monotonic,
    reference="Zhuo et al. 2024, Polynomial composition activations, arXiv 2411.03884",
)
def poly_relu(x: Array, coefficients: ArrayLike | Numbers = POLY_RELU_COEFFICIENTS) -> Array:
    """Polynomial ReLU: sum_i a_i max(0, x)**i, by default of order 3.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      coefficients: learned, a_0 to a_r: shape `[r + 1]` or `[r + 1, channels]`.

    Returns:
      Array of the shape and dtype of `x`, with derivative 0 at 0.

    Source: Zhuo et al. 2024, arXiv 2411.03884, PolyReLU; its PolyNorm divides each power by its
    norm over the channels, which makes it a layer and no function of one number.
    """
    return nan_like(x, _of_rectified(list(jnp.asarray(coefficients)), x))
