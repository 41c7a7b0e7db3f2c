"""Activations whose shape training learns: parameters of several coefficients each.

A parameter is an array `[coefficients]`, shared by a layer, or `[coefficients, channels]`.
"""

import math

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import ActivationError, Kink
from jaxact.activations.functions.classic import tanh, tanh_derivative
from jaxact.activations.numerics import elementwise, nan_like, scaled
from jaxact.activations.registry import activation

Numbers = tuple[float, ...]
Vector = ArrayLike | Numbers

# Fitted to leaky_relu(negative_slope=0.01) by the authors of PAU; their table 6.
PAU_NUMERATOR = (0.02979246, 0.61837738, 2.32335207, 3.05202660, 1.48548002, 0.25103717)
PAU_DENOMINATOR = (1.14201226, 4.39322834, 0.87154450, 0.34720652)

APL_SLOPES = (0.0, 0.0, 0.0, 0.0, 0.0)
APL_HINGES = (-0.5, -0.25, 0.0, 0.25, 0.5)

_FAR = {jnp.dtype("float32"): 1e9, jnp.dtype("float64"): 1e70}  # 1 / x counts as 0 beyond
_APL_FAR = {jnp.dtype("float32"): 1e18, jnp.dtype("float64"): 1e150}  # hinges do not count beyond
_THIRDS = (1 / 3, 1 / 3, 1 / 3)


def _polynomial(coefficients: list[Array], u: Array) -> tuple[Array, Array]:
    """A polynomial (the lowest power first) and its derivative, by Horner's rule."""
    value = jnp.broadcast_to(coefficients[-1], u.shape)
    slope = jnp.zeros_like(u)
    for coefficient in reversed(coefficients[:-1]):
        slope = slope * u + value
        value = value * u + coefficient
    return value, slope


def _ratio(x: Array, numerator: Array, denominator: Array) -> tuple[Array, Array]:
    """P(x) / Q(x) and its derivative.

    In u = x up to 1, and beyond in u = 1 / x, with the coefficients in reverse: no power overflows,
    and the limits at the infinities are the leading coefficients'.
    """
    degree = denominator.shape[0]
    if numerator.shape[0] != degree + 2:
        raise ValueError("pau needs a numerator of two coefficients more than the denominator")
    is_inner = jnp.abs(x) <= 1
    far = _FAR[x.dtype]
    u = jnp.where(is_inner, x, 1 / jnp.where(is_inner, 1, jnp.clip(x, -far, far)))
    above = list(numerator)
    below = [jnp.ones_like(denominator[0]), *jnp.abs(denominator)]

    def turned(coefficients: list[Array]) -> list[Array]:
        backwards = reversed(coefficients)
        return [jnp.where(is_inner, *pair) for pair in zip(coefficients, backwards, strict=True)]

    p, p_slope = _polynomial(turned(above), u)
    q, q_slope = _polynomial(turned(below), jnp.abs(u))
    ratio = p / q
    slope = (p_slope - ratio * jnp.sign(u) * q_slope) / q
    # Beyond 1, P / Q is x**(degree + 1) / |x|**degree times the ratio at u.
    sign = 1 if degree % 2 == 0 else jnp.sign(x)
    value = jnp.where(is_inner, ratio, sign * x * ratio)
    return value, jnp.where(is_inner, slope, sign * (ratio - u * slope))


def _pau_kinks(numerator: Numbers, denominator: Numbers) -> tuple[Kink, ...]:
    """The kink that the term |x| of the denominator makes."""
    if len(numerator) != len(denominator) + 2:
        lengths = f"not {len(numerator)} and {len(denominator)}"
        raise ActivationError(
            f"pau: numerator must have 2 numbers more than denominator, {lengths}"
        )
    return (Kink(0.0, numerator[1]),) if numerator[0] * denominator[0] else ()


def _pau_monotonic(numerator: Numbers, denominator: Numbers) -> bool | None:
    """False at the coefficients of the paper, which wave about a leaky ReLU; else not known."""
    papers = PAU_NUMERATOR, PAU_DENOMINATOR
    return False if (numerator, denominator) == papers else None


@elementwise()
def pau_derivative(
    x: Array, numerator: Vector = PAU_NUMERATOR, denominator: Vector = PAU_DENOMINATOR
) -> Array:
    """Derivative of `pau` in x: (P' - P Q' / Q) / Q, with Q' = 0 for the |x| of Q at 0."""
    return _ratio(x, jnp.asarray(numerator), jnp.asarray(denominator))[1]


