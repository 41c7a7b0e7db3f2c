"""Products of two known functions, ELU or tanh among them, and their derivatives.

Below 0 a derivative has a root, near which the textbook formula cancels; subtracting that formula's
value at the root, as in `self_gated`, leaves terms of one sign.
"""

import math

import jax.numpy as jnp
from jax import Array

from jaxact.activations.activation import Kink
from jaxact.activations.functions.classic import tanh, tanh_derivative
from jaxact.activations.functions.gates.self_gated import (
    SHIFT,
    closing,
    from_root,
    slope_in_pieces,
    swish_slope,
)
from jaxact.activations.numerics import elementwise, negative_part
from jaxact.activations.precision import closed, expm1, polynomial
from jaxact.activations.registry import activation

# Roots as double-doubles, from mpmath at 60 digits.
_ELISH_ROOT = (-0.881373587019543, 2.250545892825866e-17)  # of e^2x + 2 e^x - 1: log(sqrt(2) - 1)
_HARD_ELISH_ROOT = (-0.4428544010023886, 1.4810791653201162e-17)  # of e^x (x + 2) - 1: W(e**2) - 2

# Fitted by `python -m benchmarks.exactness.fits`.
_ELISH_SLOPE = (
    -6.88131375267e-07,
    -2.63756771292e-05,
    -3.0626116666e-05,
    0.000237369708294,
    0.0006816231474,
    -0.000427859636769,
    -0.00248237969603,
    0.0177388933956,
    0.115242203269,
    0.272977976096,
    0.260900850251,
)
_HARD_ELISH_CENTRE = -0.5
_HARD_ELISH_SLOPE = (
    7.24432400126e-05,
    0.000520003075784,
    0.00318840068195,
    0.016608386204,
    0.0704474443438,
    0.231474793258,
    0.543942090951,
    0.789247220979,
)

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


@elementwise()
def elish_derivative(x: Array) -> Array:
    """Derivative of `elish`: that of swish if x >= 0, else e^x (e^2x + 2 e^x - 1) / (1 + e^x)**2.

    The middle factor is (e^x - e^r) (e^x + 1 + sqrt(2)), with the root r; in float32 near r the
    whole is x - r times a polynomial.
    """
    h, q, scale = closing(x)
    e = (1 + q) * scale / 2**SHIFT
    d = from_root(_ELISH_ROOT, h)
    if x.dtype == jnp.float64:
        middle = (math.sqrt(2) - 1) * jnp.expm1(d) * (e + (1 + math.sqrt(2)))
        below = e * middle / (1 + e) ** 2
    else:
        below = slope_in_pieces(h, d, _ELISH_SLOPE, e * (e + 2) - 1, e, q, scale)
    return jnp.where(x < 0, below, swish_slope(x, h, 0.0, q, scale))


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
    h, q, scale = closing(x)
    c, d = closed(q, scale, SHIFT)
    below = expm1(h)
    return jnp.where(x < 0, (below + below * c) * scale, x) / jnp.where(x < 0, 2**SHIFT * d, d)


@elementwise()
def hard_elish_derivative(x: Array) -> Array:
    """Derivative of `hard_elish`: 0, (e^x (x + 2) - 1) / 2, x + 1/2 and 1, cut at -1, 0 and 1.

    With the root r and d = x - r, the second is ((x + 2) (e^d - 1) + d) e^r / 2; in float32 it is d
    times a polynomial.
    """
    h = jnp.maximum(negative_part(x), -1)
    d = from_root(_HARD_ELISH_ROOT, h)
    if x.dtype == jnp.float64:
        below = ((h + 2) * jnp.expm1(d) + d) * (math.exp(_HARD_ELISH_ROOT[0]) / 2)
    else:
        below = d * polynomial(_HARD_ELISH_SLOPE, h - _HARD_ELISH_CENTRE)
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
    below = expm1(h)
    # Near 0 the sum 1 + h would be rounded; near the root -1 it is exact.
    below = jnp.where(h > -0.5, below + below * h, below * (1 + h)) / 2
    return jnp.where(x < 0, below, x * (0.5 + jnp.minimum(x, 1) / 2))
