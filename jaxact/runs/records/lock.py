"""One process a workdir."""

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from jaxact.errors import WorkdirError

try:
    import fcntl
except ModuleNotFoundError:  # no POSIX system
    fcntl = None

LOCK = ".lock"


def check_system() -> None:
    """Refuses a system without the calls that keep a workdir whole.

    Raises:
      WorkdirError: it has none of them.
    """
    if fcntl is None:
        raise WorkdirError(
            f"runs are made on Linux and macOS, and {platform.system()} lacks what keeps their "
            "folders whole: on Windows give the command within WSL"
        )


@contextlib.contextmanager
def held(workdir: Path) -> Iterator[None]:
    """Keeps other processes out of a workdir within the block.

    The system holds the lock (`flock(2)`), not the file: a process that dies lets go of it, and
    what an earlier one wrote into the file means nothing. Processes of one host see each other; of
    several, where the file system passes locks on.

    Raises:
      WorkdirError: another process holds it, whose number and host are named; or as
        `check_system`.
      OSError: the file cannot be opened.
    """
    check_system()
    assert fcntl is not None
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


@contextlib.contextmanager
def tried(path: Path) -> Iterator[bool]:
    """Holds the lock of a file within the block, if no other process does; gives whether it does.

    Raises:
      OSError: the file cannot be opened.
    """
    check_system()
    assert fcntl is not None
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
