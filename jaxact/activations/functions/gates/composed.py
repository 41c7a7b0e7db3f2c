"""Products of two known functions, ELU or tanh among them, and their derivatives.

Below 0 a derivative has a root, near which the textbook formula cancels; subtracting that formula's
value at the root, as in `self_gated`, leaves terms of one sign.
"""

import math

import jax.numpy as jnp
from jax import Array

from jaxact.activations.activation import Kink
from jaxact.activations.functions.classic import tanh, tanh_derivative
from jaxact.activations.numerics import elementwise, finite, negative_abs, negative_part
from jaxact.activations.precision import expm1, in_two_parts
from jaxact.activations.registry import activation

# Roots as double-doubles, from mpmath at 60 digits.
_ELISH_ROOT = (-0.881373587019543, 2.250545892825866e-17)  # of e^2x + 2 e^x - 1: log(sqrt(2) - 1)
_HARD_ELISH_ROOT = (-0.4428544010023886, 1.4810791653201162e-17)  # of e^x (x + 2) - 1: W(e**2) - 2

_UNDERFLOWS = 800.0  # e^-x is 0 here in float64 too


@elementwise()
def lisht_derivative(x: Array) -> Array:
    """Derivative of `lisht`: tanh(x) + x (1 - tanh(x)**2)."""
    near = jnp.clip(x, -_UNDERFLOWS, _UNDERFLOWS)  # farther out the second term is 0
    return tanh(x) + near * tanh_derivative(x)


@activation(lisht_derivative, monotonic=False, reference="Roy et al. 2019, LiSHT, arXiv 1901.05894")
def lisht(x: Array) -> Array:
    """Linearly scaled hyperbolic tangent: x tanh(x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, never below 0.

    Source: Roy et al. 2019, LiSHT, arXiv 1901.05894.
    """
    return x * tanh(x)


def _closing(x: Array) -> Array:
    """e^-|x|, divided: a product of an `exp` with itself XLA would make a second one."""
    return jnp.exp(negative_abs(x) + 1) / math.e


@elementwise()
def elish_derivative(x: Array) -> Array:
    """Derivative of `elish`: that of swish if x >= 0, else e^x (e^2x + 2 e^x - 1) / (1 + e^x)**2.

    The middle factor is (e^x - e^r) (e^x + 1 + sqrt(2)), with the root r.
    """
    e = _closing(x)
    q = 1 / (1 + e)
    at_root = math.sqrt(2) - 1
    high, low = in_two_parts(*_ELISH_ROOT, x.dtype)
    h = negative_abs(x)
    from_root = at_root * expm1((h - high) - low, e / at_root)
    below = e * from_root * (e + (1 + math.sqrt(2))) * (q * q)
    above = q * (1 + finite(x) * e * q)
    return jnp.where(x < 0, below, above)


@activation(
    elish_derivative,
    monotonic=False,
    reference="Basirat and Roth 2018, The quest for the golden activation, arXiv 1808.00783",
)
def elish(x: Array) -> Array:
    """Exponential linear squashing: x / (1 + e^-x) if x >= 0 else (e^x - 1) / (1 + e^-x).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Basirat and Roth 2018, arXiv 1808.00783.
    """
    e = _closing(x)
    q = 1 / (1 + e)
    return jnp.where(x < 0, expm1(negative_abs(x), e) * e * q, x * q)


@elementwise()
def hard_elish_derivative(x: Array) -> Array:
    """Derivative of `hard_elish`: 0, (e^x (x + 2) - 1) / 2, x + 1/2 and 1, cut at -1, 0 and 1.

    With the root r and d = x - r, the second is ((x + 2) (e^d - 1) + d) e^r / 2.
    """
    h = jnp.maximum(negative_part(x), -1)
    at_root = math.exp(_HARD_ELISH_ROOT[0])
    high, low = in_two_parts(*_HARD_ELISH_ROOT, x.dtype)
    d = (h - high) - low
    below = ((h + 2) * expm1(d, jnp.exp(h) / at_root) + d) * (at_root / 2)
    above = jnp.where(x >= 1, 1, jnp.minimum(x, 1) + 0.5)
    return jnp.where(x <= -1, 0, jnp.where(x < 0, below, above))


@activation(
    hard_elish_derivative,
    kinks=(Kink(-1.0, 0.0), Kink(1.0, 1.0)),
    monotonic=False,
    reference="Basirat and Roth 2018, The quest for the golden activation, arXiv 1808.00783",
)
def hard_elish(x: Array) -> Array:
    """Hard ELiSH: (x if x >= 0 else e^x - 1) max(0, min(1, (x + 1) / 2)).

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`; derivative 0 at -1 and 1 at 1, as of `hard_silu`.

    Source: Basirat and Roth 2018, arXiv 1808.00783.
    """
    h = jnp.maximum(negative_part(x), -1)
    gate = jnp.clip(x + 1, 0, 2) / 2
    return jnp.where(x > 0, x, expm1(h, jnp.exp(h))) * gate