@activation(
    pau_derivative,
    learnable=("numerator", "denominator"),
    kinks=_pau_kinks,
    monotonic=_pau_monotonic,
    reference="Molina, Schramowski and Kersting 2020, Pade activation units, arXiv 1907.06732",
)
def pau(
    x: Array, numerator: Vector = PAU_NUMERATOR, denominator: Vector = PAU_DENOMINATOR
) -> Array:
    """Pade activation unit, safe: sum_j a_j x**j / (1 + sum_k |b_k| |x|**k).

    The denominator is that of the authors' implementation ("version A"), to which their initial
    coefficients belong; the paper's text has |sum_k b_k x**k|.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      numerator: learned, a_0 to a_(n + 1): shape `[n + 2]` or `[n + 2, channels]`.
      denominator: learned, b_1 to b_n: shape `[n]` or `[n, channels]`.

    Returns:
      Array of the shape and dtype of `x`. It has no pole, but roots, and where terms of the
      numerator cancel it is as precise as they are.

    Raises:
      ValueError: the numerator is not two coefficients longer than the denominator.

    Source: Molina, Schramowski and Kersting 2020, arXiv 1907.06732; coefficients: table 6.
    """
    return _ratio(x, jnp.asarray(numerator), jnp.asarray(denominator))[0]


def _hinged(slopes: Vector, hinges: Vector) -> list[tuple[Array, Array]]:
    """The pairs of slope and hinge; raises ValueError unless they are of one shape."""
    slopes, hinges = jnp.asarray(slopes), jnp.asarray(hinges)
    return list(zip(slopes, hinges, strict=True))


def _apl_slopes(slopes: Numbers, hinges: Numbers) -> dict[float, tuple[float, float, float]]:
    """The slopes left of, at and right of 0 and every hinge."""
    if len(slopes) != len(hinges):
        lengths = f"not {len(slopes)} and {len(hinges)}"
        raise ActivationError(f"apl: slopes and hinges must have one length, {lengths}")
    pairs = list(zip(slopes, hinges, strict=True))
    found = {}
    for at in sorted({0.0, *hinges}):
        beyond = sum(slope for slope, hinge in pairs if hinge > at)
        here = sum(slope for slope, hinge in pairs if hinge == at)
        found[at] = (float(at > 0) - beyond - here, float(at > 0) - beyond, float(at >= 0) - beyond)
    return found


def _apl_kinks(slopes: Numbers, hinges: Numbers) -> tuple[Kink, ...]:
    """0 and the hinges, but for those where slopes cancel."""
    found = _apl_slopes(slopes, hinges).items()
    return tuple(Kink(at, here) for at, (left, here, right) in found if left != right)


def _apl_monotonic(slopes: Numbers, hinges: Numbers) -> bool:
    sides = [
        side for left, _, right in _apl_slopes(slopes, hinges).values() for side in (left, right)
    ]
    return min(sides) >= 0 or max(sides) <= 0


@elementwise()
def apl_derivative(x: Array, slopes: Vector = APL_SLOPES, hinges: Vector = APL_HINGES) -> Array:
    """Derivative of `apl` in x: 1 if x > 0, minus the slopes of all hinges above x."""
    value = jnp.where(x > 0, jnp.ones_like(x), 0)
    for slope, hinge in _hinged(slopes, hinges):
        value -= jnp.where(x < hinge, slope, 0)
    return nan_like(x, value)


@activation(
    apl_derivative,
    learnable=("slopes", "hinges"),
    kinks=_apl_kinks,
    monotonic=_apl_monotonic,
    reference="Agostinelli et al. 2015, Learning activation functions, arXiv 1412.6830",
)
def apl(x: Array, slopes: Vector = APL_SLOPES, hinges: Vector = APL_HINGES) -> Array:
    """Adaptive piecewise linear unit: max(0, x) + sum_s a_s max(0, b_s - x).

    It starts as ReLU, with hinges around 0; the paper's code draws a_s from a uniform distribution
    around 0 and b_s from a normal one of deviation 0.5.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      slopes: learned, a_s: shape `[hinges]` or `[hinges, channels]`.
      hinges: learned, b_s: of the same shape.

    Returns:
      Array of the shape and dtype of `x`, with derivatives as of ReLU, 0 for a term at its hinge.

    Raises:
      ValueError: the two are not of one length.

    Source: Agostinelli et al. 2015, arXiv 1412.6830, equation 1.
    """
    far = _APL_FAR[x.dtype]
    near = jnp.clip(x, -far, far)
    value = jnp.maximum(near, 0)
    left = jnp.zeros_like(x)
    for slope, hinge in _hinged(slopes, hinges):
        value += slope * jnp.maximum(hinge - near, 0)
        left -= slope
    # One product: terms of either sign would end in infinity minus infinity.
    return jnp.where(jnp.abs(x) > far, scaled(x, jnp.where(x > 0, 1, left)), value)


