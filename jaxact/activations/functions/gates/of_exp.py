"""Gates that are functions of e^x, the exponential itself, and their derivatives.

In float32, with t = e^x in two parts, a gate below 0 is t (1 + a), with a polynomial a: x t is
rounded once more when x t a, which is less, is added. The slope of the gate in x is t (1 + b). Far
from its root the derivative is t (1 + x + a + x b), where a and b are small, and near it x - root
times a polynomial in x.
"""

import math

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations.functions.gates import coefficients
from jaxact.activations.functions.gates.normal import inverse_mills
from jaxact.activations.numerics import elementwise, negative_abs
from jaxact.activations.precision import exact_product, exact_sum, in_two_parts, polynomial
from jaxact.activations.registry import activation
from jaxact.activations.two_parts import FAR, Exponential, exp, scale

# Roots of the derivatives as double-doubles, from mpmath at 60 digits.
_TANH_EXP_ROOT = (-1.078860058464624, -9.55786742622646e-17)
_SERF_ROOT = (-1.193059968928188, 3.096701676302884e-17)
_LOGISH_ROOT = (-1.3724541370256922, 7.791774027651745e-17)

_UNDERFLOWS = 800.0  # e^-x is 0 here in float64 too
_SATURATES = 5.0  # tanh(e^x) is 1 here in float64 too
_LN2 = (0.6931471805599453, 2.3190468138462996e-17)
_2_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


def _exp(h: Array) -> tuple[Exponential, Array]:
    """e^h in two parts and rounded."""
    e = exp(h, jnp.zeros_like(h))
    return e, e.rounded()


def _below(h: Array, e: Exponential, a: Array) -> Array:
    """h e^h (1 + a), in 2**-24 of which no part of the product underflows."""
    h = h * 2**24
    high, low = exact_product(h, e.high)
    return scale(high + (low + (h * e.low + h * e.high * a)), e.power - 24)


def _slope_below(
    h: Array,
    e: Exponential,
    gate: tuple[Array, Array],
    near: tuple[float, ...],
    end: float,
    root: tuple[float, float],
) -> Array:
    """e^h (1 + h + a + h b), or (h - root) times the polynomial `near` if h is above `end`.

    The polynomial is one of h - end / 2, so in the middle between `end` and 0.
    """
    a, b = gate
    one, lost = exact_sum(jnp.ones_like(h), h)
    far = e.times(one + (lost + (a + h * b)))
    high, low = in_two_parts(*root, h.dtype)
    moved = jnp.clip(h, end, 0) - end / 2
    return jnp.where(h < end, far, ((h - high) - low) * polynomial(near, moved))


def _tanh_of_exp(x: Array) -> tuple[Array, Exponential, Array, Array]:
    """x where tanh(e^x) is neither 0 nor 1, t = e^x in two parts and rounded, 1 / (1 + e^2t)."""
    h = jnp.clip(x, -FAR, _SATURATES)
    e, t = _exp(h)
    closing = jnp.exp(-2 * t)
    return h, e, t, closing / (1 + closing)


@elementwise()
def tanh_exp_derivative(x: Array) -> Array:
    """Derivative of `tanh_exp`: tanh(t) + x t / cosh(t)**2, with t = e^x."""
    if x.dtype == jnp.float64:
        h = jnp.clip(x, -_UNDERFLOWS, _SATURATES)
        t = jnp.exp(h)
        return jnp.tanh(t) + h * t / jnp.cosh(t) ** 2
    h, e, t, q = _tanh_of_exp(x)
    square = jnp.minimum(t, 1) ** 2
    a = square * polynomial(coefficients.TANH, square - 0.5)
    b = -square * (1 + a) ** 2
    below = _slope_below(h, e, (a, b), coefficients.TANH_EXP_NEAR, -1.5, _TANH_EXP_ROOT)
    return jnp.where(x < 0, below, 1 + 2 * q * (2 * h * t * (1 - q) - 1))


@activation(
    tanh_exp_derivative,
    aliases=("telu",),
    monotonic=False,
    reference="Liu and Di 2020, TanhExp, arXiv 2003.09855; Fernandez and Mali 2024, TeLU, "
    "arXiv 2412.20269",
)
def tanh_exp(x: Array) -> Array:
    """TanhExp, or TeLU: x tanh(e^x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Liu and Di 2020, TanhExp, arXiv 2003.09855; again as TeLU: Fernandez and Mali 2024,
    arXiv 2402.02790 and 2412.20269.
    """
    if x.dtype == jnp.float64:
        t = jnp.exp(jnp.minimum(x, _SATURATES))
        return jnp.maximum(x, -_UNDERFLOWS) * jnp.tanh(t)
    h, e, t, q = _tanh_of_exp(x)
    square = jnp.minimum(t, 1) ** 2
    below = _below(h, e, square * polynomial(coefficients.TANH, square - 0.5))
    return jnp.where(x < 0, below, x - 2 * h * q)


def _erfc_of_softplus(h: Array, t: Array) -> tuple[Array, Array]:
    """erfc(s) and e^(-s**2), with s = log(1 + e^|x|) given h = -|x| and t = e^h."""
    s = jnp.log1p(t) - h
    bell = jnp.exp(-s * s)
    return 2 * bell / inverse_mills(math.sqrt(2) * s), bell


