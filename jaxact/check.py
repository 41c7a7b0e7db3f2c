"""Verifies one activation, your own too: `python -m jaxact.check SPEC`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxact.activations import Activation, ActivationError, get

_HELP = """\
verify one activation: its derivative against jax.grad and finite differences, its value at kinks,
that it is finite over the whole float range, keeps its dtype, and works under jit, vmap and grad"""
_EXAMPLES = """\
examples:
  python -m jaxact.check relu
  python -m jaxact.check 'leaky_relu(negative_slope=0.05)'
  python -m jaxact.check my_module:my_function        (my_module.py in the current directory)

exit codes: 0 every check passed, 1 one failed, 2 the spec is wrong"""

_DTYPES = ("float64", "float32", "float16", "bfloat16")
_ROW = 4  # activations that are not elementwise are tried on rows of this many numbers
_FLOAT32_MAX = float(np.finfo(np.float32).max)


class CheckResult(NamedTuple):
    """One row of the table: what was checked, whether it holds, and what was seen."""

    name: str
    passed: bool
    detail: str


def check_activation(activation: Activation) -> list[CheckResult]:
    """Runs every check on an activation at its initial parameters.

    Args:
        activation: what `activations.get` gives.

    Returns:
        A result for each check, in a fixed order. An exception inside of a check fails it.
    """
    checks: list[tuple[str, Callable[[Activation], tuple[bool, str]]]] = [
        ("derivative is jax.grad", _derivative_is_grad),
        ("derivative is the finite difference", _derivative_is_difference),
        ("value at the kinks", _kinks),
        ("finite over the float range", _finite),
        ("limits at -inf and inf", _infinities),
        ("NaN in, NaN out", _nan),
        ("second derivative", _second_derivative),
        ("dtype and shape kept", _dtype_and_shape),
        ("jit and vmap", _transforms),
        ("monotonic", _monotonic),
        ("learnable parameters", _parameters),
        ("spec gives it back", _spec),
    ]
    results = []
    with jax.enable_x64(True), np.errstate(all="ignore"):
        for name, check in checks:
            try:
                results.append(CheckResult(name, *check(activation)))
            except Exception as error:  # whatever a user's function raises is a finding
                first_line = (str(error).splitlines() or [""])[0]
                results.append(CheckResult(name, False, f"{type(error).__name__}: {first_line}"))
    return results


def _moderate(activation: Activation, dtype: str = "float64") -> np.ndarray:
    """Points of [-30, 30] away from the kinks, the denser the nearer to 0."""
    unit = np.linspace(-1, 1, 400)
    x = 0.0123 + 30 * np.sign(unit) * np.abs(unit) ** 1.5
    for kink in activation.kinks:
        x = np.where(np.abs(x - kink.at) < 0.01, x + 0.02, x)
    return _in_rows(activation, x.astype(dtype))


def _whole_range(activation: Activation) -> np.ndarray:
    """0 and every power of two of float32, of both signs, beside the largest number."""
    powers = np.append(2.0 ** np.arange(-126, 128), _FLOAT32_MAX).astype(np.float32)
    x = np.concatenate([-powers[::-1], [0], powers]).astype(np.float32)
    return x if activation.elementwise else _beside_others(x)


def _in_rows(activation: Activation, x: np.ndarray) -> np.ndarray:
    return x if activation.elementwise else x.reshape(-1, _ROW, order="F")


def _beside_others(x: np.ndarray) -> np.ndarray:
    """Each number at the head of a row."""
    rest = np.broadcast_to(np.asarray([-1, 0, 2], x.dtype), (len(x), _ROW - 1))
    return np.concatenate([x[:, None], rest], axis=1)


def _gradient(activation: Activation, x: Any) -> np.ndarray:
    """What jax.grad gives, element by element: the diagonal of the Jacobian."""
    x = jnp.asarray(x)
    if activation.elementwise:
        return np.asarray(jax.vmap(jax.grad(activation))(x.reshape(-1)).reshape(x.shape))
    return np.asarray(jax.vmap(lambda row: jnp.diagonal(jax.jacrev(activation)(row)))(x))


def _difference(activation: Activation, x: np.ndarray) -> np.ndarray:
    """The central finite difference in float64, with a step of 1e-5 max(1, |x|)."""
    step = 1e-5 * np.maximum(1, np.abs(x))
    moves = [np.ones(1)] if activation.elementwise else list(np.eye(_ROW))
    return sum(
        move * np.asarray(activation(x + move * step) - activation(x - move * step)) / (2 * step)
        for move in moves
    )  # pyright: ignore[reportReturnType]


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
    for dtype, relative in (("float64", 1e-10), ("float32", 1e-5)):
        x = _moderate(activation, dtype)
        gradient = _gradient(activation, x)
        passed, detail = _worst(activation.derivative(jnp.asarray(x)), gradient, x, relative)
        details.append(f"{dtype}: {detail}")
        if not passed:
            return False, details[-1]
    return True, "; ".join(details)


def _derivative_is_difference(activation: Activation) -> tuple[bool, str]:
    x = _moderate(activation)
    return _worst(activation.derivative(jnp.asarray(x)), _difference(activation, x), x, 1e-6)


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
    left, middle, right = (np.asarray(activation(at + move)) for move in (-step, 0, step))
    return at[np.abs(right - 2 * middle + left) > 1e-3 * step].tolist()


def _finite(activation: Activation) -> tuple[bool, str]:
    """NaN fails; an infinity fails where the float64 result says that float32 could hold it."""
    x = np.concatenate([_whole_range(activation), _moderate(activation, "float32")])
    overflows = ""
    for name, function in (
        ("value", activation),
        ("derivative", activation.derivative),
        ("jax.grad", lambda x: _gradient(activation, x)),
    ):
        got = np.asarray(function(jnp.asarray(x)))
        wide = np.asarray(function(jnp.asarray(x, jnp.float64)))
        wrong = np.isnan(got) | (np.isinf(got) & (np.abs(wide) < _FLOAT32_MAX))
        if wrong.any():
            return False, f"{name} is {got[wrong][0]} at x = {x[wrong][0]:.6g}"
        if np.isinf(got).any():
            smallest = np.abs(x[np.isinf(got)]).min()
            overflows = overflows or f"; {name} overflows from |x| = {smallest:.3g} on"
    return True, f"{x.size} points{overflows}"


def _infinities(activation: Activation) -> tuple[bool, str]:
    """NaN fails where the values towards infinity never turn, so that there is a limit."""
    for name, function in (("value", activation), ("derivative", activation.derivative)):
        for end in (-np.inf, np.inf):
            x = np.asarray([end], np.float32)
            got = np.asarray(function(_row_of(activation, x))).reshape(-1)[0]
            if not np.isnan(got):
                continue
            towards = np.copysign(2.0 ** np.arange(8, 128), end).astype(np.float32)
            values = np.asarray(function(_row_of(activation, towards)))
            values = values.reshape(len(towards), -1)[:, 0]
            turns = np.sign(values[1:].astype(np.float64) - values[:-1])
            if not ((turns > 0).any() and (turns < 0).any()):
                return False, f"{name} is NaN at {end}, where it has a limit"
            return True, f"{name} is NaN at {end}, where it has no limit"
    return True, "no NaN"


def _row_of(activation: Activation, x: np.ndarray) -> jax.Array:
    return jnp.asarray(x if activation.elementwise else _beside_others(x))


def _nan(activation: Activation) -> tuple[bool, str]:
    x = _row_of(activation, np.asarray([np.nan], np.float32))
    if not np.isnan(np.asarray(activation(x))).all():
        return False, "the value at NaN is a number"
    if not np.isnan(np.asarray(activation.derivative(x))).all():
        # JAX's own derivative of a comparison is a number at NaN; a closed form can do better.
        return activation.derivative_function is None, "the derivative at NaN is a number"
    return True, "value and derivative"


def _second_derivative(activation: Activation) -> tuple[bool, str]:
    x = np.concatenate([_whole_range(activation), _moderate(activation, "float32")])
    if activation.elementwise:
        second = jax.vmap(jax.grad(jax.grad(activation)))(jnp.asarray(x))
    else:
        second = jax.vmap(jax.jacfwd(jax.jacrev(activation)))(jnp.asarray(x))
    second = np.asarray(second).reshape(len(x), -1)
    bad = ~np.isfinite(second).all(axis=1)
    if bad.any():
        return False, f"not finite at x = {np.asarray(x[bad][0]).tolist()}"
    return True, f"finite, {len(x)} points"


def _dtype_and_shape(activation: Activation) -> tuple[bool, str]:
    shapes = [(_ROW,), (2, _ROW), (2, 3, _ROW), (0, _ROW)]
    shapes += [()] if activation.elementwise else []
    for dtype in _DTYPES:
        for shape in shapes:
            x = jnp.ones(shape, dtype)
            for name, y in (("value", activation(x)), ("derivative", activation.derivative(x))):
                if y.dtype != x.dtype or y.shape != x.shape:
                    return False, f"{name} of {dtype}{list(shape)} is {y.dtype}{list(y.shape)}"
    return True, ", ".join(_DTYPES)


def _transforms(activation: Activation) -> tuple[bool, str]:
    x = _moderate(activation, "float32")
    plain = activation(jnp.asarray(x))
    for name, transform in (("jit", jax.jit), ("vmap", jax.vmap)):
        passed, detail = _worst(transform(activation.__call__)(jnp.asarray(x)), plain, x, 1e-5)
        if not passed:
            hint = "; is it elementwise?" if name == "vmap" else ""
            return False, f"{name}: {detail}{hint}"
    return True, "as without"


def _monotonic(activation: Activation) -> tuple[bool, str]:
    if activation.monotonic is None or not activation.elementwise:
        return True, "not claimed"
    x = np.sort(_moderate(activation))
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
    x = jnp.asarray(_moderate(activation))
    for name, value in activation.params.items():

        def total(v: Any, name: str = name) -> jax.Array:
            return jnp.sum(jnp.sin(activation(x, **{name: v})))

        gradient = float(jax.grad(total)(jnp.asarray(value)))
        step = 1e-6
        difference = float(total(value + step) - total(value - step)) / (2 * step)
        if not np.isclose(gradient, difference, rtol=1e-5, atol=1e-6):
            return False, f"d/d{name} is {gradient:.8g}, finite difference {difference:.8g}"
    return True, ", ".join(activation.params) or "none"


def _spec(activation: Activation) -> tuple[bool, str]:
    try:
        return get(activation.spec) == activation, activation.spec
    except ActivationError:
        return True, "made in code: no spec names it"


def render(activation: Activation, results: Sequence[CheckResult], console: Console) -> None:
    """Prints the results as a table."""
    table = Table("check", "result", "detail", title=Text(activation.spec), title_justify="left")
    for result in results:
        verdict = Text("pass", "green") if result.passed else Text("FAIL", "bold red")
        table.add_row(result.name, verdict, Text(result.detail))
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m jaxact.check",
        description=_HELP,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("spec", metavar="SPEC", help="the activation")
    spec = parser.parse_args(arguments).spec
    try:
        activation = get(spec)
    except ActivationError as error:
        print(f"jaxact.check: {error}", file=sys.stderr)
        return error.exit_code
    results = check_activation(activation)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    render(activation, results, console)
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
