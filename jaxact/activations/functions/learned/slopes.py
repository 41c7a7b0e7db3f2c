"""Activations with parameters that training learns, each a number (for a layer or a channel)."""

import math

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import Kink, kink_at_zero
from jaxact.activations.functions.classic import sigmoid
from jaxact.activations.functions.gates.self_gated import SHIFT, swish, swish_derivative
from jaxact.activations.numerics import (
    elementwise,
    nan_like,
    negative_abs,
    negative_part,
    scaled,
)
from jaxact.activations.precision import (
    exact_product,
    exact_sum,
    exp_parts,
    expm1,
    log_parts,
    times_exp,
)
from jaxact.activations.registry import POSITIVE, Domain, activation

_TINY = 1e-18  # its square is nothing beside it
_UNDERFLOWS = {jnp.dtype("float32"): 200.0, jnp.dtype("float64"): 800.0}  # e^-x is 0 here


@elementwise()
def prelu_derivative(x: Array, alpha: ArrayLike = 0.25) -> Array:
    """Derivative of `prelu` in x: 1 if x > 0 else alpha."""
    return nan_like(x, jnp.where(x > 0, 1, alpha))


@activation(
    prelu_derivative,
    learnable=("alpha",),
    kinks=lambda alpha: kink_at_zero(alpha),
    monotonic=lambda alpha: alpha >= 0,
    reference="He et al. 2015, Delving deep into rectifiers, arXiv 1502.01852, equation 1",
)
def prelu(x: Array, alpha: ArrayLike = 0.25) -> Array:
    """Parametric ReLU: max(0, x) + alpha min(0, x), with derivative alpha at 0.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      alpha: the learned slope below 0: shape `[]` (shared) or `[channels]` (one a channel).

    Returns:
      Array of the shape and dtype of `x`; differentiable in `alpha` too, by min(0, x).

    Source: He et al. 2015, arXiv 1502.01852, equation 1.
    """
    return jnp.where(x > 0, x, scaled(x, alpha))


@activation(
    swish_derivative,
    learnable=("beta",),
    monotonic=lambda beta: beta == 0,
    reference="Ramachandran, Zoph and Le 2017, arXiv 1710.05941 (swish with trainable beta)",
)
def learned_swish(x: Array, beta: ArrayLike = 1.0) -> Array:
    """Swish whose beta is learned: x / (1 + e^(-beta x)).

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      beta: learned, of shape `[]` or `[channels]`.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Ramachandran, Zoph and Le 2017, arXiv 1710.05941.
    """
    return swish(x, beta)


def _arelu_slopes(alpha: ArrayLike, beta: ArrayLike) -> tuple[Array, Array]:
    """The slopes of `arelu` below and above 0, computed once a parameter."""
    return jnp.clip(alpha, 0.01, 0.99), 1 + sigmoid(jnp.asarray(beta))


@elementwise()
def arelu_derivative(x: Array, alpha: ArrayLike = 0.9, beta: ArrayLike = 2.0) -> Array:
    """Derivative of `arelu` in x: its slope below 0 if x < 0, else that above."""
    below, above = _arelu_slopes(alpha, beta)
    return nan_like(x, jnp.where(x < 0, below, above))


@activation(
    arelu_derivative,
    learnable=("alpha", "beta"),
    kinks=lambda alpha, beta: (Kink(0.0, 1 + 1 / (1 + math.exp(-beta))),),
    monotonic=True,
    reference="Chen, Li and Xu 2020, AReLU, arXiv 2006.13858",
)
def arelu(x: Array, alpha: ArrayLike = 0.9, beta: ArrayLike = 2.0) -> Array:
    """Attention-based ReLU: min(max(alpha, 0.01), 0.99) x if x < 0, else (1 + sigmoid(beta)) x.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      alpha: learned, of the slope below 0: shape `[]` or `[channels]`.
      beta: learned, of the slope above 0: likewise.

    Returns:
      Array of the shape and dtype of `x`, with the slope above 0 as derivative at 0.

    Source: Chen, Li and Xu 2020, AReLU, arXiv 2006.13858.
    """
    below, above = _arelu_slopes(alpha, beta)
    return jnp.where(x < 0, below * x, above * x)


def _srs_parts(x: Array, beta: Array) -> tuple[Array, Array, Array, Array, Array]:
    """`x` where e^-|x / beta| is no underflow, x / beta in two parts, and the parts of that power.

    Rounding z = x / beta would cost the tail a relative |z| * eps; what it loses is the remainder
    of the division by beta.
    """
    end = _UNDERFLOWS[x.dtype] * beta
    bounded = jnp.clip(x, -end, end)
    z = bounded / beta
    high, low = exact_product(z, beta)
    rest = ((bounded - high) - low) / beta
    return bounded, z, rest, *exp_parts(negative_abs(z), jnp.where(z < 0, rest, -rest), SHIFT)


