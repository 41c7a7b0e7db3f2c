"""Activations whose values are kept for all that read them.

XLA's CPU compiler puts an operation that it takes for cheap into each loop that reads its result:
a formula of thirty sums and products is computed again for the windows of a convolution that
overlap, and by the gradient of max-pooling. A value that costs more than to read it is kept.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxact.activations import Activation, own
from jaxact.models.convolution import lowering
from jaxact.models.convolution.rewriting import equations

MOST_REPEATED = 32  # operations, conversions and calls among them, at about the cost of an array


def computed_once(activation: Activation, y: Array) -> Array:
    """The activation's values `y`, in an array of their own where that is the cheaper on a CPU.

    A function of the user's own is not called once more to see what it costs: it is left to XLA.
    """
    if lowering.platform() != "cpu" or own.is_own(activation):
        return y
    if operations(activation) <= MOST_REPEATED:
        return y
    return _kept(y)


@functools.cache
def operations(activation: Activation) -> int:
    """The number of operations in the program of an activation that sees one number."""
    if not activation.elementwise:
        return 0
    return sum(1 for _ in equations(jax.make_jaxpr(activation)(jnp.float32(1))))


@jax.custom_jvp
def _kept(y: Array) -> Array:
    return lax.optimization_barrier(y)


@_kept.defjvp
def _kept_jvp(primals: Any, tangents: Any) -> tuple[Array, Array]:
    # Without one for the gradient, which is read once.
    return _kept(*primals), tangents[0]
