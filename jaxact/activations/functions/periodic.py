"""Activations with a sine, and their derivatives."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.numerics import elementwise, finite, negative_abs
from jaxact.activations.registry import POSITIVE, activation


def _of_twice(x: Array, a: ArrayLike) -> tuple[Array, Array]:
    """sin(2 a x) and cos(2 a x), which value and derivative share."""
    angle = finite(jnp.asarray(2 * a * finite(x)))
    return jnp.sin(angle), jnp.cos(angle)


@elementwise()
def snake_derivative(x: Array, a: ArrayLike = 1.0) -> Array:
    """Derivative of `snake`: 1 + sin(2 a x), where it cancels as cos(2 a x)**2 / (1 - sin(2 a x)).

    It has no limit at the infinities. Where 2 a x overflows it stays what it is before.
    """
    sine, cosine = _of_twice(x, a)
    return jnp.where(sine < 0, cosine * cosine / (1 - negative_abs(sine)), 1 + sine)


@activation(
    snake_derivative,
    domains={"a": POSITIVE},
    monotonic=True,
    reference="Ziyin, Hartwig and Ueda 2020, Learning periodic functions, arXiv 2006.08195",
)
def snake(x: Array, a: ArrayLike = 1.0) -> Array:
    """Snake: x + sin(a x)**2 / a.

    Args:
      x: floating-point array of any shape.
      a: positive number, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Ziyin, Hartwig and Ueda 2020, arXiv 2006.08195.
    """
    sine, cosine = _of_twice(x, a)
    half = jnp.maximum(cosine, 0)  # elsewhere the quotient could be 0/0
    square = jnp.where(cosine > 0, sine * sine / (2 * (1 + half)), (1 - cosine) / 2)
    return x + square / a
