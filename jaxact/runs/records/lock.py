"""One process a workdir."""

import contextlib
import fcntl
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from jaxact.errors import WorkdirError

LOCK = ".lock"


@contextlib.contextmanager
def held(workdir: Path) -> Iterator[None]:
    """Keeps other processes out of a workdir within the block.

    The system holds the lock (`flock(2)`), not the file: a process that dies lets go of it, and
    what an earlier one wrote into the file means nothing. Processes of one host see each other; of
    several, where the file system passes locks on.

    Raises:
      WorkdirError: another process holds it; its number and host are named.
      OSError: the file cannot be opened.
    """
    descriptor = os.open(workdir / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 300, 0).decode(errors="replace").strip()
            raise WorkdirError(
                f"--workdir={workdir} is in use by another process ({owner or 'just started'}); "
                "wait for its end, stop it, or choose another folder"
            ) from None
        except OSError:
            pass  # a file system without locks: the run is not refused for that
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"pid {os.getpid()} on {platform.node()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
