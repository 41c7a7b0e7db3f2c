"""Two registered functions made one, for specs such as `jaxact.activations.pairs:product(...)`.

The parts are specs themselves, in quotes: `jaxact.activations.pairs:chain(outer='tanh',
inner='leaky_relu(negative_slope=0.1)')`. Each part is elementwise and has nothing to learn. What
search spaces of activation functions are built from: Ramachandran, Zoph and Le 2017, Searching for
activation functions, arXiv 1710.05941, section 2.
"""

import jax.numpy as jnp
from jax import Array

from jaxact.activations.activation import Activation, ActivationError
from jaxact.activations.registry import get
from jaxact.specs import quote


def chain(x: Array, outer: str = "tanh", inner: str = "relu") -> Array:
    """One after the other: outer(inner(x)); raises ActivationError for a part that is none."""
    return part("outer", outer)(part("inner", inner)(x))


def product(x: Array, left: str = "identity", right: str = "sigmoid") -> Array:
    """left(x) right(x), by default SiLU; raises ActivationError for a part that is none."""
    return part("left", left)(x) * part("right", right)(x)


def total(x: Array, left: str = "relu", right: str = "tanh") -> Array:
    """left(x) + right(x); raises ActivationError for a part that is none."""
    return part("left", left)(x) + part("right", right)(x)


def maximum(x: Array, left: str = "identity", right: str = "tanh") -> Array:
    """max(left(x), right(x)); raises ActivationError for a part that is none."""
    return jnp.maximum(part("left", left)(x), part("right", right)(x))


def part(key: str, spec: str) -> Activation:
    """The activation of a part.

    Raises:
      ActivationError: the spec is wrong, or its function not elementwise, or random, or one with
        parameters to learn: who holds the pair's parameters, and its key, does not see them.
    """
    activation = get(spec)
    if not activation.elementwise or activation.initial or activation.random:
        reason = "draws from a key" if activation.random else "is not elementwise"
        reason = "has parameters to learn" if activation.initial else reason
        raise ActivationError(f"{key}={quote(spec)} {reason}: it cannot be part of a pair")
    return activation
