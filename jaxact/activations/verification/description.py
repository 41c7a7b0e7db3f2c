"""The facts of an activation that `python -m jaxact.check` tells beside its checks."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.activations import own
from jaxact.activations.activation import Activation
from jaxact.activations.registry import get
from jaxact.activations.verification import exactness, measured, moments, shape
from jaxact.activations.verification.nearest import ROUNDING, Neighbour, nearest

CENTRED = 0.01  # a mean so near to 0 is called zero-centred
_LISTED = 3  # turns
_ROWS = (8, 128)  # of the array whose residuals are counted


class Fact(NamedTuple):
    """One row of the table: what was measured, in words and as numbers for scripts.

    Attributes:
      name: of the row.
      detail: in words; where nothing was measured, why.
      figures: by name; None where nothing was measured.
    """

    name: str
    detail: str
    figures: dict[str, Any] | None


class NotMeasured(ValueError):
    """An activation lacks what a fact is about; the text says why."""


Told = tuple[str, dict[str, Any]]


def describe(activation: Activation, names: Collection[str] | None = None) -> list[Fact]:
    """Measures an activation at its initial parameters.

    Args:
      activation: what `activations.get` gives.
      names: which of `FACTS`; default: all.

    Returns:
      A fact for each of them, in a fixed order; one that cannot be had says why. Times, which no
      pure function has, are in `jaxact.timing.cost`.

    >>> [fact] = describe(get("relu"), ["gain"])
    >>> fact.detail, round(fact.figures["gain"], 6)
    ('1.4142 = 1 / sqrt(E[f(z)^2]), z ~ N(0, 1)', 1.414214)
    """
    facts = []
    for name, fact in FACTS.items():
        if names is not None and name not in names:
            continue
        try:
            with np.errstate(all="ignore"):
                facts.append(Fact(name, *fact(activation)))
        except NotMeasured as reason:
            facts.append(Fact(name, f"not measured: {reason}", None))
        except Exception as error:  # whatever a user's function raises
            facts.append(Fact(name, f"not measured: {own.cause(error)}", None))
    return facts


def kept_bytes(activation: Activation) -> float:
    """The bytes that reverse mode keeps for the backward pass, an element of a float32 input.

    These are the residuals of `jax.vjp` in the input and in what is learned, each counted once;
    those that do not grow with the input do not count. XLA may keep less in a larger program.

    >>> kept_bytes(get("relu"))
    4.0
    """

    def residuals(x: jax.Array, params: Any) -> list[Any]:
        return jax.tree.leaves(jax.vjp(lambda x, p: activation(x, **p), x, params)[1])

    x = jax.ShapeDtypeStruct(_ROWS, "float32")
    params = {name: jnp.asarray(value, "float32") for name, value in activation.initial}
    with jax.enable_x64(False):
        outputs = jax.make_jaxpr(residuals)(x, params).jaxpr.outvars
    kept: list[Any] = [one.aval for one in {id(one): one for one in outputs}.values()]
    return sum(one.size * one.dtype.itemsize for one in kept if one.size >= x.size) / x.size


NO_PARAMETERS = "it learns parameters whose shapes are those of a layer: measure it in a network"


def lacks_parameters(activation: Activation) -> bool:
    """Whether it has parameters that only a layer can make, as some that see channels."""
    return activation.learns and not activation.initial


def _measured(activation: Activation) -> measured.Measured:
    if not activation.elementwise:
        raise NotMeasured("it is not elementwise, and this is of functions of one number")
    return measured.measured(activation)


def _error(dtype: str, part: str) -> Callable[[Activation], Told]:
    """The fact of the largest error of a part, "value" or "derivative", in a dtype."""

    def fact(activation: Activation) -> Told:
        low, double = _measured(activation)
        if not exactness.is_of_float64(getattr(double, part)("plane")):
            raise NotMeasured("with a float64 input it computes in float32: there is no reference")
        x = measured.low_points()[dtype]
        got, true = (getattr(results, part)(dtype) for results in (low, double))
        ulp, at = exactness.worst(got, true, x)
        end = measured.MIDDLE[1]
        inner = np.abs(x) <= end
        inner_ulp = exactness.worst(got[inner], true[inner], x[inner]).ulp
        said = f"{ulp:.3g} ULP" if np.isfinite(ulp) else "finite in one of the two alone"
        said += f" at x = {at:.5g}" * (ulp > 0)
        said += f" ({inner_ulp:.3g} within [-{end:g}, {end:g}])" * (ulp > 0 and abs(at) > end)
        of = "a sample of" if dtype == "float32" else "all"
        figures = {"largest_error_ulp": ulp, "at": at, "largest_within_128_ulp": inner_ulp}
        detail = f"{said}, of {of} {len(x):,} numbers, against itself in float64"
        return detail, {**figures, "points": len(x)}

    return fact


def _memory(activation: Activation) -> Told:
    if lacks_parameters(activation):
        raise NotMeasured(NO_PARAMETERS)
    kept, others = kept_bytes(activation), kept_bytes(get("relu"))
    detail = f"{kept:.3g} bytes an element of float32; ReLU keeps {others:.3g}"
    return detail, {"bytes_an_element": kept, "bytes_an_element_of_relu": others}


def _range(activation: Activation) -> Told:
    x, y = measured.everywhere(_measured(activation).double.value)
    lowest, highest = shape.largest(x, -y), shape.largest(x, y)
    lowest = lowest._replace(value=-lowest.value)
    detail = f"{lowest.value:.4g} {lowest.place}, {highest.value:.4g} {highest.place}"
    return detail, {"smallest": lowest._asdict(), "largest": highest._asdict()}


def _lipschitz(activation: Activation) -> Told:
    double = _measured(activation).double
    x, slopes = measured.everywhere(double.derivative)
    steepest = shape.largest(x, np.abs(slopes))
    at = shape.jump(measured.line(), double.value("line"), steepest.value)
    figures = {"steepest_slope": steepest._asdict(), "jumps_at": at}
    detail = f"{steepest.value:.5g}, |derivative| {steepest.place}"
    if at is not None:
        detail = f"none: near x = {at:.4g} values rise faster than {detail}"
    return detail, figures


def _monotonic(activation: Activation) -> Told:
    at, rises, falls = shape.turns(measured.line(), _line(activation))
    figures = {"turns_at": list(at), "rises": rises, "falls": falls}
    over = f"over [-{measured.REACH}, {measured.REACH}]"
    if not at:
        way = "non-decreasing" if rises else "non-increasing" if falls else "constant"
        return f"{way} {over}", figures
    more = f" and {len(at) - _LISTED} more times" if len(at) > _LISTED else ""
    return f"turns at x = {', '.join(f'{x:.4g}' for x in at[:_LISTED])}{more} {over}", figures


def _moments(activation: Activation) -> Told:
    mean, variance = moments.moments(_line(activation))
    is_centred = abs(mean) <= CENTRED
    centred = "zero-centred" if is_centred else "not zero-centred"
    detail = f"{_short(mean)} and {_short(variance)} of f(z), z ~ N(0, 1): {centred}"
    return detail, {"mean": mean, "variance": variance, "is_zero_centred": is_centred}


def _self_normalizing(activation: Activation) -> Told:
    point = moments.fixed_point(_line(activation))
    (mean, variance), radius = point.moments, point.radius
    verdict = "yes" if point.is_self_normalizing else "no"
    detail = f"{verdict}: mean and variance go from (0, 1) to ({_short(mean)}, {_short(variance)})"
    if radius is None:
        detail += f" in {point.layers} layers, and on"
    else:
        detail += f", spectral radius {radius:.3g}"
    figures = {"is_self_normalizing": point.is_self_normalizing, "layers": point.layers}
    return detail, {**figures, "mean": mean, "variance": variance, "spectral_radius": radius}


def _gain(activation: Activation) -> Told:
    gain = moments.moments(_line(activation)).gain
    return f"{gain:.5g} = 1 / sqrt(E[f(z)^2]), z ~ N(0, 1)", {"gain": gain}


def _short(value: float) -> str:
    """Four digits, of six behind the point; what is nearer to 0 is rounding of the integral's."""
    return f"{round(value, 6) + 0.0:.4g}"


