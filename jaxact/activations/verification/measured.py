"""The numbers at which an activation is measured, and what it gives there.

What `description` says of a function of one number is read off these arrays.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.activations.activation import Activation

SAMPLE = 2**18  # float32 numbers, beside 0
MIDDLE = (2.0**-12, 2.0**7)  # half of them are of these magnitudes, where functions bend
REACH, PER_UNIT = 40, 2**10  # of the line: [-40, 40], 1,024 points a unit
NEAR = 5  # of the plane where functions are compared: [-5, 5]
_NEAR_POINTS, _FAR_POINTS = 2000, 200
_SEED = 0


class Results(NamedTuple):
    """The results of a dtype, by the name of the points; an error is raised for whoever asks."""

    values: Mapping[str, np.ndarray] | Exception
    derivatives: Mapping[str, np.ndarray] | Exception

    def value(self, at: str) -> np.ndarray:
        """The values at `at`; raises what the function raised."""
        return _or_raise(self.values)[at]

    def derivative(self, at: str) -> np.ndarray:
        """The derivatives likewise."""
        return _or_raise(self.derivatives)[at]


class Measured(NamedTuple):
    """The results of an elementwise activation at its initial parameters.

    Attributes:
      low: at "float32", `sample()`, and at "bfloat16", `all_bfloat16()`, each in that dtype.
      double: in float64 at these, at "line", `line()`, and at "plane", `plane()`.
    """

    low: Results
    double: Results


@functools.cache
def sample() -> np.ndarray:
    """Float32 numbers in order, one of each of `SAMPLE` strata, and 0: `[SAMPLE + 1]`.

    A stratum is a run of neighbouring numbers, equally many in each; which is taken is drawn, from
    a fixed seed. Of either sign, a quarter of the strata divide all normal numbers and a quarter
    those of `MIDDLE`.
    """
    rng = np.random.default_rng(_SEED)
    ends = np.asarray([[2.0**-126, np.finfo(np.float32).max], MIDDLE], np.float32).view(np.uint32)
    parts = [np.zeros(1, np.float32)]
    for low, high in ends.tolist():
        for sign in (1, -1):
            edges = np.linspace(low, high, SAMPLE // 4 + 1)
            bits = edges[:-1] + rng.uniform(size=SAMPLE // 4) * np.diff(edges)
            parts.append(sign * bits.astype(np.uint32).view(np.float32))
    return np.sort(np.concatenate(parts))


@functools.cache
def all_bfloat16() -> np.ndarray:
    """Every normal number of bfloat16, and 0, in order."""
    x = (np.arange(2**16, dtype=np.uint32) << 16).view(np.float32)
    x = x[np.isfinite(x) & ((np.abs(x) >= 2.0**-126) | (x == 0))]
    return np.unique(x).astype(jnp.bfloat16)


def low_points() -> dict[str, np.ndarray]:
    """The numbers of each dtype at which its errors are measured, by its name."""
    return {"float32": sample(), "bfloat16": all_bfloat16()}


@functools.cache
def line() -> np.ndarray:
    """The middles of equal parts of [-REACH, REACH]: for integrals and turns.

    Kinks and jumps of functions are mostly at multiples of a part, between two middles, where the
    midpoint rule loses nothing to a jump.
    """
    return (np.arange(-REACH * PER_UNIT, REACH * PER_UNIT) + 0.5) / PER_UNIT


@functools.cache
def plane() -> np.ndarray:
    """Numbers of [-NEAR, NEAR], and then some up to 10,000 in magnitude.

    Almost none is a float32, by which is told what computes with fewer digits than float64 has.
    """
    far = np.geomspace(NEAR, 1e4, _FAR_POINTS + 1)[1:]
    return np.concatenate([np.linspace(-NEAR, NEAR, _NEAR_POINTS), -far, far])


def near(values: np.ndarray) -> np.ndarray:
    """The part of results at "plane", `[..., points]`, that are of [-NEAR, NEAR]."""
    return values[..., :_NEAR_POINTS]


def everywhere(results: Callable[[str], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The points of the sample and of the line together, in order, and the results there."""
    x = np.concatenate([sample().astype(np.float64), line()])
    order = np.argsort(x)
    return x[order], np.concatenate([results("float32"), results("line")])[order]


@functools.lru_cache(maxsize=4)  # an array of each dtype and part: 10 MB an activation
def measured(activation: Activation) -> Measured:
    """Runs an elementwise activation at all points, in two programs."""
    low = low_points()
    exact = {name: x.astype(np.float64) for name, x in low.items()}
    with jax.enable_x64(False):  # as users run it
        narrow = results(activation, low)
    with jax.enable_x64(True):
        wide = results(activation, {**exact, "line": line(), "plane": plane()})
    return Measured(narrow, wide)


def results(activation: Activation, points: Mapping[str, Any]) -> Results:
    """The values and derivatives at named arrays, of one program."""
    errors: dict[str, Exception] = {}

    def program(points: Mapping[str, Any]) -> dict[str, Any]:
        parts = {"values": activation, "derivatives": activation.derivative}
        found = {}
        for part, function in parts.items():
            try:
                found[part] = {name: _like(x, function(x)) for name, x in points.items()}
            except Exception as error:  # whatever a user's function raises is a finding
                errors[part] = error
        return found

    found = jax.device_get(jax.jit(program)(dict(points)))
    return Results(**found, **errors)


def _like(x: Any, y: Any) -> Any:
    if y.shape != x.shape:
        raise ValueError("it does not keep the shape of its input")
    return y


def _or_raise(arrays: Mapping[str, np.ndarray] | Exception) -> Mapping[str, np.ndarray]:
    if isinstance(arrays, Exception):
        raise arrays
    return arrays
