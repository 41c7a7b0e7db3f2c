"""Classes whose methods run while a replacement is under way, and are else those of a module."""

import functools
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from jaxact.models.replacement.functions import name_in
from jaxact.models.replacement.plan import Plan


def methods(
    kind: type, base: type, plan: Plan, is_whole: bool = True
) -> dict[str, Callable[..., Any]]:
    """The public methods of a class, its base's left out, each a block of the replacement.

    Args:
      is_whole: whether it is the class of the whole network.
    """
    found: dict[str, Callable[..., Any]] = {}
    for one in kind.__mro__:
        if one in base.__mro__:
            continue
        for name, value in vars(one).items():
            is_public = name == "__call__" or not name.startswith("_")
            if isinstance(value, FunctionType) and is_public and name_in(plan.known, value) is None:
                found.setdefault(name, value)
    found.pop("setup", None)  # within the others
    return {
        name: within(plan, method, is_whole and name == "__call__")
        for name, method in found.items()
    }


def within(
    plan: Plan, method: Callable[..., Any], is_whole: bool | None = None
) -> Callable[..., Any]:
    """A method as a block of the replacement.

    Args:
      is_whole: whether it runs the whole network; None: where it is given no `method`.
    """

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        whole = kwargs.get("method") is None if is_whole is None else is_whole
        with plan.running(whole):
            return method(self, *args, **kwargs)

    return wrapped


def derived(kind: type, plan: Plan, namespace: dict[str, Any], hidden: Iterable[str] = ()) -> type:
    """A class of the same name as its base, with `replaced` and `left_alone`."""
    names = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "replaced": property(lambda self: plan.replaced),
        "left_alone": property(lambda self: plan.left_alone),
    }
    kept = {name: value for name, value in namespace.items() if name not in hidden}
    return type(kind)(kind.__name__, (kind,), names | kept)