def _combined(x: Array, weights: Array) -> Array:
    """w_0 x + w_1 max(0, x) + w_2 tanh(x)."""
    return scaled(x, weights[0] + jnp.where(x > 0, weights[1], 0)) + weights[2] * tanh(x)


def _combined_derivative(x: Array, weights: Array) -> Array:
    """w_0 + w_1 [x > 0] + w_2 (1 - tanh(x)**2)."""
    return weights[0] + jnp.where(x > 0, weights[1], 0) + weights[2] * tanh_derivative(x)


def _affine(weights: Vector) -> Array:
    """The nearest weights that add up to 1."""
    weights = jnp.asarray(weights)
    return weights + (1 - jnp.sum(weights, axis=0)) / weights.shape[0]


def _combination_kinks(weights: Numbers) -> tuple[Kink, ...]:
    """The kink of ReLU, at weights that add up to 1."""
    return (Kink(0.0, weights[0] + weights[2]),) if weights[1] else ()


def _combination_monotonic(weights: Numbers) -> bool:
    """Whether the slopes at 0 and at both infinities, which are the extremes, agree in sign."""
    identity, relu, tanh = weights
    extremes = [identity, identity + tanh, identity + relu, identity + relu + tanh]
    return min(extremes) >= 0 or max(extremes) <= 0


def _three(name: str, numbers: Numbers) -> Numbers:
    if len(numbers) != 3:
        raise ActivationError(
            f"{name} must be 3 numbers (identity, ReLU, tanh), not {len(numbers)}"
        )
    return numbers


def _affine_weights(weights: Numbers) -> Numbers:
    rest = 1 - math.fsum(_three("affine_combination: weights", weights))
    return tuple(weight + rest / 3 for weight in weights)


def _convex_weights(logits: Numbers) -> Numbers:
    exps = [math.exp(logit - max(logits)) for logit in _three("convex_combination: logits", logits)]
    return tuple(exp / sum(exps) for exp in exps)


@elementwise()
def affine_combination_derivative(x: Array, weights: Vector = _THIRDS) -> Array:
    """Derivative of `affine_combination` in x: w_0 + w_1 [x > 0] + w_2 (1 - tanh(x)**2)."""
    return _combined_derivative(x, _affine(weights))


@activation(
    affine_combination_derivative,
    learnable=("weights",),
    kinks=lambda weights: _combination_kinks(_affine_weights(weights)),
    monotonic=lambda weights: _combination_monotonic(_affine_weights(weights)),
    reference="Manessi and Rozza 2018, Learning combinations of activations, arXiv 1801.09403",
)
def affine_combination(x: Array, weights: Vector = _THIRDS) -> Array:
    """Affine combination of identity, ReLU and tanh: w_0 x + w_1 max(0, x) + w_2 tanh(x).

    The weights add up to 1: what is learned is projected onto those that do.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      weights: learned: shape `[3]` or `[3, channels]`.

    Returns:
      Array of the shape and dtype of `x`, with ReLU's derivative 0 at 0.

    Source: Manessi and Rozza 2018, arXiv 1801.09403.
    """
    return _combined(x, _affine(weights))


@elementwise()
def convex_combination_derivative(x: Array, logits: Vector = (0.0, 0.0, 0.0)) -> Array:
    """Derivative of `convex_combination` in x: w_0 + w_1 [x > 0] + w_2 (1 - tanh(x)**2)."""
    return _combined_derivative(x, jax.nn.softmax(jnp.asarray(logits), axis=0))


@activation(
    convex_combination_derivative,
    learnable=("logits",),
    kinks=lambda logits: _combination_kinks(_convex_weights(logits)),
    monotonic=lambda logits: _combination_monotonic(_convex_weights(logits)),
    reference="Manessi and Rozza 2018, Learning combinations of activations, arXiv 1801.09403",
)
def convex_combination(x: Array, logits: Vector = (0.0, 0.0, 0.0)) -> Array:
    """Convex combination of identity, ReLU and tanh: w_0 x + w_1 max(0, x) + w_2 tanh(x).

    The weights are positive and add up to 1: they are the softmax of what is learned.

    Args:
      x: floating-point array of any shape, `[..., channels]`.
      logits: learned: shape `[3]` or `[3, channels]`.

    Returns:
      Array of the shape and dtype of `x`, with ReLU's derivative 0 at 0.

    Source: Manessi and Rozza 2018, arXiv 1801.09403.
    """
    return _combined(x, jax.nn.softmax(jnp.asarray(logits), axis=0))
