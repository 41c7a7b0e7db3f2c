"""The user's own images: a path in the place of a data set's name.

An `.npz` file (`arrays`) or a folder of class folders (`folders`). Neither is believed:
what is wrong with it ends in a DataError of one line, and nothing in it is executed.
"""

import contextlib
import hashlib
import math
import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from jaxact.data.dataset import Dataset
from jaxact.data.formats.limits import quoted
from jaxact.data.own import arrays
from jaxact.data.own.splits import as_dataset
from jaxact.errors import DataError, did_you_mean
from jaxact.packages import needed_for

OWN = "the path of an .npz file or of a folder of class folders (./NAME)"
_TITLE_CHARACTERS = 60


def is_path(name: str) -> bool:
    """Whether a text is meant as a path: it has a separator, ends in .npz, or is there."""
    separators = tuple(filter(None, (os.sep, os.altsep)))
    if not name.strip() or "\0" in name:
        return False
    return (
        any(separator in name for separator in separators)
        or name.lower().endswith(".npz")
        or os.path.exists(name)
    )


def title(name: str) -> str:
    """A data set's name, or the last part of its path, safe as a folder's name and in titles.

    `mnist` -> `mnist`, `../data/my images.npz` -> `my_images`.
    """
    return _title(name, 1)


def titles(names: Iterable[str]) -> dict[str, str]:
    """The `title` of each data set; those that would have one get the folders before it, too.

    `a/data.npz` and `b/data.npz` -> `a_data` and `b_data`.
    """
    parts = dict.fromkeys(names, 1)
    while True:
        result = {name: _title(name, count) for name, count in parts.items()}
        paths = defaultdict(list)
        for name, text in result.items():
            paths[text].append(os.path.realpath(name) if is_path(name) else name)
        longer = [
            name
            for name, text in result.items()
            if len(set(paths[text])) > 1 and _title(name, parts[name] + 1) != text
        ]
        if not longer:  # what is left are spellings of one path
            twins = [name for name, text in result.items() if len(paths[text]) > 1]
            return result | {name: f"{result[name]}_{place}" for place, name in enumerate(twins, 1)}
        parts |= {name: parts[name] + 1 for name in longer}


def _title(name: str, parts: int) -> str:
    """A name, or so many of its path's last parts, safe as a folder's name."""
    if not is_path(name):
        return name
    path = Path(os.path.abspath(os.path.expanduser(name)))
    last = "_".join(path.relative_to(path.anchor).parts[-parts:])
    stem = re.sub(r"\.npz$", "", last, flags=re.IGNORECASE)
    return re.sub(r"[^\w.-]+", "_", stem)[-_TITLE_CHARACTERS:].strip("._") or "own"


def load(
    name: str,
    known: Iterable[str],
    image_size: int | None = None,
    channels_last: bool | None = None,
    follow_links: bool = False,
    resident_bytes: float = math.inf,
) -> Dataset:
    """The user's own images.

    Args:
      name: their path; kept as it is in the data set's `name`.
      known: names of data sets, for a suggestion where there is no such path.
      image_size: height and width that a folder's images are fitted to as they are read.
      channels_last: where an `.npz` file's images have their channels; see `arrays.as_bytes`.
      follow_links: whether a link may lead out of a folder of images.
      resident_bytes: of a folder's images that are held in memory; more are streamed.

    Raises:
      DataError: there is nothing, or nothing that can be trained on; in one line.
    """
    path = Path(os.path.expanduser(name))
    try:
        if path.is_dir():
            with needed_for("a folder of images", DataError):
                from jaxact.data.own import folders  # imports Pillow, which nothing else needs

            return as_dataset(name, folders.read(path, image_size, follow_links, resident_bytes))
        if path.is_file():
            return as_dataset(name, arrays.read(path, image_size, channels_last))
        is_there = path.exists()
    except OSError as error:
        raise DataError(f"cannot read {quoted(name)}: {error.strerror}") from error
    if is_there:
        raise DataError(f"{quoted(name)} is neither a file nor a folder")
    raise DataError(f"{quoted(name)} is not there{_suggestion(path, known)}")


def stamp(name: str) -> int:
    """A number that changes when a file of the user's own data does; 0 for a data set's name."""
    if not is_path(name):
        return 0
    root = os.path.expanduser(name)
    digest, folders, seen = hashlib.sha256(), [root], set()
    while folders:
        folder = folders.pop()
        with contextlib.suppress(OSError):  # what cannot be read is told where it is read
            about = os.stat(folder)
            # A copy may bring its time of change along, but not that of its inode.
            times = about.st_mtime_ns, about.st_ctime_ns
            known = folder, about.st_size, *times, about.st_ino
            digest.update(repr(known).encode(errors="surrogateescape"))
            if stat.S_ISDIR(about.st_mode) and (about.st_dev, about.st_ino) not in seen:
                seen.add((about.st_dev, about.st_ino))
                folders += [os.path.join(folder, entry) for entry in os.listdir(folder)]
    return int.from_bytes(digest.digest()[:8])


def _suggestion(path: Path, known: Iterable[str]) -> str:
    """Names like it: of the files beside where it should be, and of data sets."""
    try:
        beside = [quoted(path.with_name(entry)) for entry in os.listdir(path.parent)]
    except (OSError, ValueError):
        beside = []
    near = did_you_mean(path.stem, {path.stem} & set(known))
    near = near or did_you_mean(str(path), beside) or did_you_mean(path.stem, known)
    return near or f"; give one of {', '.join(known)}, or {OWN}"
