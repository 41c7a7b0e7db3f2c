"""The place of the activation under test in a network, with its learnable parameters."""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import Array

from jaxact.activations import Activation, ChannelActivation, own
from jaxact.models.layers.common import BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM
from jaxact.models.layers.computed_once import computed_once

# Name of the layer, its activation, parameters, inputs and outputs, to the outputs it shall have.
Watch = Callable[[str, Activation, Mapping[str, Array], Array, Array], Array]
_is_steady = contextvars.ContextVar("is_steady", default=False)
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


@contextlib.contextmanager
def steady() -> Iterator[None]:
    """A block in which random activations are as in evaluation, whatever may be drawn."""
    token = _is_steady.set(True)
    try:
        yield
    finally:
        _is_steady.reset(token)


def initial_parameters(
    activation: Activation, sharing: str, channels: int, key: Array | None = None
) -> dict[str, Any]:
    """The learnable parameters before training, by name, float32.

    Args:
      sharing: "layer": as the activation has them; "channel": one more axis, of `channels`. Those
        of a function that sees channels are a channel's in any case.
      key: draws the latter.
    """
    if isinstance(activation, ChannelActivation):
        return activation.drawn(jax.random.key(0) if key is None else key, (channels,))
    repeats = (channels,) if sharing == "channel" else ()
    initial = {}
    for name, value in activation.params.items():
        start = np.asarray(value, np.float32)
        each = start.reshape(start.shape + (1,) * len(repeats))
        initial[name] = np.broadcast_to(each, start.shape + repeats)
    return initial


def activated(
    activation: Activation,
    x: Array,
    learned: Mapping[str, Array],
    name: str,
    key: Array | None = None,
) -> Array:
    """The activation's value in the layer of a name, seen by whoever watches.

    Args:
      key: that a random activation draws from; None: as in evaluation.
    """
    call = functools.partial(own.call, activation) if own.is_own(activation) else activation
    y = call(x, **learned, **({} if key is None else {"key": key}))
    return _seen(activation, x, learned, name, computed_once(activation, y))


def _seen(
    activation: Activation, x: Array, learned: Mapping[str, Array], name: str, y: Array
) -> Array:
    watch = _watch.get()
    return y if watch is None else watch(name, activation, learned, x, y)


class ActivationLayer(nn.Module):
    """`activation` applied to `[batch, ..., channels]`.

    A random one draws where the network is given a "dropout" key, as in training.

    Attributes:
      activation: the function; its `params` become trainable parameters of this layer.
      sharing: whether a learnable activation has one parameter for the whole "layer", as in the
        paper's framework, or one for each "channel" (the last axis, of `x` and of the parameter).
      groups: of the convolution before, in each of which the pieces of a function that sees
        channels are together.
    """

    activation: Activation
    sharing: str = "layer"
    groups: int = 1

    @nn.compact
    def __call__(self, x: Array) -> Array:
        if isinstance(self.activation, ChannelActivation):
            return self._of_channels(self.activation, x)
        initial = initial_parameters(self.activation, self.sharing, x.shape[-1])
        learned = {
            name: self.param(name, lambda key, start=start: jnp.asarray(start))
            for name, start in initial.items()
        }
        draws = self.activation.random and self.has_rng("dropout") and not _is_steady.get()
        key = self.make_rng("dropout") if draws else None
        return activated(self.activation, x, learned, "/".join(self.path), key)

    def _of_channels(self, activation: ChannelActivation, x: Array) -> Array:
        learned = {
            one.name: self.param(one.name, one.draw, one.shape(x.shape), jnp.float32)
            for one in activation.learned
        }
        if self.groups > 1 and activation.ratio != 1:  # such a one has no parameters
            grouped = activation(x.reshape(*x.shape[:-1], self.groups, -1))
            y = grouped.reshape(activation.output_shape(x.shape))
        elif activation.normalizes:
            y = activation(x, **learned, normalize=self._normalized)
        else:
            y = activation(x, **learned)
        return _seen(activation, x, learned, "/".join(self.path), y)

    def _normalized(self, x: Array) -> Array:
        """BatchNorm as in `ConvNet`; it is in training where its statistics may change."""
        is_training = self.is_mutable_collection("batch_stats") and not self.is_initializing()
        return nn.BatchNorm(
            use_running_average=not is_training,
            momentum=BATCH_NORM_MOMENTUM,
            epsilon=BATCH_NORM_EPSILON,
        )(x)
