"""The activation that is given to a network of the user's own: a function that knows its layers."""

import contextlib
import contextvars
import dataclasses
import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.ad_checkpoint import checkpoint_name

from jaxact.activations import Activation, ChannelActivation
from jaxact.models.layers.activation_layer import activated, initial_parameters, watched

MARK = "the activation under test, call "
# Of the stream of keys of the layers: the module's own draws count from 0.
_STREAM = 2**31
_Call = Callable[[Array], Array]
_call: contextvars.ContextVar[_Call | None] = contextvars.ContextVar("call", default=None)
# A part of the key of JAX's caches: what it traced in another pass is traced anew.
_PASS = jax.make_user_context(None)


class Kind(enum.Enum):
    """A call's place in a pass of its network."""

    LAYER = "by itself"
    WITHIN = (
        "in a program that JAX traces by itself, as of `remat`, `scan`, `vmap` or `jit`; no batch"
    )
    DROPPED = "in a program that JAX traced and did not use, as `nn.scan` has one"


@dataclasses.dataclass(frozen=True)
class GivenActivation:
    """The function that a module calls wherever the activation under test belongs.

    Within a pass of its network each call is a layer, with learnable parameters of its own; by
    itself it has the activation's initial ones. A module that asks for `input_channels` can take
    functions that see channels: `nn.Dense(activation.input_channels(50))`, then the activation,
    which gives 50.
    """

    activation: Activation

    @property
    def __name__(self) -> str:
        return self.activation.name

    def __call__(self, x: Array) -> Array:
        call = _call.get()
        return _untrained(self.activation, x) if call is None else call(x)

    def input_channels(self, features: int) -> int:
        """The channels that the activation takes to give so many: those of the layer before it.

        Raises:
          ActivationError: it cannot give as many.
        """
        return self.activation.input_channels(features)


def _untrained(activation: Activation, x: Array) -> Array:
    if isinstance(activation, ChannelActivation):
        return activation(x, **activation.drawn(jax.random.key(0), x.shape))
    return activation(x, **activation.params)


def layer_name(place: int | str) -> str:
    """The name of the layer that is called after so many others: "ActivationLayer_0" is first."""
    return f"ActivationLayer_{place}"


@contextlib.contextmanager
def marked(activation: ChannelActivation | None = None) -> Iterator[list[Array]]:
    """A block in which calls leave their input as it is; a traced program has `MARK` and the place.

    Args:
      activation: what decides the number of channels that they give; None: it stays the same.

    Yields:
      The inputs of the calls, in their order.
    """
    inputs: list[Array] = []

    def mark(x: Array) -> Array:
        inputs.append(x)
        x = checkpoint_name(x, f"{MARK}{len(inputs) - 1}")
        if activation is None or not x.ndim:
            return x
        features = activation.output_shape(x.shape)[-1]
        return jnp.concatenate([x] * max(1, -(-features // x.shape[-1])), -1)[..., :features]

    with _as(mark):
        yield inputs


@contextlib.contextmanager
def computed(
    activation: Activation,
    params: Mapping[str, Any],
    kinds: Sequence[Kind],
    key: Array | None = None,
) -> Iterator[None]:
    """A block, one pass of a network, in which each call that counts has its layer's parameters.

    Args:
      kinds: of the calls, in their order; those beyond are layers.
      key: of the pass, from which each layer of a random activation has its own (one that JAX
        repeats, as `scan` and `vmap` do, draws the same each time); None: as in evaluation.
    """
    keys = jax.random.fold_in(key, _STREAM) if activation.random and key is not None else None
    calls = layers = 0

    def call(x: Array) -> Array:
        nonlocal calls, layers
        kind = kinds[calls] if calls < len(kinds) else Kind.LAYER
        calls += 1
        if kind is Kind.DROPPED:
            return _untrained(activation, x)
        name, place = layer_name(layers), layers
        layers += 1
        drawn = None if keys is None else jax.random.fold_in(keys, place)
        with contextlib.nullcontext() if kind is Kind.LAYER else watched(None):
            return activated(activation, x, params.get(name, {}), name, drawn)

    with _as(call):
        yield


def alone() -> contextlib.AbstractContextManager[None]:
    """A block in which calls of the activation are no layers: a network is being made."""
    return _as(None)


def initial(
    activation: Activation, sharing: str, channels: tuple[int, ...], key: Array
) -> dict[str, Any]:
    """The parameters of all layers before training, by layer, of one that learns any."""
    if not activation.learns:
        return {}
    return {
        layer_name(place): initial_parameters(
            activation, sharing, count, jax.random.fold_in(key, place)
        )
        for place, count in enumerate(channels)
    }


@contextlib.contextmanager
def _as(call: _Call | None) -> Iterator[None]:
    token = _call.set(call)
    try:
        with _PASS(call):
            yield
    finally:
        _call.reset(token)
