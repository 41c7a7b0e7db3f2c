"""Where activations are checked, and what is computed there.

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


def derivative(activation: Activation) -> Callable[[Any], jax.Array]:
    """Its derivative, likewise."""
    return activation.derivative if activation.elementwise else jax.vmap(activation.derivative)


def gradient(activation: Activation, x: Any) -> np.ndarray:
    """What jax.grad gives, element by element: the diagonal of the Jacobian."""
    return np.asarray(_gradient_of_each(activation)(jnp.asarray(x))).reshape(x.shape)


@functools.lru_cache(maxsize=1)  # so that one compilation serves all checks
def _gradient_of_each(activation: Activation) -> Callable[[Any], jax.Array]:
    if activation.elementwise:
        return jax.jit(lambda x: jax.vmap(jax.grad(activation))(x.reshape(-1)))

    def diagonal(block: jax.Array) -> jax.Array:
        return jnp.diagonal(jax.jacrev(activation)(block).reshape(block.size, -1))

    return jax.jit(jax.vmap(diagonal))


def difference(activation: Activation, x: np.ndarray) -> np.ndarray:
    """The five-point finite difference in float64, with a step of 1e-5 max(1, |x|)."""
    step = 1e-5 * np.maximum(1, np.abs(x))
    moves = np.ones((1, 1)) if activation.elementwise else np.eye(16).reshape(-1, *BLOCK)
    function, total = value(activation), np.zeros_like(x)
    for move in moves:
        for reach, weight in ((1, 8), (2, -1)):
            away = reach * move * step
            total += (
                move * weight * np.asarray(function(x + away) - function(x - away)) / (12 * step)
            )
    return total
