"""Cheaper forms of SiLU, GELU and Mish, and their derivatives."""

import math

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations.activation import Kink
from jaxact.activations.functions.gates.self_gated import SWISH_ROOT, UNDERFLOWS, swish_slope
from jaxact.activations.numerics import elementwise, nan_like, negative_abs
from jaxact.activations.precision import coarse, in_two_parts
from jaxact.activations.registry import activation

_QUICK = 1.702
_QUICK_SHORT = 3486 / 2048  # it, in 12 bits


@elementwise()
def hard_silu_derivative(x: Array) -> Array:
    """Derivative of `hard_silu`: 0 if x <= -3, 1 if x >= 3, else (2 x + 3) / 6."""
    inside = (2 * jnp.clip(x, -3, 3) + 3) / 6
    return jnp.where(x <= -3, 0, jnp.where(x >= 3, 1, inside))


@activation(
    hard_silu_derivative,
    aliases=("hard_swish",),
    kinks=(Kink(-3.0, 0.0), Kink(3.0, 1.0)),
    monotonic=False,
    reference="Howard et al. 2019, Searching for MobileNetV3, arXiv 1905.02244, section 5.2",
)
def hard_silu(x: Array) -> Array:
    """Hard SiLU, or hard swish: x min(max(0, x + 3), 6) / 6; derivative 0 at -3 and 1 at 3.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Howard et al. 2019, arXiv 1905.02244, section 5.2.
    """
    inside = jnp.clip(x, -3, 3)
    return nan_like(x, jnp.where(x > 3, x, inside * (inside + 3) / 6))


def _quick_closing(x: Array) -> tuple[Array, Array, Array, Array]:
    """-|x|, bounded, z = -1.702 |x| in two parts, and e^(z + 1), to relative precision in the tail.

    In float32 rounding z would cost a relative |z| * eps. Its first part is exact: a product of
    two numbers of 12 bits; the second is at most 0.03 where the result is no underflow.
    """
    h = jnp.maximum(negative_abs(x), UNDERFLOWS[x.dtype])
    if x.dtype == jnp.float64:
        z = _QUICK * h
        return h, z, jnp.zeros_like(z), jnp.exp(z + 1)
    short = jax.lax.stop_gradient(coarse(h))
    large = _QUICK_SHORT * short
    small = _QUICK_SHORT * (h - short) + (_QUICK - _QUICK_SHORT) * h
    p = jnp.exp(large + 1) * (1 + small * (1 + small * (1 / 2 + small * (1 / 6))))
    return h, large, small, p


@elementwise()
def quick_gelu_derivative(x: Array) -> Array:
    """Derivative of `quick_gelu`: that of `swish`, s + z s (1 - s), at z = 1.702 x."""
    _, large, small, p = _quick_closing(x)
    high, low = in_two_parts(*SWISH_ROOT, x.dtype)
    return swish_slope(x, (large - high) + (small - low), p)


@activation(
    quick_gelu_derivative,
    monotonic=False,
    reference="Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2 (sigmoid approximation)",
)
def quick_gelu(x: Array) -> Array:
    """Quick GELU: x / (1 + e^(-1.702 x)), which is `swish` with beta = 1.702.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2; named in OpenAI's CLIP.
    """
    h, _, _, p = _quick_closing(x)
    return jnp.maximum(x, 0) + (h * p) / (math.e + p)


@elementwise()
def hard_mish_derivative(x: Array) -> Array:
    """Derivative of `hard_mish`: 0 if x <= -2, 1 if x > 0, else x + 1."""
    return jnp.where(x <= -2, 0, jnp.clip(x, -2, 0) + 1)


@activation(
    hard_mish_derivative,
    kinks=(Kink(-2.0, 0.0),),
    monotonic=False,
    reference="Misra 2020, H-Mish, github.com/digantamisra98/H-Mish",
)
def hard_mish(x: Array) -> Array:
    """Hard Mish: x min(max(0, x + 2), 2) / 2; derivative 0 at -2.

    The definition by the author of Mish; other functions have been called so.

    Args:
      x: floating-point array of any shape.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Misra 2020, H-Mish, github.com/digantamisra98/H-Mish (no paper).
    """
    inside = jnp.clip(x, -2, 0)
    return jnp.where(x > 0, x, inside * (inside + 2) / 2)
