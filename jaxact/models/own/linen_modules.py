"""A module of flax.linen as pure functions of its variables."""

import contextlib
import dataclasses
import inspect
from collections.abc import Hashable, Mapping
from typing import Any, cast

import jax
from flax import linen as nn
from jax import Array

from jaxact.models.layers.common import always_dropping
from jaxact.models.own.modules import Collections, modes_of


@dataclasses.dataclass(frozen=True)
class LinenModule:
    """A module of flax.linen, with setup or compact; told its mode in the call, or by a field."""

    identity: Hashable
    module: nn.Module = dataclasses.field(compare=False)

    def init(self, key: Array, images: Array) -> Collections:
        module, modes = self._in(False)
        variables = module.init({"params": key}, images, **modes)
        return {"params": {}} | dict(nn.meta.unbox(variables))

    def run(
        self,
        variables: Mapping[str, Any],
        images: Array,
        key: Array,
        is_training: bool,
        is_dropping: bool = False,
    ) -> tuple[Any, Collections]:
        module, modes = self._in(is_training)
        carried = [name for name in variables if name != "params"]

        with always_dropping() if is_dropping else contextlib.nullcontext():
            outputs, updates = cast(
                Any,
                module.apply(
                    dict(variables),
                    images,
                    rngs={"params": key, "dropout": jax.random.fold_in(key, 0)},
                    mutable=carried,
                    **modes,
                ),
            )
        return outputs, dict(nn.meta.unbox(updates))

    def _in(self, is_training: bool) -> tuple[nn.Module, dict[str, Any]]:
        """The module in a mode, and the arguments that tell it the mode."""
        modes = modes_of({field.name for field in dataclasses.fields(self.module)}, is_training)
        module = self.module.clone(**modes) if modes else self.module
        taken = inspect.signature(type(module).__call__).parameters
        # Flax's `merge_param` takes one that the field and the call both have from one alone.
        told = {name for name, one in taken.items() if name not in modes or one.default is not None}
        return module, modes_of(told, is_training)
