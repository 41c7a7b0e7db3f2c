"""The rows of the registry: the activations with parameters that training learns."""

import math

from jaxact.activations.activation import ActivationError, Kink
from jaxact.activations.catalogue import kink_at_zero
from jaxact.activations.functions import gated, learnable, learnable_shapes
from jaxact.activations.registry import POSITIVE, Domain, register

Numbers = tuple[float, ...]


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
    papers = learnable_shapes.PAU_NUMERATOR, learnable_shapes.PAU_DENOMINATOR
    return False if (numerator, denominator) == papers else None


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


def _affine(weights: Numbers) -> Numbers:
    rest = 1 - math.fsum(_three("affine_combination: weights", weights))
    return tuple(weight + rest / 3 for weight in weights)


def _convex(logits: Numbers) -> Numbers:
    exps = [math.exp(logit - max(logits)) for logit in _three("convex_combination: logits", logits)]
    return tuple(exp / sum(exps) for exp in exps)


register(
    "prelu",
    learnable.prelu,
    learnable.prelu_derivative,
    learnable=("alpha",),
    kinks=lambda alpha: kink_at_zero(alpha),
    monotonic=lambda alpha: alpha >= 0,
    reference="He et al. 2015, Delving deep into rectifiers, arXiv 1502.01852, equation 1",
)
register(
    "learned_swish",
    gated.learned_swish,
    gated.learned_swish_derivative,
    learnable=("beta",),
    monotonic=lambda beta: beta == 0,
    reference="Ramachandran, Zoph and Le 2017, arXiv 1710.05941 (swish with trainable beta)",
)
register(
    "arelu",
    learnable.arelu,
    learnable.arelu_derivative,
    learnable=("alpha", "beta"),
    kinks=lambda alpha, beta: (Kink(0.0, 1 + 1 / (1 + math.exp(-beta))),),
    monotonic=True,
    reference="Chen, Li and Xu 2020, AReLU, arXiv 2006.13858",
)
register(
    "srs",
    learnable.srs,
    learnable.srs_derivative,
    domains={"alpha": POSITIVE, "beta": POSITIVE},
    learnable=("alpha", "beta"),
    monotonic=False,
    reference="Zhou et al. 2020, Soft-root-sign activation function, arXiv 2003.00547",
)
register(
    "pdelu",
    learnable.pdelu,
    learnable.pdelu_derivative,
    domains={"t": Domain(float, 0.5, 0.99, "a number from 0.5 to 0.99")},
    learnable=("alpha",),
    kinks=lambda alpha, t: kink_at_zero(alpha),
    monotonic=lambda alpha, t: alpha >= 0,
    reference="Cheng et al. 2020, Parametric deformable ELUs, doi 10.1016/j.neunet.2020.02.012",
)
register(
    "pau",
    learnable_shapes.pau,
    learnable_shapes.pau_derivative,
    learnable=("numerator", "denominator"),
    kinks=_pau_kinks,
    monotonic=_pau_monotonic,
    reference="Molina, Schramowski and Kersting 2020, Pade activation units, arXiv 1907.06732",
)
register(
    "apl",
    learnable_shapes.apl,
    learnable_shapes.apl_derivative,
    learnable=("slopes", "hinges"),
    kinks=_apl_kinks,
    monotonic=_apl_monotonic,
    reference="Agostinelli et al. 2015, Learning activation functions, arXiv 1412.6830",
)
register(
    "affine_combination",
    learnable_shapes.affine_combination,
    learnable_shapes.affine_combination_derivative,
    learnable=("weights",),
    kinks=lambda weights: _combination_kinks(_affine(weights)),
    monotonic=lambda weights: _combination_monotonic(_affine(weights)),
    reference="Manessi and Rozza 2018, Learning combinations of activations, arXiv 1801.09403",
)
register(
    "convex_combination",
    learnable_shapes.convex_combination,
    learnable_shapes.convex_combination_derivative,
    learnable=("logits",),
    kinks=lambda logits: _combination_kinks(_convex(logits)),
    monotonic=lambda logits: _combination_monotonic(_convex(logits)),
    reference="Manessi and Rozza 2018, Learning combinations of activations, arXiv 1801.09403",
)
