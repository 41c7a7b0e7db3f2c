"""Compilation: XLA's options, and the persistent cache, by which a second start is quick."""

import collections
import contextlib
import functools
import os
import time
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache

from jaxact import paths

DEFAULT_FOLDER = "~/.cache/jaxact/compiled"
PROGRAMS, CHECKED = "*-cache", "checked"  # files of JAX, and when this module last looked at them
_PREFIX = "/jax/compilation_cache/"

# For what runs once: a third of the compilation for the same draws, bit for bit.
RUNS_ONCE: dict[str, Any] = {"xla_backend_optimization_level": 1}
# For batches on a CPU. XLA gives matrix products and sums to the library YNNPACK, which multiplies
# batches of small matrices on one thread, and sums small windows slowly: convolutions alone are
# left to it. It is the faster one for BatchNorm's sums over whole batches, and for single images.
WITHOUT_YNNPACK: dict[str, Any] = {
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_CONVOLUTION"
}
_events: collections.Counter[str] = collections.Counter()


@functools.cache
def without_ynnpack() -> dict[str, Any] | None:
    """`WITHOUT_YNNPACK`, where programs run on a CPU and XLA knows the option; else None."""
    if jax.default_backend() != "cpu":
        return None
    try:  # there is no list of XLA's options to look in; it refuses what it does not know
        jax.jit(lambda: 0, compiler_options=WITHOUT_YNNPACK).lower().compile()
    except jax.errors.JaxRuntimeError:
        return None
    return WITHOUT_YNNPACK


def runs_once() -> dict[str, Any] | None:
    """`RUNS_ONCE`; None where JAX is told to leave out most optimizations of everything."""
    return None if jax.config.read("jax_disable_most_optimizations") else RUNS_ONCE


def default_folder() -> str:
    """`$JAX_COMPILATION_CACHE_DIR`, else `~/.cache/jaxact/compiled`."""
    return os.environ.get("JAX_COMPILATION_CACHE_DIR") or DEFAULT_FOLDER


def keep_compiled(folder: str) -> None:
    """Keeps what this process compiles in a folder, and takes from there what an earlier one did.

    Args:
      folder: made when it is needed; "" turns the cache off.

    Raises:
      ConfigError: it is no local path.
    """
    if folder:
        folder = paths.local(folder, "--compilation_cache")
        remove_torn(Path(folder))
    # A disk that is full, a limit of a file's size, or a program that another is just writing: it
    # is compiled here, or the next time.
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
    jax.config.update("jax_compilation_cache_dir", folder or None)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


@contextlib.contextmanager
def kept(folder: str) -> Iterator[None]:
    """A block of a user's program in which `keep_compiled` holds.

    Where the program has a persistent cache already, or has turned JAX's off, all stays as it is.
    """
    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    is_on = jax.config.jax_enable_compilation_cache  # pyright: ignore[reportAttributeAccessIssue]
    if before[names[0]] or not is_on:
        yield
        return
    keep_compiled(folder)
    compilation_cache.reset_cache()  # which stays in the first folder that it was used in
    try:
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()


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
    """The use of the persistent cache since this was made."""

    def __init__(self) -> None:
        self._before = _events.copy()

    def __str__(self) -> str:
        """ "off"; "warm": all of it from the cache; "cold": at least some of it compiled."""
        if not jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue]
            return "off"
        since = _events - self._before
        return "cold" if since["cache_misses"] or not since["cache_hits"] else "warm"
