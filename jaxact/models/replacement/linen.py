"""The replacement in Linen modules: a module of a derived class."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from flax import linen as nn

from jaxact.models.replacement import classes
from jaxact.models.replacement.plan import Plan


def replaced(module: nn.Module, plan: Plan) -> nn.Module:
    """A module of the same fields whose class is derived from the module's."""
    kind = type(module)
    fields = {field.name for field in dataclasses.fields(module)}
    entries = {
        "apply": nn.nowrap(classes.within(plan, kind.apply)),
        "init_with_output": nn.nowrap(classes.within(plan, kind.init_with_output)),
    }
    namespace = classes.methods(kind, nn.Module, plan) | entries
    new = classes.derived(kind, plan, namespace, hidden=fields)
    taken = {f.name: getattr(module, f.name) for f in dataclasses.fields(module) if f.init}
    return new(**(taken | {"parent": None}))


def trace(module: nn.Module, inputs: Sequence[Any], keywords: Mapping[str, Any]) -> None:
    """Initialises a module on shapes alone."""
    keys: dict[str, Any] = {name: jax.random.key(0) for name in ("params", "dropout")}
    jax.eval_shape(lambda *arrays: module.init(keys, *arrays, **keywords), *inputs)
