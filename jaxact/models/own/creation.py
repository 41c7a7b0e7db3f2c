"""From what the user gives to a module, of whichever of Flax's two APIs."""

from collections.abc import Hashable
from typing import Any

from flax import linen as nn

from jaxact.errors import ConfigError
from jaxact.models.layers import given_activation
from jaxact.models.own.factories import Factory, is_nnx
from jaxact.models.own.linen_modules import LinenModule
from jaxact.models.own.modules import Module


def create(factory: Factory, **given: Any) -> Module:
    """The module of a factory, ready to be called.

    Args:
      **given: "activation", and others that are handed on where the factory takes them.

    Raises:
      ConfigError: it cannot be made, or is no module.
    """
    identity = (factory, *sorted((k, v) for k, v in given.items() if isinstance(v, Hashable)))
    takes_rngs = factory.names("rngs")
    if not takes_rngs:
        try:
            made = factory(**given)
        except ConfigError as error:
            takes_rngs = factory.takes("rngs") and "rngs" in str(error)  # it hands on what it gets
            if not takes_rngs:
                raise
    if not takes_rngs:
        if isinstance(made, nn.Module):
            return LinenModule(identity, made)
        if is_nnx(made):
            raise ConfigError(
                f"{factory.spec} takes no `rngs`, so every seed would begin with the same weights: "
                "give it one, flax.nnx.Rngs, as in `lambda activation, rngs: Net(activation, rngs)`"
            )
        raise ConfigError(_no_module(factory, made))

    from jaxact.models.own.nnx_modules import NnxModule  # Linen works without it

    def make(rngs: Any) -> Any:
        with given_activation.alone():
            made = factory(rngs=rngs, **given)
        if not is_nnx(made):
            raise ConfigError(_no_module(factory, made))
        return made

    return NnxModule(identity, make)


def _no_module(factory: Factory, made: Any) -> str:
    return (
        f"{factory.spec} makes a {type(made).__name__}; a network is a module of flax.linen or "
        "flax.nnx"
    )
