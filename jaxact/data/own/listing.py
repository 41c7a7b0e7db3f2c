"""Files and folders of the user's folder of images: in order, and no further than is allowed."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from jaxact.data.formats.limits import quoted
from jaxact.errors import DataError

# What systems leave in folders, in lower case: archives of macOS, network drives, Windows, Linux.
_LEFT_BY_SYSTEMS = {
    *("__macosx", "@eadir", "@__thumb", "@recycle", "@recently-snapshot", "#recycle", "#snapshot"),
    *("$recycle.bin", "recycler", "system volume information", "lost+found", "__pycache__"),
}
_SHOWN = 5


class Listing(NamedTuple):
    """The entries of a folder that are not hidden.

    Attributes:
      folders: in natural order of name.
      files: names, sorted; of links to nothing, too.
      left: names of folders that systems leave, such as `__MACOSX`.
    """

    folders: list[Path]
    files: list[str]
    left: list[str]


class Lister:
    """Lists folders at and below a root.

    Args:
      root: an existing folder.
      follow_links: whether a link may lead out of it.
    """

    def __init__(self, root: Path, follow_links: bool = False):
        self.root = root
        self._inside = None if follow_links else Path(os.path.realpath(root))

    def __call__(self, folder: Path) -> Listing:
        """Raises DataError where a folder cannot be read, or holds what is no image data."""
        try:
            return self._list(folder)
        except OSError as error:
            raise DataError(f"cannot read {quoted(folder)}: {error.strerror}") from error

    def _list(self, folder: Path) -> Listing:
        # What the system tells of an entry as it lists it saves a question a file.
        folders, files, left, leading_out, odd = [], [], [], [], []
        with os.scandir(folder) as entries:
            for entry in entries:
                name, is_link = entry.name, entry.is_symlink()
                if name.startswith("."):
                    continue
                if is_link and self._inside and not self._is_inside(folder / name):
                    leading_out.append(name)
                elif entry.is_dir():
                    (left if name.lower() in _LEFT_BY_SYSTEMS else folders).append(name)
                else:
                    (files if entry.is_file() or is_link else odd).append(name)
        if leading_out:
            raise DataError(
                f"{quoted(folder / min(leading_out))} is a link that leads out of "
                f"{quoted(self.root)}; copy what it names, or allow such links with "
                "--config.follow_links=True"
            )
        if odd:
            raise DataError(
                f"{quoted(folder / min(odd))} is neither a file nor a folder; remove it"
            )
        return Listing(
            [folder / name for name in sorted(folders, key=natural)], sorted(files), sorted(left)
        )

    def _is_inside(self, path: Path) -> bool:
        assert self._inside is not None
        return Path(os.path.realpath(path)).is_relative_to(self._inside)

    def few(self, paths: Iterable[Path], most: int = _SHOWN) -> str:
        """The first of some paths, as seen from the root, and how many more there are."""
        paths = list(paths)
        shown = ", ".join(quoted(path.relative_to(self.root)) for path in paths[:most])
        more = len(paths) - most
        return shown + (f" and {more} more" if more > 0 else "")


def natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts numbers within names as numbers: 1, 2, 10."""
    parts = re.split(r"(\d+)", name)  # every second one is a number
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name
