"""The checks of `python -m jaxact.check`, as a pure function."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.activations import fingerprint, own
from jaxact.activations.activation import Activation, ActivationError
from jaxact.activations.channel_activation import ChannelActivation
from jaxact.activations.registry import get
from jaxact.activations.verification import channel_checks, points

_DTYPES = ("float64", "float32", "float16", "bfloat16")


class CheckResult(NamedTuple):
    """One row of the table: what was checked, whether it holds, and what was seen."""

    name: str
    passed: bool
    detail: str


def check_activation(
    activation: Activation, names: Collection[str] | None = None
) -> list[CheckResult]:
    """Runs checks on an activation at its initial parameters.

    Args:
      activation: what `activations.get` gives.
      names: which of `CHECKS`, or of those of functions that see channels; default: all.

    Returns:
      A result for each check, in a fixed order. An exception inside of a check fails it.
    """
    results = []
    of_kind = channel_checks.CHECKS if isinstance(activation, ChannelActivation) else CHECKS
    with jax.enable_x64(True), np.errstate(all="ignore"):
        for name, check in of_kind.items():
            if names is not None and name not in names:
                continue
            try:
                results.append(CheckResult(name, *check(activation)))
            except Exception as error:  # whatever a user's function raises is a finding
                results.append(CheckResult(name, False, own.cause(error)))
    return results


def _trainable(activation: Activation) -> tuple[bool, str]:
    try:
        with jax.enable_x64(False):
            fingerprint.tried(activation)
    except ActivationError as error:
        return False, str(error).partition("; see `")[0]
    return True, "value and gradient"


def _derivative_is_grad(activation: Activation) -> tuple[bool, str]:
    if activation.elementwise and activation.derivative_function is None:
        return True, "no closed form is given: the derivative is jax.grad's"
    details = []
    x = points.moderate(activation)
    near = slice(-len(x), None)  # in float32 there are points far out before the others
    for dtype, at, relative in (("float64", "moderate", 1e-10), ("float32", "range", 1e-5)):
        computed = points.computed(activation, dtype)
        derivative, gradient = (computed(part, at)[near] for part in ("derivative", "gradient"))
        passed, detail = points.worst(derivative, gradient, x.astype(dtype), relative)
        details.append(f"{dtype}: {detail}")
        if not passed:
            return False, details[-1]
    return True, "; ".join(details)


def _derivative_is_difference(activation: Activation) -> tuple[bool, str]:
    x, computed = points.moderate(activation), points.computed(activation, "float64")
    places, weights = points.moved(activation)
    difference = np.sum(weights * computed("value", "moved").reshape(places.shape), axis=(0, 1))
    return points.worst(computed("derivative", "moderate"), difference, x, 1e-6)


def _kinks(activation: Activation) -> tuple[bool, str]:
    if not activation.elementwise:
        return True, "not elementwise"
    computed = points.computed(activation, "float32")
    sources = {"derivative": "derivative", "jax.grad": "gradient"}
    for i, (at, declared) in enumerate(activation.kinks):
        for source, part in sources.items():
            value = float(computed(part, "kinks")[i])
            if not np.isclose(value, declared, rtol=1e-6, atol=1e-12):
                return False, f"{source} is {value:.8g} at {at:g}, declared {declared:.8g}"
    undeclared = sorted(set(_bends(activation)) - {kink.at for kink in activation.kinks})
    listed = ", ".join(f"{kink.derivative:.6g} at {kink.at:g}" for kink in activation.kinks)
    if undeclared:
        note = f"not declared, bends at {', '.join(f'{at:g}' for at in undeclared)}"
        return True, f"{listed}; {note}" if listed else note
    return True, listed or "none"


def _bends(activation: Activation) -> list[float]:
    """The integers of [-10, 10] where the slopes on the left and on the right differ."""
    places = points.bends()
    values = points.computed(activation, "float64")("value", "bends")
    left, middle, right = values.reshape(places.shape)
    return places[1][np.abs(right - 2 * middle + left) > 1e-9].tolist()


def _finite(activation: Activation) -> tuple[bool, str]:
    """NaN fails; an infinity fails where the float64 result says that float32 could hold it."""
    x = points.all_float32(activation)
    single, double = (points.computed(activation, dtype) for dtype in ("float32", "float64"))
    overflows = ""
    for name, part in (("value", "value"), ("derivative", "derivative"), ("jax.grad", "gradient")):
        got = single(part, "range")
        wrong = np.isnan(got)
        if np.isinf(got).any():
            wrong |= np.isinf(got) & (np.abs(double(part, "range")) < points.FLOAT32_MAX)
        if wrong.any():
            return False, f"{name} is {got[wrong][0]} at x = {x[wrong][0]:.6g}"
        if np.isinf(got).any():
            smallest = np.abs(x[np.isinf(got)]).min()
            overflows = overflows or f"; {name} overflows from |x| = {smallest:.3g} on"
    return True, f"{x.size} points{overflows}"


def _infinities(activation: Activation) -> tuple[bool, str]:
    """NaN fails where the values towards infinity never turn, so that there is a limit."""
    computed = points.computed(activation, "float32")
    for name in ("value", "derivative"):
        far = computed(name, "far")
        far = far.reshape(len(far), -1)[:, 0]
        ways = {-np.inf: far[3 : 3 + 120], np.inf: far[3 + 120 :]}
        for got, (end, values) in zip(far[:2], ways.items(), strict=True):
            if not np.isnan(got):
                continue
            turns = np.sign(values[1:].astype(np.float64) - values[:-1])
            if not ((turns > 0).any() and (turns < 0).any()):
                return False, f"{name} is NaN at {end}, where it has a limit"
            return True, f"{name} is NaN at {end}, where it has no limit"
    return True, "no NaN"


def _nan(activation: Activation) -> tuple[bool, str]:
    computed = points.computed(activation, "float32")
    value, derivative = (computed(part, "far")[2:3] for part in ("value", "derivative"))
    if not np.isnan(value).reshape(-1)[0]:
        return False, "the value at NaN is a number"
    if not np.isnan(derivative).reshape(-1)[0]:
        # JAX's own derivative of a comparison is a number at NaN; a closed form can do better.
        return activation.derivative_function is None, "the derivative at NaN is a number"
    return True, "value and derivative"


def _second_derivative(activation: Activation) -> tuple[bool, str]:
    x, computed = points.all_float32(activation), points.computed(activation, "float32")
    second, value = (computed(p, "range").reshape(len(x), -1) for p in ("second", "value"))
    overflown = ~np.isfinite(value[:, :1])
    bad = (np.isnan(second) | (np.isinf(second) & ~overflown)).any(axis=1)
    if bad.any():
        return False, f"not finite at x = {x.reshape(len(x), -1)[bad][0, 0]:.6g}"
    return True, f"finite, {len(x)} points"


def _dtype_and_shape(activation: Activation) -> tuple[bool, str]:
    shapes = (
        [(), (3,), (0, 2), (2, 3, 4)]
        if activation.elementwise
        else [points.BLOCK, (2, *points.BLOCK)]
    )
    # A shape that forces a dtype on its result cannot force both of the two that are tried on all.
    for dtype in _DTYPES:
        for shape in shapes if dtype in ("float64", "bfloat16") else shapes[-1:]:
            x = jax.ShapeDtypeStruct(shape, dtype)
            for name, function in (("value", activation), ("derivative", activation.derivative)):
                y = jax.eval_shape(function, x)
                if y.dtype != x.dtype or y.shape != x.shape:
                    return False, f"{name} of {dtype}{list(shape)} is {y.dtype}{list(y.shape)}"
    return True, ", ".join(_DTYPES)


def _transforms(activation: Activation) -> tuple[bool, str]:
    x = points.all_float32(activation)
    computed = points.computed(activation, "float32")
    plain = computed("plain", "range")
    for name, part in (("jit", "value"), ("vmap", "alone")):
        passed, detail = points.worst(computed(part, "range"), plain, x, 1e-5)
        if not passed:
            hint = "; is it elementwise?" if name == "vmap" else ""
            return False, f"{name}: {detail}{hint}"
    return True, "as without"


def _monotonic(activation: Activation) -> tuple[bool, str]:
    if activation.monotonic is None or not activation.elementwise:
        return True, "not claimed"
    y = points.computed(activation, "float64")("value", "moderate")
    y = y[np.argsort(points.moderate(activation))]
    steps, slack = np.diff(y), 1e-12 * np.abs(y).max()
    turns = (steps > slack).any() and (steps < -slack).any()
    if turns == activation.monotonic:
        return (
            False,
            f"claimed {activation.monotonic}, but it {'turns' if turns else 'never turns'}",
        )
    return True, str(activation.monotonic)


def _parameters(activation: Activation) -> tuple[bool, str]:
    x, step = points.moderate(activation), 1e-6
    start = {name: np.asarray(value, np.float64) for name, value in activation.params.items()}
    places = [(name, i) for name, value in start.items() for i in np.ndindex(value.shape)]
    moved = {k: np.stack([value] * 2 * len(places)) for k, value in start.items() if places}
    for row, (name, i) in enumerate(places):
        moved[name][2 * row, *i] += step
        moved[name][2 * row + 1, *i] -= step

    def total(params: Any) -> jax.Array:
        return jnp.sum(jnp.sin(activation(x, **params)))

    if places:
        program = jax.jit(lambda start, moved: (jax.grad(total)(start), jax.lax.map(total, moved)))
        gradients, totals = jax.device_get(program(start, moved))
        differences = (totals[::2] - totals[1::2]) / (2 * step)
        for (name, i), difference in zip(places, differences, strict=True):
            gradient = gradients[name][i]
            if not np.isclose(gradient, difference, rtol=1e-5, atol=1e-6):
                which = f"{name}[{i[0]}]" if i else name
                return False, f"d/d{which} is {gradient:.8g}, finite difference {difference:.8g}"
    return True, ", ".join(activation.params) or "none"


def _spec(activation: Activation) -> tuple[bool, str]:
    try:
        return get(activation.spec) == activation, activation.spec
    except ActivationError:
        return True, "made in code: no spec names it"


CHECKS: dict[str, Callable[[Activation], tuple[bool, str]]] = {
    "can be trained": _trainable,
    "derivative is jax.grad": _derivative_is_grad,
    "derivative is the finite difference": _derivative_is_difference,
    "value at the kinks": _kinks,
    "finite over the float range": _finite,
    "limits at -inf and inf": _infinities,
    "NaN in, NaN out": _nan,
    "second derivative": _second_derivative,
    "dtype and shape kept": _dtype_and_shape,
    "jit and vmap": _transforms,
    "monotonic": _monotonic,
    "learnable parameters": _parameters,
    "spec gives it back": _spec,
}
