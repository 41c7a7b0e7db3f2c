"""What `python -m jaxact.check` verifies of an activation, as a pure function."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.activations.activation import Activation, ActivationError
from jaxact.activations.registry import get
from jaxact.activations.verification import points

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
      names: which of `CHECKS`; default: all.

    Returns:
      A result for each check, in a fixed order. An exception inside of a check fails it.
    """
    results = []
    with jax.enable_x64(True), np.errstate(all="ignore"):
        for name, check in CHECKS.items():
            if names is not None and name not in names:
                continue
            try:
                results.append(CheckResult(name, *check(activation)))
            except Exception as error:  # whatever a user's function raises is a finding
                first_line = (str(error).splitlines() or [""])[0]
                results.append(CheckResult(name, False, f"{type(error).__name__}: {first_line}"))
    return results


def _worst(got: Any, expected: Any, x: np.ndarray, relative: float) -> tuple[bool, str]:
    """Compares to `relative` of max(1, |expected|); the detail names the worst point."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    errors = np.abs(got - expected) / np.maximum(1, np.abs(expected))
    errors = np.where(same, 0, np.nan_to_num(errors, nan=np.inf, posinf=np.inf))
    i = np.unravel_index(np.argmax(errors), errors.shape)
    if errors[i] <= relative:
        return True, f"within {errors[i]:.1e}, {errors.size} points"
    return False, f"{got[i]:.8g}, not {expected[i]:.8g}, at x = {x[i]:.8g}"


def _derivative_is_grad(activation: Activation) -> tuple[bool, str]:
    if activation.elementwise and activation.derivative_function is None:
        return True, "no closed form is given: the derivative is jax.grad's"
    details = []
    wide, single = points.moderate(activation), points.all_float32(activation)
    for x, relative in ((wide, 1e-10), (single, 1e-5)):
        gradient = points.gradient(activation, x)
        derivative = np.asarray(points.derivative(activation)(jnp.asarray(x)))
        near = slice(-len(wide), None)  # in float32 there are points far out before the others
        passed, detail = _worst(derivative[near], gradient[near], x[near], relative)
        details.append(f"{x.dtype}: {detail}")
        if not passed:
            return False, details[-1]
    return True, "; ".join(details)


def _derivative_is_difference(activation: Activation) -> tuple[bool, str]:
    x = points.moderate(activation)
    return _worst(
        points.derivative(activation)(jnp.asarray(x)), points.difference(activation, x), x, 1e-6
    )


def _kinks(activation: Activation) -> tuple[bool, str]:
    if not activation.elementwise:
        return True, "not elementwise"
    for at, declared in activation.kinks:
        x = jnp.asarray(at, jnp.float32)
        values = {"derivative": activation.derivative(x), "jax.grad": jax.grad(activation)(x)}
        for source, value in values.items():
            if not np.isclose(float(value), declared, rtol=1e-6, atol=1e-12):
                return False, f"{source} is {float(value):.8g} at {at:g}, declared {declared:.8g}"
    undeclared = sorted(set(_bends(activation)) - {kink.at for kink in activation.kinks})
    listed = ", ".join(f"{kink.derivative:.6g} at {kink.at:g}" for kink in activation.kinks)
    if undeclared:
        note = f"not declared, bends at {', '.join(f'{at:g}' for at in undeclared)}"
        return True, f"{listed}; {note}" if listed else note
    return True, listed or "none"


def _bends(activation: Activation) -> list[float]:
    """The integers of [-10, 10] where the slopes on the left and on the right differ."""
    at, step = np.arange(-10.0, 11.0), 1e-6
    left, middle, right = (
        np.asarray(activation(jnp.asarray(at + move))) for move in (-step, 0, step)
    )
    return at[np.abs(right - 2 * middle + left) > 1e-3 * step].tolist()


def _finite(activation: Activation) -> tuple[bool, str]:
    """NaN fails; an infinity fails where the float64 result says that float32 could hold it."""
    x = points.all_float32(activation)
    overflows = ""
    for name, function in (
        ("value", points.value(activation)),
        ("derivative", points.derivative(activation)),
        ("jax.grad", lambda x: points.gradient(activation, x)),
    ):
        got = np.asarray(function(jnp.asarray(x)))
        wrong = np.isnan(got)
        if np.isinf(got).any():
            wide = np.asarray(function(jnp.asarray(x, jnp.float64)))
            wrong |= np.isinf(got) & (np.abs(wide) < points.FLOAT32_MAX)
        if wrong.any():
            return False, f"{name} is {got[wrong][0]} at x = {x[wrong][0]:.6g}"
        if np.isinf(got).any():
            smallest = np.abs(x[np.isinf(got)]).min()
            overflows = overflows or f"; {name} overflows from |x| = {smallest:.3g} on"
    return True, f"{x.size} points{overflows}"


def _infinities(activation: Activation) -> tuple[bool, str]:
    """NaN fails where the values towards infinity never turn, so that there is a limit."""
    for name, function in (
        ("value", points.value(activation)),
        ("derivative", points.derivative(activation)),
    ):
        for end in (-np.inf, np.inf):
            x = np.asarray([end], np.float32)
            got = np.asarray(function(points.heads(activation, x))).reshape(-1)[0]
            if not np.isnan(got):
                continue
            towards = np.copysign(2.0 ** np.arange(8, 128), end).astype(np.float32)
            values = np.asarray(function(points.heads(activation, towards)))
            values = values.reshape(len(towards), -1)[:, 0]
            turns = np.sign(values[1:].astype(np.float64) - values[:-1])
            if not ((turns > 0).any() and (turns < 0).any()):
                return False, f"{name} is NaN at {end}, where it has a limit"
            return True, f"{name} is NaN at {end}, where it has no limit"
    return True, "no NaN"


def _nan(activation: Activation) -> tuple[bool, str]:
    x = points.heads(activation, np.asarray([np.nan], np.float32))
    if not np.isnan(np.asarray(points.value(activation)(x))).reshape(-1)[0]:
        return False, "the value at NaN is a number"
    if not np.isnan(np.asarray(points.derivative(activation)(x))).reshape(-1)[0]:
        # JAX's own derivative of a comparison is a number at NaN; a closed form can do better.
        return activation.derivative_function is None, "the derivative at NaN is a number"
    return True, "value and derivative"


def _second_derivative(activation: Activation) -> tuple[bool, str]:
    x = points.all_float32(activation)
    if activation.elementwise:
        second = jax.vmap(jax.grad(jax.grad(activation)))
    else:
        second = jax.vmap(jax.jacfwd(jax.jacrev(activation)))
    second = np.asarray(jax.jit(second)(jnp.asarray(x))).reshape(len(x), -1)
    overflown = ~np.isfinite(np.asarray(points.value(activation)(x))).reshape(len(x), -1)[:, :1]
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
    for dtype in _DTYPES:
        for shape in shapes:
            x = jax.ShapeDtypeStruct(shape, dtype)
            for name, function in (("value", activation), ("derivative", activation.derivative)):
                y = jax.eval_shape(function, x)
                if y.dtype != x.dtype or y.shape != x.shape:
                    return False, f"{name} of {dtype}{list(shape)} is {y.dtype}{list(y.shape)}"
    return True, ", ".join(_DTYPES)


def _transforms(activation: Activation) -> tuple[bool, str]:
    x = points.all_float32(activation)
    plain = points.value(activation)(x)
    for name, transformed in (
        ("jit", jax.jit(points.value(activation))),
        ("vmap", jax.vmap(activation)),
    ):
        passed, detail = _worst(transformed(x), plain, x, 1e-5)
        if not passed:
            hint = "; is it elementwise?" if name == "vmap" else ""
            return False, f"{name}: {detail}{hint}"
    return True, "as without"


def _monotonic(activation: Activation) -> tuple[bool, str]:
    if activation.monotonic is None or not activation.elementwise:
        return True, "not claimed"
    x = np.sort(points.moderate(activation))
    y = np.asarray(activation(jnp.asarray(x)))
    steps, slack = np.diff(y), 1e-12 * np.abs(y).max()
    turns = (steps > slack).any() and (steps < -slack).any()
    if turns == activation.monotonic:
        return (
            False,
            f"claimed {activation.monotonic}, but it {'turns' if turns else 'never turns'}",
        )
    return True, str(activation.monotonic)


def _parameters(activation: Activation) -> tuple[bool, str]:
    x = jnp.asarray(points.moderate(activation))
    for name, value in activation.params.items():

        def total(v: Any, name: str = name) -> jax.Array:
            return jnp.sum(jnp.sin(activation(x, **{name: v})))

        start = np.asarray(value, np.float64)
        gradient = np.asarray(jax.grad(total)(jnp.asarray(start)))
        for i in np.ndindex(start.shape):
            step = np.zeros_like(start)
            step[i] = 1e-6
            difference = float(total(start + step) - total(start - step)) / 2e-6
            if not np.isclose(gradient[i], difference, rtol=1e-5, atol=1e-6):
                which = f"{name}[{i[0]}]" if i else name
                return False, f"d/d{which} is {gradient[i]:.8g}, finite difference {difference:.8g}"
    return True, ", ".join(activation.params) or "none"


def _spec(activation: Activation) -> tuple[bool, str]:
    try:
        return get(activation.spec) == activation, activation.spec
    except ActivationError:
        return True, "made in code: no spec names it"


CHECKS: dict[str, Callable[[Activation], tuple[bool, str]]] = {
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
