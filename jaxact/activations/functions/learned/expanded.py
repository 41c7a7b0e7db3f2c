"""x times a gate whose range training expands from (0, 1) to (-alpha, 1 + alpha), and derivatives.

With a gate g from 0 to 1 they are x ((1 + 2 alpha) g - alpha), which is x g + alpha x (2 g - 1): at
alpha = 0, where training starts, to the last digits the function without it. The second term is
even and never negative; where it cancels the first, a result is as precise as the two.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.functions.classic import tanh, tanh_derivative
from jaxact.activations.functions.gates.gaussian import gelu, gelu_derivative
from jaxact.activations.functions.gates.self_gated import silu, silu_derivative
from jaxact.activations.numerics import elementwise, finite, negative_abs
from jaxact.activations.precision import exp, in_two_parts, polynomial
from jaxact.activations.registry import activation

_HUANG = "Huang 2024, Expanded gating ranges improve activation functions, arXiv 2405.20768"
_UNDERFLOWS = 40.0  # x e^-|x| and x e^(-x**2) are nearly 0 here, and stay so
_INV_PI = 1 / math.pi
_HALF_LESS_INV_PI = (0.18169011381620934, -8.076898940446426e-18)
# Where 1 / |x| counts as 0, and 1 / |x|**3.
_FAR = {jnp.dtype("float32"): (1e18, 4e12), jnp.dtype("float64"): (1e150, 1e100)}

# In v**2 - 1/2: what the two functions below give, by `python -m benchmarks.exactness.fits`.
_CENTRE = 0.5
_ARCTAN_DEFICIT = (
    0.00029803337835,
    -0.00048566359241,
    0.00059263093134,
    -0.000988008236278,
    0.00171932765007,
    -0.00294556978997,
    0.00514792232494,
    -0.00927407938607,
    0.0174481068733,
    -0.0352734563059,
    0.082493348388,
)
_ARCTAN_SLOPE = (
    -0.00328621843748,
    0.00490693401413,
    -0.0048563011942,
    0.00723078337981,
    -0.0114408128325,
    0.0169712966738,
    -0.0250003972842,
    0.0367658433791,
    -0.0536018442109,
    0.0768660100697,
    -0.106197605976,
    0.129713242139,
)


def _expanded(x: Array, alpha: ArrayLike, plain: Array, even: Array) -> Array:
    """plain + alpha even, of `finite(x)`, but at the infinities what it tends to."""
    end = jnp.where(x > 0, 1 + jnp.asarray(alpha), -jnp.asarray(alpha))
    return jnp.where(jnp.isinf(x) & (end != 0), end * x, plain + alpha * even)


def _folded(x: Array) -> tuple[Array, Array, Array, Array]:
    """|x|, bounded, whether it is above 1, the smaller v of it and 1 / |x|, and v**2."""
    h = jnp.minimum(-negative_abs(x), _FAR[x.dtype][0])
    is_outer = h > 1
    v = jnp.where(is_outer, 1 / jnp.where(is_outer, h, 1), h)
    return h, is_outer, v, v * v


def _series(y: Array, first: int, step: int, direct: Callable[[Array, Array], Array]) -> Array:
    """sum_k (-1)**k (first + step k) / (2 k + 3) y**k / pi; beyond 0.01 `direct(sqrt(y), y)`."""
    terms = [(-1) ** k * _INV_PI * (first + step * k) / (2 * k + 3) for k in range(8, -1, -1)]
    far = jnp.maximum(y, 0.01)
    near = polynomial(tuple(terms), jnp.minimum(y, 0.01))
    return jnp.where(y < 0.01, near, direct(jnp.sqrt(far), far))


def _arctan_deficit(v: Array, y: Array) -> Array:
    """(v - arctan(v)) / (pi v**3) for 0 <= v <= 1, given y = v**2."""
    if v.dtype != jnp.float64:
        return polynomial(_ARCTAN_DEFICIT, y - _CENTRE)
    return _series(y, 1, 0, lambda v, y: _INV_PI * (1 - jnp.arctan(v) / v) / y)


def _arctan_slope(v: Array, y: Array) -> Array:
    """(arctan(v) - v / (1 + v**2)) / (pi v**3), likewise."""
    if v.dtype != jnp.float64:
        return polynomial(_ARCTAN_SLOPE, y - _CENTRE)
    return _series(y, 2, 2, lambda v, y: _INV_PI * (jnp.arctan(v) / v - 1 / (1 + y)) / y)


@elementwise()
def xatlu_derivative(x: Array, alpha: ArrayLike = 0.0) -> Array:
    """Derivative of `xatlu` in x: (1 + 2 alpha) (g + x / (pi (1 + x**2))) - alpha.

    With a(v) = (arctan(v) - v / (1 + v**2)) / pi that of x g at -|x| is a(1 / |x|) where |x| is
    above 1, and else, with v = |x|, (1/2 - 1 / pi) + (1 - v)**2 / (pi (1 + v**2)) - a(v).
    """
    h, is_outer, v, y = _folded(x)
    slope = _arctan_slope(v, y)
    far = jnp.minimum(h, _FAR[x.dtype][1])
    q = _INV_PI / (1 + y)
    high, low = in_two_parts(*_HALF_LESS_INV_PI, x.dtype)
    inner = (high - v * y * slope) + (low + (1 - v) * (1 - v) * q)
    outer = slope / jnp.where(is_outer, far * far * far, 1)
    below = jnp.where(is_outer, outer, inner)
    arctan = v * (_INV_PI - y * _arctan_deficit(v, y))
    odd = 2 * (jnp.where(is_outer, 0.5 - arctan, arctan) + v * q)
    return jnp.where(x < 0, below - alpha * odd, 1 - below + alpha * odd)


@activation(
    xatlu_derivative,
    learnable=("alpha",),
    monotonic=lambda alpha: -1 <= alpha <= 0,
    reference=_HUANG,
)
def xatlu(x: Array, alpha: ArrayLike = 0.0) -> Array:
    """Arctan linear unit of expanded range: x ((1 + 2 alpha) g - alpha), g = arctan(x) / pi + 1/2.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      alpha: learned, of shape `[]` or `[channels]`.

    Returns:
      Array of the shape and dtype of `x`; with alpha = 0 its limit at -infinity is -1 / pi.

    Source: Huang 2024, arXiv 2405.20768.
    """
    _, is_outer, v, y = _folded(x)
    deficit = _arctan_deficit(v, y)
    ratio = _INV_PI - y * deficit
    arctan = jnp.where(is_outer, 0.5 - v * ratio, v * ratio)
    # 1/2 - v ratio as a sum of positive terms
    high, low = in_two_parts(*_HALF_LESS_INV_PI, x.dtype)
    gate = high + (v * y * deficit + (low + (1 - v) * _INV_PI))
    below = jnp.where(is_outer, -ratio, -v * gate)
    bounded = finite(x)
    plain = jnp.where(x < 0, below, bounded * (0.5 + arctan))
    return _expanded(x, alpha, plain, -negative_abs(bounded) * (2 * arctan))


def _turns(alpha: float) -> bool | None:
    """Whether it never turns: not with a gate that reaches 0 or 1; between, it is not known."""
    return None if -1 < alpha < 0 else False


@elementwise()
def xgelu_derivative(x: Array, alpha: ArrayLike = 0.0) -> Array:
    """Derivative of `xgelu` in x: (1 + 2 alpha) (Phi(x) + x phi(x)) - alpha."""
    near = jnp.clip(x, -_UNDERFLOWS, _UNDERFLOWS)
    density = exp(-0.5 * near * near) / math.sqrt(2 * math.pi)
    return gelu_derivative(x) + alpha * (jax.lax.erf(near * 0.5**0.5) + 2 * near * density)


@activation(xgelu_derivative, learnable=("alpha",), monotonic=_turns, reference=_HUANG)
def xgelu(x: Array, alpha: ArrayLike = 0.0) -> Array:
    """GELU of expanded range: x ((1 + 2 alpha) Phi(x) - alpha).

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      alpha: learned, of shape `[]` or `[channels]`.

    Returns:
      Array of the shape and dtype of `x`; with alpha = 0 it is `gelu`.

    Source: Huang 2024, arXiv 2405.20768.
    """
    bounded = finite(x)
    return _expanded(x, alpha, gelu(bounded), bounded * jax.lax.erf(bounded * 0.5**0.5))


@elementwise()
def xsilu_derivative(x: Array, alpha: ArrayLike = 0.0) -> Array:
    """Derivative of `xsilu` in x: (1 + 2 alpha) (s + x s (1 - s)) - alpha, s = 1 / (1 + e^-x)."""
    half = finite(x) / 2
    near = jnp.clip(half, -20 * _UNDERFLOWS, 20 * _UNDERFLOWS)  # farther out the product is 0
    return silu_derivative(x) + alpha * (tanh(half) + near * tanh_derivative(half))


@activation(xsilu_derivative, learnable=("alpha",), monotonic=_turns, reference=_HUANG)
def xsilu(x: Array, alpha: ArrayLike = 0.0) -> Array:
    """SiLU of expanded range: x ((1 + 2 alpha) / (1 + e^-x) - alpha).

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      alpha: learned, of shape `[]` or `[channels]`.

    Returns:
      Array of the shape and dtype of `x`; with alpha = 0 it is `silu`.

    Source: Huang 2024, arXiv 2405.20768.
    """
    bounded = finite(x)
    return _expanded(x, alpha, silu(bounded), bounded * tanh(bounded / 2))
