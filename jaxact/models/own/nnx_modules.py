"""A module of flax.nnx as pure functions of its variables."""

import dataclasses
import functools
import inspect
import re
from collections.abc import Hashable, Mapping
from typing import Any

import jax
from flax import nnx, traverse_util
from jax import Array

from jaxact.errors import ConfigError
from jaxact.models.own.modules import MODES, Collections, modes_of


@dataclasses.dataclass(frozen=True)
class NnxModule:
    """A module of flax.nnx, split into its structure and its variables."""

    identity: Hashable
    factory: Any = dataclasses.field(compare=False)  # of a module, from its `rngs`

    def init(self, key: Array, images: Array) -> Collections:
        del images
        return _collections(nnx.state(self.factory(rngs=nnx.Rngs(key))))

    def run(
        self,
        variables: Mapping[str, Any],
        images: Array,
        key: Array,
        is_training: bool,
        is_dropping: bool = False,
    ) -> tuple[Any, Collections]:
        structure, state = self._split
        flat, draws = [], 0
        for path, variable in nnx.to_flat_state(state):
            if isinstance(variable, nnx.RngKey):
                value = jax.random.fold_in(key, draws)
                shape = variable.get_value().shape
                value = jax.random.split(value, shape) if shape else value
                draws += 1
            elif isinstance(variable, nnx.RngState):
                value = jax.numpy.zeros(variable.get_value().shape, variable.get_value().dtype)
            else:
                value = _found(variables, (_collection(variable), *map(str, path)))
            if value is None:
                value = variable
            elif isinstance(variable, nnx.Variable):
                value = variable.replace(value)
            flat.append((path, value))
        module = nnx.merge(structure, nnx.from_flat_state(flat))
        _set_modes(module, is_training)
        if is_dropping:
            module.set_attributes(nnx.Dropout, deterministic=False, raise_if_not_found=False)
        parameters = inspect.signature(type(module).__call__).parameters
        outputs = module(images, **modes_of(parameters, is_training))
        updates = _collections(nnx.state(module))
        if _names(updates["params"]) - _names(variables["params"]):
            raise ConfigError(
                f"{type(module).__name__} makes parameters when it is called, which would be new "
                "in every step: make them in its __init__"
            )
        return outputs, {name: updates.get(name, {}) for name in variables if name != "params"}

    @functools.cached_property
    def _split(self) -> tuple[Any, Any]:
        abstract = nnx.eval_shape(lambda: self.factory(rngs=nnx.Rngs(jax.random.key(0))))
        return nnx.split(abstract)


def _set_modes(module: Any, is_training: bool) -> None:
    """Switches layers of Flax's, and attributes that a module of the user's has for its mode."""
    for _, node in nnx.iter_modules(module):
        held = vars(node)
        for name, when in MODES.items():
            if isinstance(held.get(name, ""), bool | None):
                setattr(node, name, is_training == when)


def _names(nested: Any) -> set[Any]:
    return set(traverse_util.flatten_dict(nested))


def _collections(state: Any) -> Collections:
    """The variables of a state, nested by collection and path; what draws numbers is left out."""
    flat = {
        (_collection(variable), *map(str, path)): (
            variable.get_value() if isinstance(variable, nnx.Variable) else variable
        )
        for path, variable in nnx.to_flat_state(state)
        if not isinstance(variable, nnx.RngState | nnx.Intermediate)
    }
    return {"params": {}} | traverse_util.unflatten_dict(flat)


def _collection(variable: Any) -> str:
    """The collection that a variable belongs to: "params", "batch_stats", or by its class.

    An array that is none, which a module holds as an attribute, is one of "arrays".
    """
    kind = type(variable)
    if not issubclass(kind, nnx.Variable):
        return "arrays"
    if issubclass(kind, nnx.Param):
        return "params"
    if issubclass(kind, nnx.BatchStat):
        return "batch_stats"
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower()


def _found(nested: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for name in path:
        if name not in nested:
            return None
        nested = nested[name]
    return nested
