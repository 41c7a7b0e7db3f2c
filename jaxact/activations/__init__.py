"""Activation functions, each with its closed-form derivative, exact to the precision of its dtype.

`get("leaky_relu(negative_slope=0.05)")` gives a record: `act(x, **act.params)` is the value,
`act.derivative(x, **act.params)` the derivative. Each function is a plain one too, by its name:
`leaky_relu(x, negative_slope=0.05)`. A function of one's own goes where a spec does:
`get(jnp.sin)`.

Functions that see channels, `channel_names()`, take other parameters and numbers of channels: a
`ChannelActivation`, of which `jaxact.activations.channel_activation` has the rules.
"""

from collections.abc import Callable

from jax import Array

from jaxact.activations import (
    functions as _functions,  # noqa: F401  (it fills the registry)
    own as _own,  # noqa: F401  (what is registered from here on is the user's)
    registry as _registry,
)
from jaxact.activations.activation import Activation, ActivationError, Kink
from jaxact.activations.callables import get
from jaxact.activations.channel_activation import ChannelActivation
from jaxact.activations.registry import (
    INTEGER,
    NUMBER,
    POSITIVE,
    Domain,
    channel_names,
    names,
    register,
)

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    "INTEGER",
    "NUMBER",
    "POSITIVE",
    "Activation",
    "ActivationError",
    "ChannelActivation",
    "Domain",
    "Kink",
    "channel_names",
    "get",
    "names",
    "register",
    *names(),
    *channel_names(),
]


def __getattr__(name: str) -> Callable[..., Array]:
    """The registered function of that name."""
    if not _registry.is_registered(name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _registry.function(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *names(), *channel_names()})
