"""Activations made of the normal distribution: a gate of GELU, its distribution function, a bound.

In float32, Phi(-h) is e^(-h**2 / 2) in two parts times Mills' ratio.
"""

import math

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import Kink
from jaxact.activations.functions.gates import coefficients
from jaxact.activations.functions.gates.gaussian import gelu, gelu_derivative
from jaxact.activations.numerics import elementwise, nan_like, negative_abs
from jaxact.activations.precision import exact_product, exact_sum, in_two_parts, polynomial
from jaxact.activations.registry import POSITIVE, Domain, activation
from jaxact.activations.two_parts import Exponential, exp, scale

# A root of the derivative as a double-double, from mpmath at 60 digits; the other is 0.
_PHISH_ROOT = (-1.1954312013879125, 2.1854420556614362e-17)
_PHISH_ENDS, _PHISH_CENTRE = (-1.85, -0.45), -1.125  # where its polynomial was fitted

_FAR = 15.0  # e^(-x**2 / 2) is 0 in float32 from here on
_FAR_IN_DOUBLE = 40.0
_GRID = 256.0  # numbers of it up to 15 have squares of 24 bits
_SQRT_2PI = (2.5066282746310007, -1.8328579980459167e-16)
_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)


def _bell(h: Array, rest: ArrayLike = 0.0) -> Exponential:
    """e^(-(h + rest)**2 / 2) for -15 <= h <= 0.

    Rounding the square would cost a relative h**2 * eps. With h = s + l, where s**2 is exact, it
    is s**2 + l (h + s).
    """
    short = jnp.round(h * _GRID) / _GRID
    small = (h - short) * (h + short) / 2 + h * rest
    return exp(*exact_sum(-short * short / 2, -small))


def _mills_rest(h: Array) -> Array:
    """2 - (the inverse of Mills' ratio at h - sqrt(2 pi) h): w P(w) with w = h / (h + 3)."""
    w = h / (h + 3)
    return w * polynomial(coefficients.INVERSE_MILLS, w - 0.40625)


def _inverse_mills(h: Array) -> tuple[Array, Array]:
    """e^(-h**2 / 2) / Phi(-h) for h >= 0, the inverse of Mills' ratio, in two parts.

    It is 2 + sqrt(2 pi) h less `_mills_rest`, which is less than they.
    """
    high, low = in_two_parts(*_SQRT_2PI, h.dtype)
    product, rest = exact_product(h, jnp.asarray(high))
    first, lost = exact_sum(jnp.full_like(h, 2), product)
    return first, lost + (rest + (low * h - _mills_rest(h)))


def inverse_mills(h: Array) -> Array:
    """e^(-h**2 / 2) / Phi(-h) in float32 for h >= 0."""
    first, rest = _inverse_mills(h)
    return first + rest


def _over_mills(x: Array, e: Exponential, h: Array, more: ArrayLike = 0.0) -> Array:
    """x e (1 + more) over the inverse of Mills' ratio at -h, given a small `more`.

    What e is beside its first part is taken from the divisor before that is rounded.
    """
    first, rest = _inverse_mills(-h)
    less = e.low * (2 - e.high) + more * (1 - more * (1 - more))
    return scale(x * e.high / (first + (rest - (first + rest) * less)), e.power)


def _phish_parts(x: Array) -> tuple[Array, Exponential, Array, Array]:
    """h = -|x|, bounded, e^(-h**2 / 2), g = |gelu(x)|, and 1 / (1 + e^2g)."""
    h = jnp.maximum(negative_abs(x), -_FAR)
    e = _bell(h)
    tail = _over_mills(jnp.ones_like(h), e, h)
    g = -h * jnp.where(x < 0, tail, 1 - tail)
    closing = jnp.exp(-2 * g)
    return h, e, g, closing / (1 + closing)


