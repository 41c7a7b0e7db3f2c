"""The Linen methods that run in a thread, and learnable activations in the modules they are of."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from flax import linen as nn

from jaxact.activations import Activation
from jaxact.errors import ConfigError
from jaxact.models.layers.activation_layer import ActivationLayer


class Frame:
    """A call of a method of a Linen module; counts the activations with parameters in it."""

    def __init__(self, module: nn.Module, method: str) -> None:
        self.module, self.method, self.count = module, method, 0


class _Thread(threading.local):
    frames: tuple[Frame, ...] = ()


_THREAD = _Thread()


@contextlib.contextmanager
def entered(module: nn.Module, method: str) -> Iterator[None]:
    """A block that runs a method of a module."""
    before = _THREAD.frames
    _THREAD.frames = (*before, Frame(module, method))
    try:
        yield
    finally:
        _THREAD.frames = before


def layer(activation: Activation, caller: str) -> Callable[..., Any]:
    """An activation whose parameters lie in the module that calls it, as "activation_0" and so on.

    They are numbered anew in each call of a method: a module that is called twice has them once.

    Args:
      caller: what calls it, for the message.

    Raises:
      ConfigError: no Linen module is calling.
    """
    if not _THREAD.frames or (scope := _THREAD.frames[-1].module.scope) is None:
        raise ConfigError(
            f"{activation.spec} learns parameters, for which an NNX module has no place once it is "
            f"made: {caller} itself; let its __init__ set self.act = nnx.relu and call self.act"
        )
    frame = _THREAD.frames[-1]
    prefix = "" if frame.method == "__call__" else f"{frame.method}_"
    name = f"{prefix}activation_{frame.count}"
    frame.count += 1
    parent: Any = scope.push(name, reuse=True)  # Flax takes a scope for a parent
    return ActivationLayer(activation, parent=parent)
