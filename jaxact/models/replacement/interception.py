"""The swap of functions that Linen modules hold, in each when it is called."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flax import linen as nn

from jaxact.models.replacement import frames, under_way, values
from jaxact.models.replacement.under_way import Place

if TYPE_CHECKING:
    from jaxact.models.replacement.plan import Plan


def interceptor(plan: "Plan") -> Callable[..., Any]:
    """Flax's hook around every method of every Linen module that the replaced one calls."""

    def intercept(
        method: Callable[..., Any], args: Any, kwargs: Any, context: nn.module.InterceptorContext
    ) -> Any:
        if not under_way.is_under_way():
            return method(*args, **kwargs)
        module = context.module
        path = ".".join(module.path)
        if isinstance(module, nn.PReLU) and context.method_name == "__call__":
            return Place(path or "PReLU", method, "prelu")(*args, **kwargs)
        _swap(module, path, plan)
        with frames.entered(module, context.method_name):
            return method(*args, **kwargs)

    return intercept


def _swap(module: nn.Module, path: str, plan: "Plan") -> None:
    """Swaps the functions that a module holds, which is a copy that Flax made for this call."""
    held = values.of_class(type(module), nn.Module, plan.known) | vars(module)
    for name, value in held.items():
        if name in ("parent", "scope", "name") or name.startswith("_"):
            continue
        place = f"{path}.{name}" if path else name
        new = values.swapped(value, place, plan.known, plan.place)
        if new is not value:
            object.__setattr__(module, name, new)