def _tanh_rest(g: Array) -> Array:
    """tanh(g) / g - 1 for |g| <= 1/2."""
    square = jnp.minimum(g, 0.5) ** 2
    return square * polynomial(coefficients.TANH, square - 0.5)


@elementwise()
def phish_derivative(x: Array) -> Array:
    """Derivative of `phish`: tanh(g) + x g' / cosh(g)**2, with g = x Phi(x).

    Near either root it is the distance times a polynomial. Farther below, over x Phi(x), it is
    2 - x**2 + x phi(0) (I + sqrt(2 pi) x) with the inverse I of Mills' ratio, and what tanh adds.
    """
    if x.dtype == jnp.float64:
        h = jnp.clip(x, -_FAR_IN_DOUBLE, _FAR_IN_DOUBLE)
        gate = jax.lax.erfc(-h * 0.5**0.5) / 2
        slope = gate + h * _DENSITY_AT_0 * jnp.exp(-h * h / 2)
        return jnp.tanh(h * gate) + h * slope / jnp.cosh(h * gate) ** 2
    h, e, g, q = _phish_parts(x)
    inverse, m = inverse_mills(-h), _tanh_rest(g)
    added = m - (1 + inverse * h * _DENSITY_AT_0) * (g + g * m) ** 2
    high, low = exact_product(h, h)
    first, rest = exact_sum(jnp.full_like(h, 2), -high)
    rest = rest - low + (added + h * _DENSITY_AT_0 * (2 - _mills_rest(-h)))
    far = _over_mills(h * (first + rest), e, h)
    high, low = in_two_parts(*_PHISH_ROOT, x.dtype)
    moved = jnp.clip(h, *_PHISH_ENDS) - _PHISH_CENTRE
    near = ((h - high) - low) * polynomial(coefficients.PHISH_NEAR, moved)
    below = jnp.where(h < _PHISH_ENDS[0], far, near)
    bounded = jnp.clip(x, -0.45, 0.75)
    at_0 = bounded * polynomial(coefficients.PHISH_SLOPE, bounded)
    bell = e.rounded()
    slope = (1 - bell / inverse) - h * _DENSITY_AT_0 * bell
    above = 1 - 2 * q * (1 + 2 * h * slope * (1 - q))
    return jnp.where(x < -0.45, below, jnp.where(x < 0.75, at_0, above))


@activation(
    phish_derivative,
    monotonic=False,
    reference="Naveen 2022, Phish, doi 10.36227/techrxiv.17283824",
)
def phish(x: Array) -> Array:
    """Phish: x tanh(gelu(x)), with the exact GELU x Phi(x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, never below 0, with the limit 0 at -infinity.

    Source: Naveen 2022, Phish, TechRxiv, doi 10.36227/techrxiv.17283824.
    """
    if x.dtype == jnp.float64:
        h = jnp.maximum(x, -_FAR_IN_DOUBLE)
        return h * jnp.tanh(h * jax.lax.erfc(-x * 0.5**0.5) / 2)
    h, e, g, q = _phish_parts(x)
    high, low = exact_product(h, h)
    square = high + low
    lost = ((high - square) + low) / jnp.maximum(square, 0.01)  # near 0 it does not count
    below = _over_mills(square, e, h, lost + _tanh_rest(g))
    at_0 = h * h * polynomial(coefficients.PHISH_GATE, jnp.clip(x, -0.3, 0.75) - 0.225)
    return jnp.where(x < -0.3, below, jnp.where(x < 0.75, at_0, x + 2 * h * q))


def _standardized(x: Array, mu: Array, sigma: Array) -> tuple[Array, Array]:
    """(x - mu) / sigma in two parts, bounded."""
    end = _FAR * sigma
    x = jnp.clip(x, mu - end, mu + end)
    distance, lost = exact_sum(x, -mu)
    z = jnp.clip(distance / sigma, -_FAR, _FAR)
    high, low = exact_product(z, sigma)
    return z, ((distance - high) - low + lost) / sigma


