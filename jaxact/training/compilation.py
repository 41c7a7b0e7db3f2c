"""The persistent compilation cache: a program compiled once starts at once the next time."""

import collections
import os
from pathlib import Path

import jax

DEFAULT_FOLDER = "~/.cache/jaxact/compiled"
_PREFIX = "/jax/compilation_cache/"
_events: collections.Counter[str] = collections.Counter()


def default_folder() -> str:
    """`$JAX_COMPILATION_CACHE_DIR`, else `~/.cache/jaxact/compiled`."""
    return os.environ.get("JAX_COMPILATION_CACHE_DIR") or DEFAULT_FOLDER


def keep_compiled(folder: str) -> None:
    """Keeps what this process compiles in a folder, and takes from there what an earlier one did.

    Args:
      folder: made when it is needed; "" turns the cache off.
    """
    jax.config.update(
        "jax_compilation_cache_dir", str(Path(folder).expanduser()) if folder else None
    )
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def _count(event: str, **details: object) -> None:
    del details
    if event.startswith(_PREFIX):
        _events[event.removeprefix(_PREFIX)] += 1


jax.monitoring.register_event_listener(_count)


class CacheUse:
    """Whether what was compiled since this was made came from the persistent cache."""

    def __init__(self) -> None:
        self._before = _events.copy()

    def __str__(self) -> str:
        """ "off"; "warm": all of it from the cache; "cold": at least some of it compiled."""
        if not jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue]
            return "off"
        since = _events - self._before
        return "cold" if since["cache_misses"] or not since["cache_hits"] else "warm"
