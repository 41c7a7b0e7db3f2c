"""Means and variances of an activation of normal pre-activations, by the midpoint rule.

For z ~ N(0, v) they are integrals over `measured.line()`, where the function is known: only the
weights depend on v.
"""

import math
from typing import NamedTuple

import numpy as np

from jaxact.activations.verification.measured import PER_UNIT, line

# The domain in which the mean and the variance of SELU stay: Klambauer et al. 2017, theorem 1.
MEANS, VARIANCES = (-0.1, 0.1), (0.8, 1.5)
_LEAST, _MOST = 0.01, 10.0  # variances: beyond them the line is too coarse, or too short
_LAYERS, _SETTLED = 1000, 1e-12


class Moments(NamedTuple):
    """The mean and the variance of f(z)."""

    mean: float
    variance: float

    @property
    def gain(self) -> float:
        """1 / sqrt(E[f(z)^2]); inf where that is 0."""
        square = self.mean**2 + self.variance
        return 1 / math.sqrt(square) if square > 0 else math.inf


class FixedPoint(NamedTuple):
    """The mean and variance to which those of deep layers tend.

    Attributes:
      moments: there, or of the layer at which the variance left [0.01, 10].
      radius: the spectral radius of the Jacobian of the map there; below 1 it attracts. None where
        none was reached.
      layers: so many were passed.
    """

    moments: Moments
    radius: float | None
    layers: int

    @property
    def is_self_normalizing(self) -> bool:
        """Whether the fixed point attracts and is near (0, 1): in the domain of SELU's proof."""
        return (
            self.radius is not None
            and self.radius < 1 - 1e-6
            and MEANS[0] <= self.moments.mean <= MEANS[1]
            and VARIANCES[0] <= self.moments.variance <= VARIANCES[1]
        )


def moments(values: np.ndarray, variance: float = 1.0) -> Moments:
    """The mean and the variance of f(z), z ~ N(0, variance).

    Args:
      values: f at `measured.line()`, in float64.
      variance: of z.
    """
    weights = _density(variance)
    mean = float(weights @ values)
    return Moments(mean, float(weights @ (values - mean) ** 2))


def fixed_point(values: np.ndarray) -> FixedPoint:
    """The fixed point of the map of mean and variance from a layer to the next, from (0, 1).

    With normalised weights, whose sum is 0 and whose squares sum to 1, the pre-activations of a
    layer whose inputs have mean m and variance v are N(0, v), and

        g(m, v) = (E[f(z)], Var[f(z)]),  z ~ N(0, v).

    The Jacobian of g is [[0, dE/dv], [0, dVar/dv]], its spectral radius |dVar/dv|, by
    dE[h(z)]/dv = E[(z^2 / v - 1) h(z)] / (2 v).

    Args:
      values: f at `measured.line()`, in float64.

    Source:
      Klambauer, Unterthiner, Mayr and Hochreiter 2017, Self-normalizing neural networks, arXiv
      1706.02515, equations 3 to 6.
    """
    now = Moments(0.0, 1.0)
    for layer in range(1, _LAYERS + 1):
        before, now = now, moments(values, now.variance)
        if not _LEAST <= now.variance <= _MOST:
            return FixedPoint(now, None, layer)
        if abs(now.variance - before.variance) <= _SETTLED:
            break
    else:
        return FixedPoint(now, None, _LAYERS)
    variance = now.variance
    rise = _density(variance) * (line() ** 2 / variance - 1) / (2 * variance)
    mean_rise, square_rise = float(rise @ values), float(rise @ values**2)
    return FixedPoint(now, abs(square_rise - 2 * now.mean * mean_rise), layer)


def _density(variance: float) -> np.ndarray:
    """The weights of the midpoint rule for the normal density of mean 0."""
    scale = PER_UNIT * math.sqrt(2 * math.pi * variance)
    return np.exp(-(line() ** 2) / (2 * variance)) / scale
