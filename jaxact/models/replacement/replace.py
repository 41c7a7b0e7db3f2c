"""`replace_activation`: another activation in a network that has no field for one."""

import sys
from collections.abc import Callable
from typing import Any

from flax import linen as nn

from jaxact import activations
from jaxact.activations import Activation, ChannelActivation
from jaxact.errors import ConfigError
from jaxact.models.layers.conv_net import ConvNet
from jaxact.models.layers.given_activation import GivenActivation
from jaxact.models.replacement import linen
from jaxact.models.replacement.functions import Which, chosen
from jaxact.models.replacement.plan import Plan


def replace_activation(
    module: Any,
    activation: str | Activation | Callable[..., Any],
    *inputs: Any,
    only: Which = None,
    **keywords: Any,
) -> Any:
    """A copy of a network that calls `activation` where the network calls `nn.relu` and the like.

    Functions are found in attributes (`act: Callable = nn.relu`, `nn.Sequential([..., nn.relu])`,
    lists, dicts and configurations of a module and of those inside it) and where code calls them
    by a name (`nn.relu(x)`, `jax.nn.relu(x)`, `from jax.nn import relu`), for as long as a method
    of the copy runs in this thread. Parameters keep their names; the module that is given is not
    changed. Parameters of a learnable activation lie in a Linen module that calls it, as
    "activation_0" and so on; in NNX in the attribute that held the function. As a model,
    `lambda activation: replace_activation(Net(), activation)`, it is compared like any other.

    Not seen is what a module computes itself, such as `jnp.maximum(x, 0)`, and a function that a
    closure or a decorated function holds.

    Args:
      module: an instance of a flax.linen or flax.nnx module.
      activation: a spec, an `Activation` or a function.
      *inputs: what the module's call takes, arrays or shapes: what is replaced is then known at
        once. Without, it is known when the copy has run or was traced.
      only: the functions to replace, names or functions, one or several. Default: those between
        layers (relu, relu6, leaky_relu, prelu, elu, celu, selu, gelu, silu, mish, hard_silu);
        tanh, sigmoid, softmax and the like, which may be gates or outputs, are left alone.
      **keywords: further arguments of the module's call with `inputs`, such as `train=False`.

    Returns:
      A module of a class derived from the module's. Its `replaced` and `left_alone` list the
      places, with how often each is called in a run.

    Raises:
      ConfigError: `only` or the module is of another kind; or, when the copy runs, the network
        calls none of the functions, or an NNX module calls a function in whose place a learnable
        activation would have no parameters.
      ActivationError: the activation is unknown.

    >>> import jax.numpy as jnp
    >>> network = nn.Sequential([nn.Dense(4), nn.relu, nn.Dense(2), nn.tanh])
    >>> other = replace_activation(network, "mish", jnp.ones((1, 3)))
    >>> other.replaced
    layers[1]  relu, once
    >>> other.left_alone
    layers[3]  tanh, once
    """
    nnx = sys.modules.get("flax.nnx")  # not imported by Linen; no module is one of it without
    is_nnx = nnx is not None and isinstance(module, nnx.Module)
    if isinstance(module, type):
        raise ConfigError(
            f"replace_activation takes a module, and {module.__name__} is a class: give "
            f"{module.__name__}(...)"
        )
    if isinstance(module, ConvNet):
        raise ConfigError(
            f"{type(module).__name__} has a field for it: create_model(..., activation=...)"
        )
    if not is_nnx and not isinstance(module, nn.Module):
        kind = type(module).__name__
        raise ConfigError(f"replace_activation takes a flax.linen or flax.nnx module, not a {kind}")
    if isinstance(module, nn.Module) and module.scope is not None:
        raise ConfigError(
            f"{type(module).__name__} is bound to its variables: give module.unbind()[0]"
        )
    known, names = chosen(only)
    if isinstance(activation, GivenActivation):  # which a trace of its network may be making
        activation = Activation(activation.__name__, activation)
    put_in = activations.get(activation)
    if isinstance(put_in, ChannelActivation):
        raise ConfigError(
            f"replace_activation keeps the shape of what it replaces, and {put_in.spec} sees "
            "channels: give the network an argument `activation`, make the layer before it "
            "activation.input_channels(n) wide, and call it there"
        )
    if put_in.random:
        raise ConfigError(
            f"{put_in.spec} draws in training, from a key that a module does not hand to its "
            "functions: call activations.get(...)(x, key=self.make_rng('dropout')) in the module"
        )
    plan = Plan(put_in, known, names, type(module).__name__)
    if isinstance(module, nn.Module):
        copy = linen.replaced(module, plan)
        if inputs:
            linen.trace(copy, inputs, keywords)
    else:
        from jaxact.models.replacement import nnx_graph

        copy = nnx_graph.replaced(module, plan)
        if inputs:
            nnx_graph.trace(copy, inputs, keywords)
    return copy
