"""Checksums of a folder's files: SHA-256, as `sha256sum -c` reads them."""

import hashlib
import os
from pathlib import Path

from jaxact.runs.records import record_files

SUMS = "SHA256SUMS"


def seal(folder: Path) -> None:
    """Writes the sums of a folder's files into it; call it last.

    Raises:
      OSError: a file cannot be read, or the sums cannot be written.
    """
    lines = [f"{digest(folder / name)}  {name}\n" for name in files_of(folder)]
    record_files.write_text(folder / SUMS, "".join(lines))


def damage(folder: Path) -> str | None:
    """The damage to a sealed folder, in a few words; None if it is as it was sealed."""
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return "it is empty" if not any(folder.iterdir()) else f"it has no {SUMS}"
    except (OSError, UnicodeError):
        return f"its {SUMS} cannot be read"
    rows = (line.partition("  ") for line in text[:-1].split("\n"))
    sums = {name: expected for expected, _, name in rows}
    if not text.endswith("\n") or set(files_of(folder)) - sums.keys():
        return f"its {SUMS} is not whole"
    for name, expected in sums.items():
        try:
            found = digest(folder / name)
        except FileNotFoundError:
            return f"{name} is missing"
        except (OSError, ValueError):
            return f"{name!r} cannot be read"
        if found != expected:
            return f"{name} differs from its checksum"
    return None


def files_of(folder: Path) -> list[str]:
    """The files of a folder but its sums, as paths in it."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in paths)
    return sorted(name for name in names if name != SUMS)


def digest(path: Path) -> str:
    """The SHA-256 sum of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Has the names in a folder on disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
