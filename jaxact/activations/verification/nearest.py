"""The registered functions that are nearest to an activation."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.activations import registry
from jaxact.activations.activation import Activation
from jaxact.activations.verification.measured import near, plane

COUNT = 3
ROUNDING = 1e-6  # of constants in float32, in a formula that is written in another way

# A hundred formulas at few numbers: to compile them is the work, and this saves a quarter of it.
_QUICKLY: dict[str, Any] = {"xla_backend_optimization_level": 0}


class Neighbour(NamedTuple):
    """A registered function at its default parameters, beside an activation.

    Attributes:
      name: in the registry.
      value, derivative: the largest difference over [-5, 5].
      is_same: whether both agree to `ROUNDING`, also far beyond.
      scale: c, where the activation is c times the function to `ROUNDING`; else None.
    """

    name: str
    value: float
    derivative: float
    is_same: bool
    scale: float | None


def nearest(activation: Activation, results: np.ndarray, count: int = COUNT) -> list[Neighbour]:
    """The nearest registered functions, by the largest difference of values over [-5, 5].

    Args:
      activation: elementwise; it is not its own neighbour.
      results: its values and derivatives at `measured.plane()`, in float64: `[2, points]`.
      count: how many.

    Returns:
      The nearest first, of equally near ones that with the nearer derivative; before them one that
      is the same, and those of which the activation is a multiple. Of several that are one function
      the first registered.
    """
    known = _known(registry.names())
    found = [
        _beside(name, results, known[name]) for name in known if registry.get(name) != activation
    ]
    found.sort(key=lambda one: (not one.is_same, one.scale is None, one.value, one.derivative))
    chosen: list[Neighbour] = []
    for one in found:
        if not any(_agree(known[one.name], known[other.name]) for other in chosen):
            chosen.append(one)
        if len(chosen) == count:
            break
    return chosen


def _beside(name: str, results: np.ndarray, others: np.ndarray) -> Neighbour:
    value, derivative = near(_differences(results, others)).max(axis=-1).tolist()
    is_same = _agree(results, others)
    f, g = near(results[0]), near(others[0])
    square = float(g @ g)
    scale = float(f @ g) / square if square > 0 else 0.0
    is_multiple = not is_same and scale != 0 and _agree(results, scale * others)
    return Neighbour(name, value, derivative, is_same, scale if is_multiple else None)


def _agree(results: np.ndarray, others: np.ndarray) -> bool:
    """Whether they are equal to `ROUNDING`, relative to each, or to the largest that is near 0."""
    size = np.minimum(near(np.abs(results)).max(axis=-1, keepdims=True), 1)
    allowed = ROUNDING * np.maximum(np.abs(results), size)
    return bool((_differences(results, others) <= allowed).all())


def _differences(results: np.ndarray, others: np.ndarray) -> np.ndarray:
    """|a - b|; 0 where both are the same infinity or NaN, inf where one alone is."""
    equal = (results == others) | (np.isnan(results) & np.isnan(others))
    with np.errstate(invalid="ignore"):
        return np.where(equal, 0, np.nan_to_num(np.abs(results - others), nan=np.inf))


@functools.lru_cache(maxsize=1)
def _known(names: tuple[str, ...]) -> Mapping[str, np.ndarray]:
    """The results of elementwise functions, as `nearest` takes them, without any that fails."""

    def program(x: jax.Array) -> dict[str, Any]:
        found = {}
        for activation in filter(lambda one: one.elementwise, map(registry.get, names)):
            try:
                found[activation.name] = jnp.stack([activation(x), activation.derivative(x)])
            except Exception:  # a user's own: the check of that one tells
                continue
        return found

    with jax.enable_x64(True):
        found = jax.device_get(jax.jit(program, compiler_options=_QUICKLY)(plane()))
    return {name: found[name] for name in names if name in found}  # jit has sorted them
