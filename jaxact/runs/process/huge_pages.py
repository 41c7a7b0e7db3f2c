"""Large memory pages for a process on Linux: a VGG-11 step on a CPU takes a quarter less time.

XLA takes its buffers from the C library anew in every step, and glibc gives large ones back to the
system when they are freed. So every step faults all its memory in again, in pages of 4 KiB. glibc
can keep the memory, and ask for pages of 2 MiB where the system offers them on request, but it
reads these settings only when a process starts. So the process starts itself once more, with the
same number and arguments, before anything slow is imported. It takes some hundredths of a second.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "GLIBC_TUNABLES"
SWITCH = "JAXACT_HUGE_PAGES"
OLDEST_GLIBC = (2, 35)
TUNABLES = {
    "glibc.malloc.hugetlb": 1,  # pages of 2 MiB, by madvise
    "glibc.malloc.mmap_max": 0,  # no mapping of its own for a large array, which its end unmaps
    "glibc.malloc.trim_threshold": 2**40,  # freed memory is kept
    "glibc.malloc.top_pad": 2**25,  # the heap grows by 32 MiB; by 256, a start takes a second more
}
OFFERED = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def glibc_version() -> tuple[int, ...]:
    """(2, 36) and the like; () for another C library."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        return tuple(int(part) for part in version.split(".")) if name == "glibc" else ()
    except (AttributeError, OSError, ValueError):
        return ()


def offered() -> bool:
    """Whether the system gives large pages at all."""
    try:
        return "[never]" not in OFFERED.read_text()
    except OSError:
        return False


def wanted(environment: Mapping[str, str]) -> str | None:
    """The value of GLIBC_TUNABLES to start again with; None if there is nothing to gain or change.

    Args:
      environment: of the process. JAXACT_HUGE_PAGES=0 switches this off, and what GLIBC_TUNABLES
        says about malloc is left as it is.
    """
    present = environment.get(VARIABLE, "")
    if environment.get(SWITCH) == "0" or "glibc.malloc." in present:
        return None
    if glibc_version() < OLDEST_GLIBC or not offered():
        return None
    settings = ":".join(f"{name}={value}" for name, value in TUNABLES.items())
    return f"{present}:{settings}" if present else settings


def restart() -> None:
    """Starts the process again with large pages, or returns if it has them or cannot.

    Call it first thing in a program, not in a library: nothing after it runs if it starts again.
    """
    if tunables := wanted(os.environ):
        try:
            os.execve(sys.executable, sys.orig_argv, {**os.environ, VARIABLE: tunables})
        except OSError:
            return  # as slow as before, and as right
