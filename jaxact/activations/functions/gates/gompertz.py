"""The Gompertz linear unit and its derivative."""

import math

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.numerics import elementwise
from jaxact.activations.precision import exact_product, exact_sum, in_two_parts, polynomial
from jaxact.activations.registry import POSITIVE, activation
from jaxact.activations.two_parts import FAR, Exponential, exp, scale

# The root of 1 + z e^-z, minus the omega constant, as a double-double from mpmath at 60 digits.
_GOLU_ROOT = (-0.5671432904097838, -3.2888566875211743e-17)

# So near the root r, 1 + z e^-z is its Taylor series, of derivatives (-1)**(k + 1) e^-r (k - r).
_NEAR = 2.0**-6
_SERIES = tuple(
    (-1) ** (k + 1) * (_GOLU_ROOT[0] - k) / (_GOLU_ROOT[0] * math.factorial(k))
    for k in range(5, 0, -1)
)
_UNDERFLOWS = 800.0  # e^-u is 0 here in float64 too


@jax.custom_jvp
def _differentiated_as(value: Array, formula: Array) -> Array:
    """The value, with the derivative of a formula of it that is less precise."""
    del formula
    return value


_differentiated_as.defjvp(lambda primals, tangents: (primals[0], tangents[1]))


def _bounded(x: Array, gamma: Array, far: float) -> Array:
    """`x` where e^(-gamma x) neither overflows nor underflows."""
    end = jnp.minimum(far / gamma, jnp.finfo(x.dtype).max)
    return jnp.clip(x, -end, end)


def _exponent(
    x: Array, beta: Array, gamma: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array], Exponential]:
    """z = gamma x and u = beta e^-z, in two parts, and e^-u.

    A relative error of u is one of u times it in e^-u, and u is up to 100 where that counts.
    """
    x = _bounded(x, gamma, FAR)
    high, low = exact_product(gamma, x)
    z = high + low
    z_rest = (high - z) + low
    e = exp(-z, -z_rest)
    high, low = exact_product(beta, e.high)
    u = high + low
    u_rest = (high - u) + low + beta * e.low
    u, u_rest = scale(u, e.power), scale(u_rest, e.power)
    is_far = u > FAR
    u, u_rest = jnp.where(is_far, FAR, u), jnp.where(is_far, 0, u_rest)
    return (z, z_rest), (u, u_rest), exp(-u, -u_rest)


def _one_plus_product(z: Array, z_rest: Array, u: Array, u_rest: Array, beta: Array) -> Array:
    """1 + z u, right to 2**-29 where it cancels, and if beta = 1 as a series down to its root."""
    high, low = exact_product(z, u)
    one, lost = exact_sum(jnp.ones_like(high), high)
    total = one + (lost + (low + (z * u_rest + z_rest * u)))
    high, low = in_two_parts(*_GOLU_ROOT, z.dtype)
    d = jnp.clip((z - high) + (z_rest - low), -_NEAR, _NEAR)
    is_near = (jnp.abs(d) < _NEAR) & (beta == 1)
    return _differentiated_as(jnp.where(is_near, d * polynomial(_SERIES, d), total), total)


@elementwise()
def golu_derivative(
    x: Array, alpha: ArrayLike = 1.0, beta: ArrayLike = 1.0, gamma: ArrayLike = 1.0
) -> Array:
    """Derivative of `golu`: alpha e^-u (1 + z u), with z = gamma x and u = beta e^-z."""
    alpha, beta, gamma = jnp.asarray(alpha), jnp.asarray(beta), jnp.asarray(gamma)
    if x.dtype == jnp.float64:
        z = gamma * _bounded(x, gamma, 700.0)
        u = jnp.minimum(beta * jnp.exp(-z), _UNDERFLOWS)
        return alpha * jnp.exp(-u) * (1 + z * u)
    z, u, gate = _exponent(x, beta, gamma)
    return alpha * gate.times(_one_plus_product(*z, *u, beta))


@activation(
    golu_derivative,
    domains={"alpha": POSITIVE, "beta": POSITIVE, "gamma": POSITIVE},
    monotonic=False,
    reference="Das et al. 2025, Gompertz linear units, arXiv 2502.03654",
)
def golu(x: Array, alpha: ArrayLike = 1.0, beta: ArrayLike = 1.0, gamma: ArrayLike = 1.0) -> Array:
    """Gompertz linear unit, GoLU: x alpha e^(-beta e^(-gamma x)).

    The gate is the distribution function of Gumbel's distribution if all constants are 1, as in
    the paper.

    Args:
      x: floating-point array of any shape.
      alpha: positive number, or array that broadcasts against the trailing axes of `x`: the limit
        of the gate at infinity.
      beta: likewise; the gate is moved to the right by log(beta) / gamma.
      gamma: likewise; the growth rate of the gate.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Das, Safari, Adriaensen and Hutter 2025, arXiv 2502.03654.
    """
    alpha, beta, gamma = jnp.asarray(alpha), jnp.asarray(beta), jnp.asarray(gamma)
    if x.dtype == jnp.float64:
        u = beta * jnp.exp(-gamma * _bounded(x, gamma, 700.0))
        return alpha * (jnp.where(u > _UNDERFLOWS, 0, x) * jnp.exp(-jnp.minimum(u, _UNDERFLOWS)))
    _, (u, _), gate = _exponent(x, beta, gamma)
    return alpha * gate.times(jnp.where(u < FAR, x, 0))