@elementwise()
def serf_derivative(x: Array) -> Array:
    """Derivative of `serf`: erf(s) + x 2 / sqrt(pi) e^(-s**2) / (1 + e^-x), s = log(1 + e^x)."""
    if x.dtype == jnp.float64:
        h = jnp.clip(x, -_UNDERFLOWS, _UNDERFLOWS)
        t = jnp.exp(negative_abs(h))
        s = jnp.where(h < 0, 0, h) + jnp.log1p(t)
        gate = jnp.where(h < 0, t, 1) / (1 + t)
        return jax.lax.erf(s) + h * _2_OVER_SQRT_PI * jnp.exp(-s * s) * gate
    h = jnp.maximum(negative_abs(x), -FAR)
    e, t = _exp(h)
    a = polynomial(coefficients.SERF_GATE, jnp.minimum(t, 0.37) - 0.185)
    b = polynomial(coefficients.SERF_SLOPE, jnp.minimum(t, 0.2) - 0.09)
    below = _slope_below(h, e, (a, b), coefficients.SERF_NEAR, -1.75, _SERF_ROOT)
    rest, bell = _erfc_of_softplus(h, t)
    return jnp.where(x < 0, below, 1 - (rest + _2_OVER_SQRT_PI * h * bell / (1 + t)))


@activation(serf_derivative, monotonic=False, reference="Nag et al. 2021, Serf, arXiv 2108.09598")
def serf(x: Array) -> Array:
    """Serf, the log-softplus error function: x erf(log(1 + e^x)).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Nag, Bhattacharyya, Mukherjee and Kundu 2021, arXiv 2108.09598.
    """
    if x.dtype == jnp.float64:
        s = jnp.maximum(x, 0) + jnp.log1p(jnp.exp(negative_abs(x)))
        return jnp.maximum(x, -_UNDERFLOWS) * jax.lax.erf(s)
    h = jnp.maximum(negative_abs(x), -FAR)
    e, t = _exp(h)
    below = _below(h, e, polynomial(coefficients.SERF_GATE, jnp.minimum(t, 0.37) - 0.185))
    rest, _ = _erfc_of_softplus(h, t)
    near = x * polynomial(coefficients.SERF_GATE_NEAR, jnp.clip(x, -1, 1))
    return jnp.where(x < -1, below, jnp.where(x < 1, near, x + h * rest))


@elementwise()
def logish_derivative(x: Array) -> Array:
    """Derivative of `logish`: log(1 + s) + x s (1 - s) / (1 + s), with s = 1 / (1 + e^-x).

    Above 0 it is written in v = 1 - s, below in v = s: as t / (1 + t) with t = e^-|x|.
    """
    if x.dtype == jnp.float64:
        h = jnp.clip(x, -_UNDERFLOWS, _UNDERFLOWS)
        t = jnp.exp(negative_abs(h))
        s = jnp.where(h < 0, t, 1) / (1 + t)
        return jnp.log1p(s) + h * (t / (1 + t) ** 2) / (1 + s)
    h = jnp.maximum(negative_abs(x), -FAR)
    e, t = _exp(h)
    v = t / (1 + t)
    a = v * polynomial(coefficients.LOGISH_GATE, jnp.minimum(v, 0.2) - 0.1)
    b = -v * (3 - v) / (1 + v)
    below = _slope_below(h, e, (a, b), coefficients.LOGISH_NEAR, -2.25, _LOGISH_ROOT)
    return jnp.where(x < 0, below, _logish_gate(x, v) - h * v * (1 - v) / (2 - v))


def _logish_gate(x: Array, v: Array) -> Array:
    """log(1 + s) from x = -1.5 on, given v = 1 - s for x > 1, where it is log(2 - v)."""
    near = polynomial(coefficients.LOGISH_GATE_NEAR, jnp.clip(x, -1.5, 1) + 0.5)
    high, low = in_two_parts(*_LN2, x.dtype)
    v = jnp.minimum(v, 0.28)
    far = high + (low - v * polynomial(coefficients.LOGISH_REST, v - 0.14))
    return jnp.where(x < 1, near, far)


@activation(
    logish_derivative,
    monotonic=False,
    reference="Zhu et al. 2021, Logish, doi 10.1016/j.neucom.2021.06.067",
)
def logish(x: Array) -> Array:
    """Logish: x log(1 + 1 / (1 + e^-x)), which tends to log(2) x.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Zhu, Zeng, Liu and Zhang 2021, Neurocomputing 458, doi 10.1016/j.neucom.2021.06.067.
    """
    if x.dtype == jnp.float64:
        t = jnp.exp(negative_abs(x))
        return jnp.maximum(x, -_UNDERFLOWS) * jnp.log1p(jnp.where(x < 0, t, 1) / (1 + t))
    h = jnp.maximum(negative_abs(x), -FAR)
    e, t = _exp(h)
    v = t / (1 + t)
    below = _below(h, e, v * polynomial(coefficients.LOGISH_GATE, jnp.minimum(v, 0.2) - 0.1))
    return jnp.where(x < -1.5, below, x * _logish_gate(x, v))


@jax.custom_jvp
def _exponential(x: Array) -> Array:
    """e^x, whose derivative is itself also where it is an infinity."""
    if x.dtype == jnp.float64:
        return jnp.exp(x)
    return _exp(jnp.clip(x, -FAR, FAR))[1]


@_exponential.defjvp
def _exponential_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    value = _exponential(*primals)
    return value, value * tangents[0]


@elementwise()
def exponential_derivative(x: Array) -> Array:
    """Derivative of `exponential`: e^x."""
    return _exponential(x)


@activation(exponential_derivative, monotonic=True, reference="f(x) = e^x; in Keras: exponential")
def exponential(x: Array) -> Array:
    """Exponential: e^x, which overflows in float32 from 88.73 on.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.
    """
    return _exponential(x)