@elementwise()
def laplace_derivative(x: Array, mu: ArrayLike = 0.707107, sigma: ArrayLike = 0.282095) -> Array:
    """Derivative of `laplace`: e^(-z**2 / 2) / (sigma sqrt(2 pi)), with z = (x - mu) / sigma."""
    mu, sigma = jnp.asarray(mu), jnp.asarray(sigma)
    if x.dtype == jnp.float64:
        z = (x - mu) / sigma
        return _DENSITY_AT_0 / sigma * jnp.exp(-z * z / 2)
    z, rest = _standardized(x, mu, sigma)
    e = _bell(negative_abs(z), jnp.where(z < 0, rest, -rest))
    return e.times(jnp.broadcast_to(_DENSITY_AT_0 / sigma, x.shape))


@activation(
    laplace_derivative,
    domains={"sigma": POSITIVE},
    monotonic=True,
    reference="Ma et al. 2022, Mega, arXiv 2209.10655, section 3 (attention function)",
)
def laplace(x: Array, mu: ArrayLike = 0.707107, sigma: ArrayLike = 0.282095) -> Array:
    """Laplace's function of Mega: (1 + erf((x - mu) / (sigma sqrt(2)))) / 2.

    It is the distribution function of a normal distribution; with the default mu = sqrt(1 / 2) and
    sigma = sqrt(1 / (4 pi)), in six digits, it is near the squared ReLU about x = sqrt(2).

    Args:
      x: floating-point array of any shape.
      mu: number, or array that broadcasts against the trailing axes of `x`: the mean.
      sigma: positive number, or such an array: the standard deviation.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Ma et al. 2022, Mega: moving average equipped gated attention, arXiv 2209.10655.
    """
    mu, sigma = jnp.asarray(mu), jnp.asarray(sigma)
    if x.dtype == jnp.float64:
        return jax.lax.erfc((mu - x) / sigma * 0.5**0.5) / 2
    z, rest = _standardized(x, mu, sigma)
    h = negative_abs(z)
    rest = jnp.where(z < 0, rest, -rest)
    more = rest * (h + _DENSITY_AT_0 * inverse_mills(-h))  # the slope of the ratio's logarithm
    below = _over_mills(jnp.ones_like(h), _bell(h, rest), h, more)
    return jnp.where(z < 0, below, 1 - below)


@elementwise()
def clipped_gelu_derivative(x: Array, low: ArrayLike = -10.0, high: ArrayLike = 10.0) -> Array:
    """Derivative of `clipped_gelu`: gelu'(x) if low <= gelu(x) <= high else 0."""
    value = gelu(x)
    inside = (value >= low) & (value <= high)
    return nan_like(x, jnp.where(inside, gelu_derivative(x), 0))


@activation(
    clipped_gelu_derivative,
    domains={
        "low": Domain(float, -3.4028235e38, -0.17, "a number up to -0.17, GELU's minimum"),
        "high": Domain(float, 6.0, 3.4028235e38, "a number from 6, where GELU is x"),
    },
    kinks=lambda low, high: (Kink(high, 1.0),),
    monotonic=False,
    reference="Wu et al. 2020, Integer quantization, arXiv 2004.09602, section 5 (GELU10)",
)
def clipped_gelu(x: Array, low: ArrayLike = -10.0, high: ArrayLike = 10.0) -> Array:
    """Clipped GELU: min(max(gelu(x), low), high), with derivative 1 at the kink `high`.

    The default is GELU10, for integers of few bits. As GELU is above -0.17, a lower bound below
    changes nothing: it says the range of the integers.

    Args:
      x: floating-point array of any shape.
      low: number up to -0.17, or array that broadcasts against the trailing axes of `x`.
      high: number from 6, or such an array.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Wu et al. 2020, Integer quantization for deep learning inference, arXiv 2004.09602.
    """
    return jnp.clip(gelu(x), low, high)
