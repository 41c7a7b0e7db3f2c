"""The expanded integral of the ELU, whose two slopes are learned, and its derivative.

Below 0 both are sums of terms that cancel, near roots that depend on the parameters. So in float32
the slopes, e^x and their products have two parts, and the sums are right to about 2**-29.
"""

import math

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.numerics import elementwise, finite, negative_abs, negative_part, scaled
from jaxact.activations.precision import exact_product, exact_sum, polynomial
from jaxact.activations.registry import POSITIVE, activation
from jaxact.activations.two_parts import FAR, exp, scale

BETA = 0.5
# Before softplus: the slopes begin at alpha_p = 0.8 and alpha_n = beta + 0.3 = 0.8.
ALPHA_P = math.log(math.expm1(0.8))
ALPHA_N = math.log(math.expm1(0.3))

_SERIES = (1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2)  # (e^x - 1 - x) / x**2
_NEAR = -0.25  # from here to 0 the value is that series, and its term beta x
_LEAST = -4.0  # below, softplus is precise by itself

Parts = tuple[Array, Array]


def _exp(x: Array) -> Parts:
    """e^x in two parts."""
    e = exp(x, jnp.zeros_like(x))
    return scale(e.high, e.power), scale(e.low, e.power)


def _softplus(a: ArrayLike) -> Parts:
    """log(1 + e^a) in two parts, of which in float64 the second is 0.

    With c = -|a|, and w what XLA gives as log(1 + e^c), the rest is (1 + e^c - e^w) / e^w.
    """
    a = jnp.asarray(a)
    c = negative_abs(a)
    plain = jnp.log1p(jnp.exp(c))
    if a.dtype == jnp.float64:
        return jnp.maximum(a, 0) + plain, jnp.zeros_like(a)
    near = jnp.maximum(c, _LEAST)
    grown, grown_rest = _exp(near)
    back, back_rest = _exp(jnp.log1p(jnp.exp(near)))
    total, lost = exact_sum(jnp.ones_like(a), grown)
    rest = (total - back) + (lost + (grown_rest - back_rest))
    rest = jnp.where(c > _LEAST, rest / back, 0)
    high, low = exact_sum(jnp.maximum(a, 0), plain)
    return high, low + jax.lax.stop_gradient(rest)


def _slopes(alpha_n: ArrayLike, beta: ArrayLike) -> tuple[Parts, Parts]:
    """n = beta + softplus(alpha_n) and softplus(alpha_n), in two parts each."""
    excess, rest = _softplus(alpha_n)
    n, lost = exact_sum(jnp.asarray(beta), excess)
    return (n, lost + rest), (excess, rest)


def _product(a: Parts, b: Parts) -> Parts:
    """a b in two parts, of which the first is exact."""
    high, low = exact_product(a[0], b[0])
    return high, low + (a[0] * b[1] + a[1] * b[0])


@elementwise()
def xielu_derivative(
    x: Array, alpha_p: ArrayLike = ALPHA_P, alpha_n: ArrayLike = ALPHA_N, beta: ArrayLike = BETA
) -> Array:
    """Derivative of `xielu` in x: 2 p x + beta if x > 0 else n (e^x - 1) + beta."""
    p, p_rest = _softplus(alpha_p)
    above = 2 * scaled(x, p) + (2 * p_rest * finite(x) + beta)
    n, excess = _slopes(alpha_n, beta)
    h = negative_part(x)
    if x.dtype == jnp.float64:
        return jnp.where(x > 0, above, beta + n[0] * jnp.expm1(h))
    high, low = _product(n, _exp(jnp.maximum(h, -FAR)))
    return jnp.where(x > 0, above, (high - excess[0]) + (low - excess[1]))


@activation(
    xielu_derivative,
    domains={"beta": POSITIVE},
    learnable=("alpha_p", "alpha_n"),
    monotonic=False,
    reference="Huang and Schlag 2024, Deriving activation functions using integration, "
    "arXiv 2411.13010",
)
def xielu(
    x: Array, alpha_p: ArrayLike = ALPHA_P, alpha_n: ArrayLike = ALPHA_N, beta: ArrayLike = BETA
) -> Array:
    """Expanded integral of the ELU, xIELU: p x**2 + beta x if x > 0, else n (e^x - 1 - x) + beta x.

    The slopes are p = softplus(alpha_p) > 0 and n = beta + softplus(alpha_n) > beta, so that the
    derivative falls below 0 on the left. Both begin at 0.8.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      alpha_p: learned, of the slope above 0, before softplus: shape `[]` or `[channels]`.
      alpha_n: learned, of that below 0, before softplus: likewise.
      beta: positive number, or array that broadcasts against the trailing axes of `x`: the
        derivative at 0.

    Returns:
      Array of the shape and dtype of `x`. It has a root below 0, and there is as precise as its
      terms are.

    Source: Huang and Schlag 2024, arXiv 2411.13010.
    """
    p, p_rest = _softplus(alpha_p)
    above = x * (scaled(x, p) + (p_rest * finite(x) + beta))
    n, excess = _slopes(alpha_n, beta)
    h = negative_part(x)
    if x.dtype == jnp.float64:
        return jnp.where(x > 0, above, n[0] * jnp.expm1(h) - scaled(h, excess[0]))
    near = jnp.maximum(h, _NEAR)
    near = n[0] * (near * near * polynomial(_SERIES, near)) + beta * near
    bounded = jnp.maximum(h, -FAR)
    zero = jnp.zeros_like(bounded)
    risen = _product(n, _exp(bounded))
    fallen = _product(excess, (bounded, zero))
    total, lost = exact_sum(risen[0], -n[0])
    total, more_lost = exact_sum(total, -fallen[0])
    middle = total + (lost + more_lost + (risen[1] - n[1] - fallen[1]))
    far = -scaled(h, excess[0]) - n[0]
    below = jnp.where(h < -FAR, far, jnp.where(h < _NEAR, middle, near))
    return jnp.where(x > 0, above, below)
