"""Activations in groups: one of each kind, programs of many, and many without programs."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxact import activations


def in_groups(specs, x):
    """A decorator: of `function(activation, x)` it makes a function of a spec.

    One program for ten activations compiles in half the time of ten.
    """

    def decorate(function: Callable[..., Any]) -> Callable[[str], Any]:
        @functools.cache
        def of_group(first):
            acts = {spec: activations.get(spec) for spec in specs[first : first + 10]}
            of_all = jax.jit(lambda x: {spec: function(act, x) for spec, act in acts.items()})
            with jax.enable_x64(jax.tree.leaves(x)[0].dtype == np.float64):
                return jax.device_get(of_all(x))

        return lambda spec: of_group(specs.index(spec) // 10 * 10)[spec]

    return decorate


def op_by_op(points):
    """A decorator: of `function(activation, x)` it makes a function of a spec, without a program.

    Operations on arrays of one shape are compiled once for all activations, and programs for each.
    """

    def decorate(function: Callable[..., Any]) -> Callable[[str], Any]:
        @functools.cache
        def of_spec(spec):
            is_wide = jax.tree.leaves(points)[0].dtype == np.float64
            with jax.disable_jit(), jax.enable_x64(is_wide):
                x = jax.tree.map(jnp.asarray, points)
                return jax.device_get(function(activations.get(spec), x))

        return of_spec

    return decorate


def kind(name: str) -> tuple[object, ...]:
    """The properties of an activation that a layer or a training step may depend on."""
    act = activations.get(name)
    has_coefficients = any(isinstance(value, tuple) for value in act.params.values())
    learns = bool(act.params), has_coefficients
    return *learns, act.elementwise, bool(act.kinks), act.monotonic, act.random


# For rules that are a layer's and not a function's.
# The exponential of an exponential is beyond all numbers: it trains in no network of theirs.
KINDS = tuple({kind(name): name for name in activations.names() if name != "exponential"}.values())
