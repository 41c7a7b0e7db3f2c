"""The replacements under way in a thread, and what stands where functions stood meanwhile."""

import contextlib
import functools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import jax

if TYPE_CHECKING:
    from jaxact.models.replacement.plan import Plan

Counts = Counter[tuple[str, str]]  # of calls, by path and name of the function


class _Thread(threading.local):
    """The replacements under way, the outermost first, each with the calls that it saw."""

    plans: "tuple[tuple[Plan, Counts], ...]" = ()


_THREAD = _Thread()
# A part of the key of JAX's caches: a jitted function that the module calls is traced anew.
_CACHE_KEY = jax.make_user_context(())


class Place:
    """A function in the place of another, which it is unless a replacement is under way.

    Attributes:
      path: see `jaxact.models.replacement.plan.Replacement`.
      function, name: what stood there.
      plan: the replacement in any case; None: the innermost under way that replaces it.
    """

    def __init__(
        self, path: str, function: Callable[..., Any], name: str, plan: "Plan | None" = None
    ) -> None:
        functools.update_wrapper(self, function, updated=())
        self.path, self.function, self.name, self.plan = path, function, name, plan

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        plan = self.plan
        if plan is None:
            plans = (plan for plan, _ in reversed(_THREAD.plans) if self.name in plan.names)
            plan = next(plans, None)
        count(self.path, self.name, plan)
        return self.function(*args, **kwargs) if plan is None else plan.call(self, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "function":
            raise AttributeError(name)
        return getattr(self.function, name)

    def __repr__(self) -> str:
        return f"{self.name} at {self.path}"

    def __copy__(self) -> "Place":
        return self

    def __deepcopy__(self, memo: Any) -> "Place":
        return self


def count(path: str, name: str, plan: "Plan | None") -> None:
    """Counts a call at a place for the replacement that puts its function there; None: for all."""
    for other, counts in _THREAD.plans:
        if plan in (None, other):
            counts[path, name] += 1


def is_under_way(plan: "Plan | None" = None) -> bool:
    """Whether a replacement is under way in this thread; None: any."""
    return any(plan in (None, other) for other, _ in _THREAD.plans)


@contextlib.contextmanager
def entered(plan: "Plan") -> Iterator[Counts]:
    """A block in which a replacement is under way, and the calls that it sees."""
    counts: Counts = Counter()
    with _set((*_THREAD.plans, (plan, counts))):
        yield counts


def paused() -> contextlib.AbstractContextManager[None]:
    """A block in which nothing is replaced: an activation may be made of what it replaces."""
    return _set(())


@contextlib.contextmanager
def _set(plans: "tuple[tuple[Plan, Counts], ...]") -> Iterator[None]:
    before = _THREAD.plans
    with _CACHE_KEY(tuple(plan for plan, _ in plans)):
        _THREAD.plans = plans
        try:
            yield
        finally:
            _THREAD.plans = before
