"""Processors of a machine that other engines place runs on: claimed, so that no two have one."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from jaxact.runs.process import cores
from jaxact.runs.records import lock


@contextlib.contextmanager
def claimed(size: int) -> Iterator[list[int]]:
    """A block with processors that no other process has claimed; [] where too few are left.

    For processes that are placed by others, which count processors and do not name them. A process
    that dies lets go of its own.
    """
    folder = Path(f"/tmp/jaxact-cores-{os.getuid()}")  # the machine's, whatever TMPDIR says
    folder.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        for siblings in cores.physical_cores(cores.usable()):
            for core in siblings:
                if len(found) < size and stack.enter_context(lock.tried(folder / f"core{core}")):
                    found.append(core)
        yield sorted(found) if len(found) == size else []
