"""Cheaper forms of SiLU, GELU and Mish, and their derivatives."""

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.activations.activation import Kink
from jaxact.activations.functions.gates.self_gated import SHIFT, UNDERFLOWS, swish_slope
from jaxact.activations.numerics import elementwise, nan_like, negative_abs
from jaxact.activations.precision import coarse, exact_sum, exp_parts, gated
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
    middle = jnp.where(x > -1, inside / 2 + inside * inside / 6, inside * (inside + 3) / 6)
    return nan_like(x, jnp.where(x > 3, x, middle))


def _quick_closing(x: Array) -> tuple[Array, Array, Array, Array]:
    """z = -1.702 |x| as a sum of two, and the parts of e^z.

    Most of it is exact: a product of two numbers of 12 bits.
    """
    h = jnp.maximum(negative_abs(x), UNDERFLOWS[x.dtype])
    leading = jax.lax.stop_gradient(coarse(h)) if x.dtype == jnp.float32 else h
    rest = _QUICK_SHORT * (h - leading) + (_QUICK - _QUICK_SHORT) * h
    large, small = exact_sum(_QUICK_SHORT * leading, rest)
    return large, small, *exp_parts(large, small, SHIFT)


@elementwise()
def quick_gelu_derivative(x: Array) -> Array:
    """Derivative of `quick_gelu`: that of `swish`, s + z s (1 - s), at z = 1.702 x."""
    return swish_slope(x, *_quick_closing(x))


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
    _, _, q, scale = _quick_closing(x)
    return gated(x, x, q, scale, SHIFT)


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
