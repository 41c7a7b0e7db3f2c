"""Activations that are one function under several names, at their default parameters."""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.activations import fingerprint, own, registry
from jaxact.activations.activation import Activation, ActivationError
from jaxact.activations.channel_activation import ChannelActivation

# All there are among jaxact's own.
ALIASES = {
    "linear": "identity",
    "hard_swish": "hard_silu",
    "silu": "swish",
    "celu": "elu",
    "telu": "tanh_exp",
}
_NEAR = 1e-5  # relative, or to 1: values of one formula written in two ways


def twins(specs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The specs that are the same function as an earlier one of the list, each with that one.

    Names without parameters are looked up. Others, one's own functions among them, are the same
    where they learn the same parameters, and values and gradients agree at 512 numbers within 1024
    of 0.

    Raises:
      ActivationError: one is no spec.

    Example:
      >>> twins(["relu", "swish", "silu", "leaky_relu(negative_slope=0)", "swish(beta=1.5)"])
      (('silu', 'swish'), ('leaky_relu(negative_slope=0.0)', 'relu'))
    """
    found: list[tuple[str, str]] = []
    originals: list[Activation] = []
    values = functools.cache(_values)
    for activation in map(registry.get, specs):
        same = next((one for one in originals if _are_one(one, activation, values)), None)
        if same is None:
            originals.append(activation)
        else:
            found.append((activation.spec, same.spec))
    return tuple(found)


def known(specs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The pairs of `twins` by names alone: nothing is imported or computed."""
    first: dict[str, str] = {}
    return tuple(
        (spec, same)
        for spec in specs
        if (same := first.setdefault(ALIASES.get(spec, spec), spec)) != spec
    )


def _are_one(
    one: Activation, other: Activation, values: Callable[[Activation], list[np.ndarray]]
) -> bool:
    if own.same(one.spec, other.spec):
        return True
    if any(isinstance(each, ChannelActivation) for each in (one, other)):
        return False
    if all(spec in registry.names() for spec in (one.spec, other.spec)):
        return ALIASES.get(one.spec, one.spec) == ALIASES.get(other.spec, other.spec)
    if one.random != other.random:
        return False
    if one.initial != other.initial:
        return False
    ours, others = values(one), values(other)
    return bool(ours and others) and all(
        np.allclose(a, b, rtol=_NEAR, atol=_NEAR, equal_nan=True)
        for a, b in zip(ours, others, strict=True)
    )


def _values(activation: Activation) -> list[np.ndarray]:
    """Values and gradients; none of a function that fails, which is like no other."""
    x = jnp.asarray(fingerprint.inputs()[0][::8].reshape(2, 4, 4, 16))
    try:
        compute = fingerprint.value_and_gradients(activation)
        return [*map(np.asarray, jax.tree.leaves(compute(x, jnp.ones_like(x), activation.params)))]
    except ActivationError:
        return []
