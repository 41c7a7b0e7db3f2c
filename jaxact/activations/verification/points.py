"""Points where activations are checked, and what is computed there.

An elementwise activation is checked at numbers, another one on blocks of them.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.activations.activation import Activation

BLOCK = (4, 4)  # what an activation that is not elementwise is tried on, whatever its axis
FLOAT32_MAX = float(np.finfo(np.float32).max)


def moderate(activation: Activation, dtype: str = "float64") -> np.ndarray:
    """Points of [-30, 30] away from the kinks, the denser the nearer to 0."""
    unit = np.linspace(-1, 1, 400)
    x = 0.0123 + 30 * np.sign(unit) * np.abs(unit) ** 1.5
    for kink in activation.kinks:
        x = np.where(np.abs(x - kink.at) < 0.01, x + 0.02, x)
    x = x.astype(dtype)
    return x if activation.elementwise else x.reshape(-1, *BLOCK, order="F")


def whole_range(activation: Activation) -> np.ndarray:
    """0 and every power of two of float32, of both signs, beside the largest number."""
    powers = np.append(2.0 ** np.arange(-126, 128), FLOAT32_MAX).astype(np.float32)
    x = np.concatenate([-powers[::-1], [0], powers]).astype(np.float32)
    return heads(activation, x)


def all_float32(activation: Activation) -> np.ndarray:
    """`whole_range` and then `moderate`, in float32."""
    return np.concatenate([whole_range(activation), moderate(activation, "float32")])


def heads(activation: Activation, x: np.ndarray) -> np.ndarray:
    """The numbers as they are or, if the activation is not elementwise, each heading a block."""
    if activation.elementwise:
        return x
    blocks = np.tile(np.linspace(-1, 2, 16, dtype=x.dtype).reshape(BLOCK), (len(x), 1, 1))
    blocks[:, 0, 0] = x
    return blocks


def value(activation: Activation) -> Callable[[Any], jax.Array]:
    """The activation, of a batch of numbers or of blocks."""
    return activation if activation.elementwise else jax.vmap(activation)


def moved(activation: Activation) -> tuple[np.ndarray, np.ndarray]:
    """The points of the five-point rule around each of `moderate`, and what their values weigh.

    The step is 1e-5 max(1, |x|), in each of the numbers of a block by turns.
    """
    x = moderate(activation)
    step = 1e-5 * np.maximum(1, np.abs(x))
    moves = np.ones((1, 1)) if activation.elementwise else np.eye(16).reshape(-1, 1, *BLOCK)
    reaches = np.asarray([1, -1, 2, -2]).reshape(-1, 1, *(1,) * x.ndim)
    weights = np.asarray([8, -8, -1, 1]).reshape(reaches.shape)
    return x + reaches * moves * step, weights * moves / (12 * step)


def bends() -> np.ndarray:
    """The integers of [-10, 10], and beside each of them a point on either side: `[3, 21]`."""
    return np.arange(-10.0, 11.0) + np.asarray([[-1e-6], [0], [1e-6]])


Computed = Callable[[str, str], np.ndarray]


@functools.cache  # one program serves all checks
def computed(activation: Activation, dtype: str) -> Computed:
    """All that is computed of an activation at the points of a dtype: `computed(...)(part, at)`.

    Parts: its `value`, its `derivative` and its `gradient` by JAX; in float32 also the value of
    each point `alone`, by vmap, the value as it is without a program, `plain`, and the `second`
    derivative. What a part raises when it is traced, it raises whenever it is asked for.
    """
    single = dtype == "float32"
    if not single:
        places = {"moderate": moderate(activation), "range": all_float32(activation)}
        places["moved"] = moved(activation)[0].reshape(-1, *places["moderate"].shape[1:])
        places |= {"bends": bends().reshape(-1)} if activation.elementwise else {}
    else:
        towards = 2.0 ** np.arange(8, 128)
        far = np.concatenate([[-np.inf, np.inf, np.nan], -towards, towards])
        places = {
            "range": all_float32(activation),
            "far": heads(activation, far.astype(dtype)),
            "kinks": heads(activation, np.asarray([at for at, _ in activation.kinks], dtype)),
        }
    x = np.concatenate(list(places.values())).astype(dtype)
    errors: dict[str, Exception] = {}

    def program(x: Any, parts: dict[str, Callable[..., Any]]) -> dict[str, Any]:
        results = {}
        for part, function in parts.items():
            try:
                results[part] = function(x)
            except Exception as error:  # whatever a user's function raises is a finding
                errors[part] = error
        return results

    parts = _of_each(activation, single)
    results = jax.device_get(jax.jit(functools.partial(program, parts=parts))(x))
    if single:
        results |= jax.device_get(program(x, {"plain": value(activation)}))
    ends = np.cumsum([len(x) for x in places.values()]).tolist()
    slices = dict(zip(places, map(slice, [0, *ends], ends), strict=False))

    def look_up(part: str, at: str) -> np.ndarray:
        if part in errors:
            raise errors[part]
        return results[part][slices[at]]

    return look_up


def _of_each(activation: Activation, single: bool) -> dict[str, Callable[..., Any]]:
    """The parts that one program computes, as functions of a batch of numbers or of blocks."""

    def diagonal(block: jax.Array) -> jax.Array:
        jacobian = jax.jacrev(activation)(block).reshape(block.size, -1)
        return jnp.diagonal(jacobian).reshape(block.shape)

    def reverse(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x: jax.vjp(function, x)[1](jnp.ones_like(x))[0]

    alone = jax.vmap(activation)
    if not activation.elementwise:
        second = jax.vmap(jax.jacfwd(jax.jacrev(activation)))
        parts = {"value": alone, "derivative": jax.vmap(activation.derivative)}
        parts["gradient"] = jax.vmap(diagonal)
    else:
        second = reverse(reverse(activation))
        parts = {"value": activation, "derivative": activation.derivative}
        parts["gradient"] = jax.vmap(jax.grad(activation)) if single else reverse(activation)
    return {**parts, "alone": alone, "second": second} if single else parts


def worst(got: Any, expected: Any, x: np.ndarray, relative: float) -> tuple[bool, str]:
    """Compares to `relative` of max(1, |expected|); the detail names the worst point."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    errors = np.abs(got - expected) / np.maximum(1, np.abs(expected))
    errors = np.where(same, 0, np.nan_to_num(errors, nan=np.inf, posinf=np.inf))
    i = np.unravel_index(np.argmax(errors), errors.shape)
    if errors[i] <= relative:
        return True, f"within {errors[i]:.1e}, {errors.size} points"
    return False, f"{got[i]:.8g}, not {expected[i]:.8g}, at x = {x[i]:.8g}"