def _line(activation: Activation) -> np.ndarray:
    """The values on the line; raises NotMeasured where one is not finite."""
    values = _measured(activation).double.value("line")
    bad = ~np.isfinite(values)
    if bad.any():
        x = measured.line()[bad]
        raise NotMeasured(f"it is {values[bad][0]} at x = {x[0]:.4g}")
    return values


def _nearest(activation: Activation) -> Told:
    double = _measured(activation).double
    found = nearest(activation, np.stack([double.value("plane"), double.derivative("plane")]))
    return "; ".join(map(_neighbour, found)), {"functions": [one._asdict() for one in found]}


def _neighbour(one: Neighbour) -> str:
    if one.is_same:
        return f"the same as {one.name}"
    if one.scale is not None:
        return f"{one.name} scaled by {one.scale:.6g}"
    if max(one.value, one.derivative) <= ROUNDING:
        return f"the same as {one.name} over [-{measured.NEAR}, {measured.NEAR}]"
    return f"{one.name} within {one.value:.2g} (derivative {one.derivative:.2g})"


FACTS: dict[str, Callable[[Activation], Told]] = {
    **{
        f"error, {dtype} {part}": _error(dtype, part)
        for dtype in ("float32", "bfloat16")
        for part in ("value", "derivative")
    },
    "memory for the gradient": _memory,
    "range": _range,
    "Lipschitz constant": _lipschitz,
    "monotonic": _monotonic,
    "mean and variance": _moments,
    "self-normalising": _self_normalizing,
    "gain": _gain,
    "nearest": _nearest,
}
