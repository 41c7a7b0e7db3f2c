"""The persistent compilation cache: a program compiled once starts at once the next time."""

import collections
import contextlib
import os
import time
import zlib
from pathlib import Path

import jax

DEFAULT_FOLDER = "~/.cache/jaxact/compiled"
PROGRAMS, CHECKED = "*-cache", "checked"  # files of JAX, and when this module last looked at them
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
    if folder:
        folder = str(Path(folder).expanduser())
        remove_torn(Path(folder))
    jax.config.update("jax_compilation_cache_dir", folder or None)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def remove_torn(folder: Path) -> None:
    """Removes programs that a killed process or a full disk left half written.

    JAX would warn of them at every start, and never write them again.
    """
    stamp, now = folder / CHECKED, time.time_ns()
    with contextlib.suppress(OSError):  # no folder yet, or not ours to write in: JAX says so
        since = stamp.stat().st_mtime_ns if stamp.exists() else 0
        for path in folder.glob(PROGRAMS):
            if path.stat().st_mtime_ns >= since and not _is_whole(path.read_bytes()):
                path.unlink(missing_ok=True)
        if folder.exists():
            stamp.touch()
            os.utime(stamp, ns=(now, now))


def _is_whole(packed: bytes) -> bool:
    """Whether what zlib packed is there to its end; of other formats, whether there is anything."""
    if packed[:1] != b"\x78":
        return bool(packed)
    stream = zlib.decompressobj()
    with contextlib.suppress(zlib.error):
        stream.decompress(packed)
    return stream.eof


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
