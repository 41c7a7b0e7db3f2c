"""The place of the activation under test in a network, with its learnable parameters."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator, Mapping

import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import Array

from jaxact.activations import Activation, own

# Name of the layer, its activation, parameters, inputs and outputs, to the outputs it shall have.
Watch = Callable[[str, Activation, Mapping[str, Array], Array, Array], Array]
_watch: contextvars.ContextVar[Watch | None] = contextvars.ContextVar("watch", default=None)


@contextlib.contextmanager
def watched(watch: Watch | None) -> Iterator[None]:
    """A block in which every activation layer gives what `watch` makes of its outputs.

    Args:
      watch: None: nobody watches.
    """
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


def initial_parameters(
    activation: Activation, sharing: str, channels: int
) -> dict[str, np.ndarray]:
    """The learnable parameters before training, by name, float32.

    Args:
      sharing: "layer": as the activation has them; "channel": one more axis, of `channels`.
    """
    repeats = (channels,) if sharing == "channel" else ()
    initial = {}
    for name, value in activation.params.items():
        start = np.asarray(value, np.float32)
        each = start.reshape(start.shape + (1,) * len(repeats))
        initial[name] = np.broadcast_to(each, start.shape + repeats)
    return initial


def activated(activation: Activation, x: Array, learned: Mapping[str, Array], name: str) -> Array:
    """The activation's value in the layer of a name, seen by whoever watches."""
    y = own.call(activation, x, **learned) if own.is_own(activation) else activation(x, **learned)
    watch = _watch.get()
    return y if watch is None else watch(name, activation, learned, x, y)


class ActivationLayer(nn.Module):
    """`activation` applied to `[batch, ..., channels]`.

    Attributes:
      activation: the function; its `params` become trainable parameters of this layer.
      sharing: whether a learnable activation has one parameter for the whole "layer", as in the
        paper's framework, or one for each "channel" (the last axis, of `x` and of the parameter).
    """

    activation: Activation
    sharing: str = "layer"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        initial = initial_parameters(self.activation, self.sharing, x.shape[-1])
        learned = {
            name: self.param(name, lambda key, start=start: jnp.asarray(start))
            for name, start in initial.items()
        }
        return activated(self.activation, x, learned, "/".join(self.path))
