"""Functions inside the values of attributes: tables, configurations and what they hold."""

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from flax.core import FrozenDict

from jaxact.models.replacement.functions import Known, name_in

_OTHERS = {"flax", "jax", "jaxlib", "jaxact"}  # whose dataclasses are modules or arrays

# The new value of a function: from its path, itself and its name.
Swap = Callable[[str, Any, str], Any]


def swapped(value: Any, path: str, known: Known, swap: Swap) -> Any:
    """A value with its functions swapped: itself where it holds none, else a copy.

    Lists, tuples, dicts, and dataclasses that are no modules are looked into.
    """

    def inner(one: Any, place: str) -> Any:
        return swapped(one, place, known, swap)

    if (name := name_in(known, value)) is not None:
        return swap(path, value, name)
    is_named = issubclass(kind := type(value), tuple) and hasattr(kind, "_fields")
    if kind in (list, tuple) or is_named:
        entries = [inner(one, f"{path}[{i}]") for i, one in enumerate(value)]
        if all(new is old for new, old in zip(entries, value, strict=True)):
            return value
        return kind(*entries) if is_named else kind(entries)
    if kind in (dict, FrozenDict):
        entries = {key: inner(one, f"{path}[{key!r}]") for key, one in value.items()}
        return kind(entries) if _differ(entries, value) else value
    if dataclasses.is_dataclass(value) and _is_plain(value):
        entries = {key: inner(one, f"{path}.{key}") for key, one in vars(value).items()}
        if not _differ(entries, vars(value)):
            return value
        new = copy.copy(value)
        for key, one in entries.items():
            object.__setattr__(new, key, one)  # it may be frozen
        return new
    return value


def of_class(kind: type, base: type, known: Known) -> dict[str, Any]:
    """The functions that a class holds for its instances, by attribute."""
    found = {}
    for one in kind.__mro__:
        if one not in base.__mro__:
            for name, value in vars(one).items():
                value = value.__func__ if isinstance(value, staticmethod) else value
                if name_in(known, value) is not None:
                    found.setdefault(name, value)
    return found


def _is_plain(value: Any) -> bool:
    """Whether a value is an object whose class has nothing of Flax or JAX."""
    rooms = {kind.__module__.partition(".")[0] for kind in type(value).__mro__}
    return not isinstance(value, type) and hasattr(value, "__dict__") and not rooms & _OTHERS


def _differ(new: Mapping[Any, Any], old: Mapping[Any, Any]) -> bool:
    return any(new[key] is not old[key] for key in old)
