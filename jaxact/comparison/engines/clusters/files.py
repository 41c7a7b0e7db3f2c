"""The files of a run's folder as a value that travels between machines."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from jaxact.runs.records import lock, record_files


def read(folder: Path) -> dict[str, bytes]:
    """The files below a folder by their path in it; what a process is just writing is left out.

    Empty where there is no folder.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in place.parts[:-1])
        if path.is_file() and not is_hidden and path.name != lock.LOCK:
            found[place.as_posix()] = path.read_bytes()
    return found


def replace(folder: Path, content: Mapping[str, bytes]) -> None:
    """Has a folder hold these files and no others; killed meanwhile, it leaves the old or the new.

    Raises:
      OSError: it cannot be written.
    """
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)  # of one that was killed
    for name, text in content.items():
        path = new / PurePosixPath(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    new.mkdir(parents=True, exist_ok=True)
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(new, folder)
    shutil.rmtree(old, ignore_errors=True)


def newest_step(run: Path | Mapping[str, bytes]) -> int:
    """The step of the newest checkpoint of a run, by its folder or its files; -1 without one."""
    if isinstance(run, Path):
        names = [path.name for path in (run / record_files.CHECKPOINTS).glob("[0-9]*")]
    else:
        parts = (PurePosixPath(name).parts for name in run)
        names = [p[1] for p in parts if len(p) > 2 and p[0] == record_files.CHECKPOINTS]
    return max((int(name) for name in names if name.isdecimal()), default=-1)
