"""The activation that is given to a network of the user's own: a function that knows its layers."""

import contextlib
import contextvars
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jax import Array
from jax.ad_checkpoint import checkpoint_name

from jaxact.activations import Activation
from jaxact.models.layers.activation_layer import activated, initial_parameters

MARK = "the activation under test"
_Call = Callable[[Array], Array]
_call: contextvars.ContextVar[_Call | None] = contextvars.ContextVar("call", default=None)


@dataclasses.dataclass(frozen=True)
class GivenActivation:
    """The function that a module calls wherever the activation under test belongs.

    Within a pass of its network each call is a layer, with learnable parameters of its own; by
    itself it has the activation's initial ones.
    """

    activation: Activation

    @property
    def __name__(self) -> str:
        return self.activation.name

    def __call__(self, x: Array) -> Array:
        call = _call.get()
        return self.activation(x, **self.activation.params) if call is None else call(x)


def layer_name(place: int | str) -> str:
    """The name of the layer that is called after so many others: "ActivationLayer_0" is first."""
    return f"ActivationLayer_{place}"


@contextlib.contextmanager
def marked() -> Iterator[list[Array]]:
    """A block in which calls leave their input as it is, marked by `MARK` in a traced program.

    Yields:
      The inputs of the calls, in their order.
    """
    inputs: list[Array] = []

    def mark(x: Array) -> Array:
        inputs.append(x)
        return checkpoint_name(x, MARK)

    with _as(mark):
        yield inputs


@contextlib.contextmanager
def computed(activation: Activation, params: Mapping[str, Any]) -> Iterator[None]:
    """A block, one pass of a network, in which call k has the parameters of layer k."""
    calls = 0

    def call(x: Array) -> Array:
        nonlocal calls
        name = layer_name(calls)
        calls += 1
        return activated(activation, x, params.get(name, {}), name)

    with _as(call):
        yield


def initial(activation: Activation, sharing: str, channels: tuple[int, ...]) -> dict[str, Any]:
    """The parameters of all layers before training, by layer, of one that learns any."""
    if not activation.params:
        return {}
    return {
        layer_name(place): initial_parameters(activation, sharing, count)
        for place, count in enumerate(channels)
    }


@contextlib.contextmanager
def _as(call: _Call) -> Iterator[None]:
    token = _call.set(call)
    try:
        yield
    finally:
        _call.reset(token)
