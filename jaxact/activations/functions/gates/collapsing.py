"""The collapsing linear unit: x through a quotient that closes below 0, and its derivative."""

import math

import jax.numpy as jnp
from jax import Array

from jaxact.activations.functions.gates.self_gated import SHIFT, UNDERFLOWS
from jaxact.activations.numerics import elementwise
from jaxact.activations.precision import exact_sum, exp, exp_parts, expm1, in_two_parts
from jaxact.activations.registry import activation

# As a double-double, from mpmath at 60 digits: of e^(x + e^x) - x**2 (1 + e^x).
_COLU_ROOT = (-0.7269249885960442, 1.1997127375566776e-17)
_OPEN = {jnp.dtype("float32"): 3.0, jnp.dtype("float64"): 4.0}  # from here on f(x) is x


def _parts(x: Array) -> tuple[Array, Array, tuple[Array, Array]]:
    """`x`, bounded, e^x, and the parts of 2**8 e^(x + e^x), as `exp_parts` has them."""
    b = jnp.clip(x, UNDERFLOWS[x.dtype], _OPEN[x.dtype])
    e = exp(b)
    return b, e, exp_parts(*exact_sum(b, e), SHIFT)


@elementwise()
def colu_derivative(x: Array) -> Array:
    """Derivative of `colu`: q (q - x**2 (1 + e^x)) / (q - x)**2, with q = e^(x + e^x).

    With the root r of the middle factor and d = x - r that factor is
    q(r) (e^w - 1) - r**2 e^r (e^d - 1) - d (x + r) (1 + e^x), where w = d + e^r (e^d - 1): the
    first and the last term have the sign of d, the second is small beside them.
    """
    b, e, (c, scale) = _parts(x)
    q = (1 + c) * scale / 2**SHIFT
    high, low = in_two_parts(*_COLU_ROOT, x.dtype)
    d = (b - high) - low
    e_at_root = math.exp(_COLU_ROOT[0])
    q_at_root = math.exp(_COLU_ROOT[0] + e_at_root)
    u = expm1(d)
    # Farther from the root nothing cancels, and the sum that is raised would lose digits.
    near = q_at_root * expm1(jnp.clip(d, -0.5, 0.5) + e_at_root * jnp.clip(u, -0.5, 0.7))
    numerator = (
        jnp.where(jnp.abs(d) < 0.5, near, q - q_at_root)
        - (_COLU_ROOT[0] ** 2 * e_at_root) * u
        - d * (b + high) * (1 + e)
    )
    s = q - b
    return jnp.where(x >= _OPEN[x.dtype], 1, ((1 + c) * scale / s) * (numerator / s) / 2**SHIFT)


@activation(
    colu_derivative,
    monotonic=False,
    reference="Vagerwal 2021, Deeper learning with CoLU activation, arXiv 2112.12078",
)
def colu(x: Array) -> Array:
    """Collapsing linear unit: x / (1 - x e^-(x + e^x)).

    As x q / (q - x), with q = e^(x + e^x): no exponential overflows.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Vagerwal 2021, arXiv 2112.12078.
    """
    b, _, (c, scale) = _parts(x)
    quotient = (b + b * c) * scale / ((1 + c) * scale - 2**SHIFT * b)
    return jnp.where(x >= _OPEN[x.dtype], x, quotient)
