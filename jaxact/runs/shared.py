"""Results that a process keeps: data are read and fitted once for all runs that share them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import jax
import numpy as np
import psutil

from jaxact.runs.process import devices

KEPT_SHARE = 0.25  # of the memory that is free, at most

Value = TypeVar("Value")


class Shared:
    """The results of functions, by key; what was not asked for the longest is let go first."""

    def __init__(self, budget_bytes: Callable[[], float]):
        self._budget_bytes = budget_bytes
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.RLock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` gave for this key before, or gives now; nothing is kept of one that fails."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
            value = make()
            self._kept[key] = value, size_bytes(value)
            budget, total = self._budget_bytes(), sum(size for _, size in self._kept.values())
            while total > budget and self._kept:
                total -= self._kept.popitem(last=False)[1][1]
            return value


def size_bytes(value: Any) -> int:
    """Bytes of the arrays that a dataclass, or a tree of them, holds."""
    if isinstance(value, jax.Array | np.ndarray):
        return value.nbytes
    if hasattr(value, "__dataclass_fields__"):
        value = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return sum(map(size_bytes, value.values()))
    return sum(map(size_bytes, value)) if isinstance(value, tuple | list) else 0


def free_bytes() -> float:
    """A share of the memory that is free: of the machine, and of an accelerator."""
    stats = devices.used()[0].memory_stats() or {}
    limits = [psutil.virtual_memory().available]
    if "bytes_limit" in stats:
        limits.append(stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    return KEPT_SHARE * min(limits)


DATA = Shared(free_bytes)
