"""Activations with a sine, and their derivatives.

They have no limit at the infinities. Where an angle overflows they stay what they are before.
"""

import math

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.numerics import elementwise, finite, negative_abs
from jaxact.activations.precision import exact_product, exact_sum, in_two_parts, polynomial
from jaxact.activations.registry import POSITIVE, activation

# As a double-double, from mpmath at 60 digits: the first of infinitely many.
_GCU_ROOT = (0.8603335890193797, 3.274961083275748e-17)  # of cos(x) - x sin(x)

# Up to here the rounding error of an angle is small.
_FARTHEST = {jnp.dtype("float32"): 2.0**17, jnp.dtype("float64"): 2.0**44}
_GCU_NEAR = 1.5


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


def _angle(x: Array, w0: Array) -> tuple[Array, Array]:
    """w0 x, rounded, and its rounding error, which beyond 1 shows near the roots of its sine."""
    farthest = _FARTHEST[x.dtype]
    angle = finite(w0 * finite(x))
    shows = (jnp.abs(angle) > 1) & (jnp.abs(angle) <= farthest)
    end = jnp.minimum(farthest / w0, 1e36)
    total, error = exact_sum(*exact_product(w0, jnp.clip(x, -end, end)))
    return jnp.where(shows, total, angle), jnp.where(shows, error, 0)


def _turned(first: Array, second: Array, error: Array) -> Array:
    """The sine or cosine `first` of an angle, turned by a small error, given its derivative."""
    return first + error * (second - 0.5 * error * first)


@elementwise()
def sine_derivative(x: Array, w0: ArrayLike = 1.0) -> Array:
    """Derivative of `sine`: w0 cos(w0 x)."""
    w0 = jnp.asarray(w0)
    angle, error = _angle(x, w0)
    return w0 * _turned(jnp.cos(angle), -jnp.sin(angle), error)


@activation(
    sine_derivative,
    domains={"w0": POSITIVE},
    monotonic=False,
    reference="Sitzmann et al. 2020, Implicit neural representations, arXiv 2006.09661 (SIREN)",
)
def sine(x: Array, w0: ArrayLike = 1.0) -> Array:
    """Sine: sin(w0 x).

    Args:
      x: floating-point array of any shape.
      w0: positive number, or array that broadcasts against the trailing axes of `x`. SIREN has 30,
        with an initialization of its own.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Sitzmann et al. 2020, arXiv 2006.09661.
    """
    angle, error = _angle(x, jnp.asarray(w0))
    return _turned(jnp.sin(angle), jnp.cos(angle), error)


def _without_roots(terms: int) -> tuple[float, ...]:
    """(cos(x) - x sin(x)) / (r**2 - x**2) as a polynomial in x**2, the highest power first.

    With coefficients g of the numerator those q of the quotient are r**2 q_k - q_(k-1) = g_k,
    solved from the last, which counts as 0: so the errors shrink.
    """
    quotient = [0.0]
    for k in range(terms, 0, -1):
        coefficient = (-1) ** k * (1 / math.factorial(2 * k) + 1 / math.factorial(2 * k - 1))
        quotient.append(_GCU_ROOT[0] ** 2 * quotient[-1] - coefficient)
    return tuple(quotient[1:])


_GCU_SLOPE = {jnp.dtype("float32"): _without_roots(8), jnp.dtype("float64"): _without_roots(14)}


@elementwise()
def gcu_derivative(x: Array) -> Array:
    """Derivative of `gcu`: cos(x) - x sin(x).

    Below 1.5 its first two roots are factored out; at the others, two in each period, it is as
    precise as its terms.
    """
    angle = finite(x)
    near = jnp.clip(x, -_GCU_NEAR, _GCU_NEAR)
    high, low = in_two_parts(*_GCU_ROOT, x.dtype)
    h = negative_abs(near)
    from_roots = ((high + h) + low) * (high - h)
    of_near = from_roots * polynomial(_GCU_SLOPE[x.dtype], near * near)
    return jnp.where(jnp.abs(x) < _GCU_NEAR, of_near, jnp.cos(angle) - angle * jnp.sin(angle))


@activation(
    gcu_derivative,
    monotonic=False,
    reference="Noel et al. 2021, Growing cosine unit, arXiv 2108.12943",
)
def gcu(x: Array) -> Array:
    """Growing cosine unit: x cos(x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Noel et al. 2021, arXiv 2108.12943.
    """
    return x * jnp.cos(finite(x))
