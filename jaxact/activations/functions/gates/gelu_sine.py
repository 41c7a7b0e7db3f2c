"""GELU with a small sine beside it, and its derivative."""

import jax.numpy as jnp
from jax import Array

from jaxact.activations.functions.gates.gaussian import gelu, gelu_derivative
from jaxact.activations.numerics import elementwise, finite
from jaxact.activations.precision import in_two_parts, polynomial
from jaxact.activations.registry import activation

# As a double-double, from mpmath at 60 digits: of gelu'(x) + cos(x) / 10, the first from above.
_GELU_SINE_ROOT = (-0.9173422812764075, 2.1336961395557194e-17)
_NEAR = 0.4  # of it
# The derivative over the distance from the root: `python -m benchmarks.exactness.fits`.
_SLOPE = (
    -0.000959327285035,
    0.00638854253661,
    0.0126658058029,
    -0.0302669281799,
    -0.0920898382425,
    0.038385580386,
    0.349055491308,
    0.382834605966,
)


@elementwise()
def gelu_sine_derivative(x: Array) -> Array:
    """Derivative of `gelu_sine`: gelu'(x) + cos(x) / 10.

    In float32 near its first root, d times a polynomial in the distance d from it; at those below
    -4, two in each period, it is as precise as its terms.
    """
    plain = gelu_derivative(x) + 0.1 * jnp.cos(finite(x))
    if x.dtype == jnp.float64:
        return plain
    high, low = in_two_parts(*_GELU_SINE_ROOT, x.dtype)
    d = (x - high) - low
    near = jnp.clip(d, -_NEAR, _NEAR)
    return jnp.where(jnp.abs(d) < _NEAR, near * polynomial(_SLOPE, near), plain)


@activation(
    gelu_sine_derivative,
    monotonic=False,
    reference="Vitvitskyi et al. 2026, Mining generalizable activations, arXiv 2602.05688",
)
def gelu_sine(x: Array) -> Array:
    """GELUSine: gelu(x) + sin(x) / 10.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Vitvitskyi et al. 2026, Mining generalizable activation functions, arXiv 2602.05688.
    """
    return gelu(x) + 0.1 * jnp.sin(finite(x))
