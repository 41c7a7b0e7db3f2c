"""The replacement in NNX modules: a copy of the graph, with other attributes and classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxact.activations import own
from jaxact.models.replacement import classes, under_way, values
from jaxact.models.replacement.plan import Plan
from jaxact.models.replacement.under_way import Place


class LearnedActivation(nnx.Module):
    """A learnable activation in the place of a function, its parameters `nnx.Param`s."""

    def __init__(self, plan: Plan, path: str, name: str) -> None:
        self.plan, self.path, self.name = plan, path, name
        for key, value in plan.activation.params.items():
            setattr(self, key, nnx.Param(jnp.asarray(np.asarray(value, np.float32))))

    def __call__(self, x: jax.Array) -> jax.Array:
        activation = self.plan.activation
        learned = {key: getattr(self, key)[...] for key in activation.params}
        under_way.count(self.path, self.name, self.plan)
        with under_way.paused():
            if own.is_own(activation):
                return own.call(activation, x, **learned)
            return activation(x, **learned)


def replaced(module: Any, plan: Plan) -> Any:
    """A copy of a module's graph, in which attributes hold the activation."""
    copy = nnx.clone(module)
    kinds: dict[tuple[type, bool], type] = {}

    def swap(path: str, value: Any, name: str) -> Any:
        plan.note({(path, name): 0})
        if name not in plan.names:
            return value
        if plan.activation.params:
            return LearnedActivation(plan, path, name)
        return Place(path, value, name, plan)

    for path, node in list(nnx.iter_modules(copy)):
        _swap(node, ".".join(map(str, path)), plan, swap)
        kind, is_whole = type(node), node is copy
        if is_whole or kind.__module__.partition(".")[0] != "flax":
            if (kind, is_whole) not in kinds:
                methods = classes.methods(kind, nnx.Module, plan, is_whole)
                kinds[kind, is_whole] = classes.derived(kind, plan, methods)
            object.__setattr__(node, "__class__", kinds[kind, is_whole])
    return copy


def _swap(node: Any, path: str, plan: Plan, swap: values.Swap) -> None:
    held = values.of_class(type(node), nnx.Module, plan.known) | vars(node)
    for name, value in held.items():
        if name.startswith("_"):
            continue
        place = f"{path}.{name}" if path else name
        if isinstance(value, nnx.PReLU):
            new = swap(place, value, "prelu")
        else:
            new = values.swapped(value, place, plan.known, swap)
        if new is not value:
            is_data = nnx.is_data(new) or bool(plan.activation.params)
            setattr(node, name, nnx.data(_node(new)) if is_data else nnx.static(new))


def _node(value: Any) -> Any:
    """A value that may hold modules beside functions: NNX takes both in its own lists and dicts."""
    if type(value) in (list, tuple):
        return nnx.List(map(_node, value))
    if type(value) is not dict:
        return value
    return nnx.Dict({key: _node(one) for key, one in value.items()})


def trace(module: Any, inputs: Sequence[Any], keywords: Mapping[str, Any]) -> None:
    """Runs a copy of a module on shapes alone."""
    definition, state = nnx.split(module)
    jax.eval_shape(
        lambda state, *arrays: nnx.merge(definition, state)(*arrays, **keywords), state, *inputs
    )