def _srs_root(y: Array, z: Array, q: Array, scale: Array) -> tuple[Array, Array]:
    """1 + y e^z for z < 0, else y + e^-z, as a sum of two numbers."""
    one = jnp.ones_like(y)
    first = jnp.where(z < 0, one, y)
    second = jnp.where(z < 0, y * scale, scale)
    total, lost = exact_sum(first, second)
    return exact_sum(total, second * q + lost)


@elementwise()
def srs_derivative(x: Array, alpha: ArrayLike = 2.0, beta: ArrayLike = 3.0) -> Array:
    """Derivative of `srs` in x: (1 + x / beta) e^(-x / beta) / (x / alpha + e^(-x / beta))**2."""
    x, z, rest, q, scale = _srs_parts(x, jnp.asarray(beta))
    slope = (1 + z) + rest
    numerator = (slope + slope * q) * scale / 2**SHIFT
    root, lost = _srs_root(x / alpha, z, q, scale / 2**SHIFT)
    quotient = numerator / root / root
    return quotient - quotient * (2 * lost / root)


@activation(
    srs_derivative,
    domains={"alpha": POSITIVE, "beta": POSITIVE},
    learnable=("alpha", "beta"),
    monotonic=False,
    reference="Zhou et al. 2020, Soft-root-sign activation function, arXiv 2003.00547",
)
def srs(x: Array, alpha: ArrayLike = 2.0, beta: ArrayLike = 3.0) -> Array:
    """Soft-root-sign: x / (x / alpha + e^(-x / beta)).

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      alpha: learned, positive, the limit at infinity: shape `[]` or `[channels]`. From beta / e
        downwards the function has a pole.
      beta: learned, positive, minus the place of the minimum: likewise.

    Returns:
      Array of the shape and dtype of `x`, with the limit 0 at -infinity.

    Source: Zhou et al. 2020, arXiv 2003.00547.
    """
    x, z, _, q, scale = _srs_parts(x, jnp.asarray(beta))
    below = (x + x * q) * scale / 2**SHIFT
    return jnp.where(z < 0, below, x) / _srs_root(x / alpha, z, q, scale / 2**SHIFT)[0]


def _deformed(x: Array, t: Array) -> tuple[Array, Array, Array]:
    """u = max(0, 1 + (1 - t) x) for x <= 0 (1 where that is 0), and log(u) / (1 - t) as a sum.

    Both the product and the logarithm are sums of two numbers: the power is that of e, and takes
    an error of the exponent as a relative one.
    """
    r = 1 - t
    high, low = exact_product(r, jnp.maximum(negative_part(x), -4 / r))
    u, lost = exact_sum(jnp.ones_like(x), high)
    u, lost = exact_sum(u, lost + low)
    is_cut = u <= 0
    u, lost = jnp.where(is_cut, 1, u), jnp.where(is_cut, 0, lost)
    log, rest = log_parts(u, lost)
    power = log / r
    high, low = exact_product(power, r)
    rest = ((log - high) - low + rest) / r
    return u, jnp.where(is_cut, -_UNDERFLOWS[x.dtype], power), jnp.where(is_cut, 0, rest)


@elementwise()
def pdelu_derivative(x: Array, alpha: ArrayLike = 1.0, t: ArrayLike = 0.9) -> Array:
    """Derivative of `pdelu` in x: 1 if x > 0 else alpha max(0, 1 + (1 - t) x)**(t / (1 - t))."""
    u, log, rest = _deformed(x, jnp.asarray(t))
    return jnp.where(x > 0, 1, times_exp(alpha, log, rest) / u)


@activation(
    pdelu_derivative,
    domains={"t": Domain(float, 0.5, 0.99, "a number from 0.5 to 0.99")},
    learnable=("alpha",),
    kinks=lambda alpha, t: kink_at_zero(alpha),
    monotonic=lambda alpha, t: alpha >= 0,
    reference="Cheng et al. 2020, Parametric deformable ELUs, doi 10.1016/j.neunet.2020.02.012",
)
def pdelu(x: Array, alpha: ArrayLike = 1.0, t: ArrayLike = 0.9) -> Array:
    """Parametric deformable ELU: x if x > 0 else alpha (max(0, 1 + (1 - t) x)**(1 / (1 - t)) - 1).

    The power is the deformed exponential of Tsallis; with t towards 1 it is e^x, and the function
    an ELU.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      alpha: learned, of shape `[]` or `[channels]`.
      t: number from 0.5 to 0.99, or array that broadcasts against the trailing axes of `x`.

    Returns:
      Array of the shape and dtype of `x`, with derivative alpha at 0.

    Source: Cheng et al. 2020, PDELU, Neural Networks 125, doi 10.1016/j.neunet.2020.02.012.
    """
    _, log, rest = _deformed(x, jnp.asarray(t))
    # Near 0 it is alpha x; the product within the power would be an underflow before.
    return jnp.where(x > 0, x, alpha * jnp.where(x > -_TINY, x, expm1(log, rest)))
