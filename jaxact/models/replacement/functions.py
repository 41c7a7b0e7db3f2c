"""The functions that may be replaced: which there are, and which are meant."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxact.activations import names as registered, registry
from jaxact.errors import ConfigError, did_you_mean
from jaxact.specs import split_list

# What stands between the layers of a network.
HIDDEN = (
    *("relu", "relu6", "leaky_relu", "prelu", "elu", "celu", "selu"),
    *("gelu", "silu", "mish", "hard_silu"),
)
# What may as well be a gate, an attention or an output: replaced where it is asked for by name.
OTHERS = (
    *("tanh", "hard_tanh", "soft_sign", "sigmoid", "hard_sigmoid", "sparse_sigmoid"),
    *("log_sigmoid", "softplus", "squareplus", "sparse_plus", "softmax", "log_softmax", "glu"),
)
ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}

# A function and its name, by its identity: those of JAX are not all hashable.
Known = dict[int, tuple[Callable[..., Any], str]]
Which = str | Callable[..., Any] | Iterable[str | Callable[..., Any]] | None


@functools.cache
def _known() -> Known:
    known: Known = {}
    for name in (*HIDDEN, *OTHERS):
        found = [getattr(room, name, None) for room in (jax.nn, jnp, jax.lax, nn)]
        found += [registry.function(name)] if name in registered() else []
        known |= {id(function): (function, name) for function in found if function is not None}
    return known


def chosen(only: Which) -> tuple[Known, frozenset[str]]:
    """The functions that are looked for, and the names of those to replace.

    Args:
      only: names and functions, one or several; a function that JAX does not have is looked for,
        too. None: `HIDDEN`.

    Raises:
      ConfigError: a name is unknown, or it is neither a name nor a function.
    """
    known = dict(_known())
    if only is None:
        return known, frozenset(HIDDEN)
    if isinstance(only, str):
        only = [name for name in split_list(only) if name]
    names = set()
    for one in [only] if callable(only) or not isinstance(only, Iterable) else only:
        if callable(one):
            called = getattr(one, "__name__", type(one).__name__)
            if called in (*HIDDEN, *OTHERS):  # another's of that name
                called = f"{one.__module__}.{called}"
            known.setdefault(id(one), (one, called))
            names.add(known[id(one)][1])
        elif isinstance(one, str) and ALIASES.get(one, one) in (*HIDDEN, *OTHERS):
            names.add(ALIASES.get(one, one))
        else:
            near = did_you_mean(str(one), (*HIDDEN, *OTHERS, *ALIASES))
            raise ConfigError(
                f"only={one!r} is unknown{near} (a function, or one of "
                f"{', '.join((*HIDDEN, *OTHERS))})"
            )
    if not names:
        raise ConfigError("only= names no function: leave it out for those between layers")
    return known, frozenset(names)


def name_in(known: Known, value: Any) -> str | None:
    """The name of a function, or of that which a `functools.partial` binds; None for all else."""
    if isinstance(value, functools.partial):
        value = value.func
    return known.get(id(value), (None, None))[1]
