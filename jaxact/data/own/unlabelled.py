"""Images without labels, to predict on: files, folders and patterns."""

import glob
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from jaxact.data.formats.limits import quoted
from jaxact.data.own import pictures
from jaxact.data.own.decoding import refuse
from jaxact.data.own.listing import natural
from jaxact.data.own.pictures import KINDS, SUFFIXES, Unusable
from jaxact.errors import DataError

_NAMED = 3  # of the images that something was done to


def find(names: Iterable[str]) -> list[Path]:
    """The image files that words on a command line name, each once.

    Args:
      names: files, whatever they are called; folders, whose images are taken at any depth, in
        natural order of name; patterns with `*`, `?` or `[...]` (`**`: any folders).

    Raises:
      DataError: one is not there, or names no image.
    """
    return list(dict.fromkeys(path for name in names for path in _named(name)))


def _named(name: str) -> list[Path]:
    path = Path(os.path.expanduser(name))
    if path.is_dir():
        return _inside(path)
    if path.exists():
        return [path]
    matches = [Path(match) for match in glob.glob(str(path), recursive=True)]
    matches.sort(key=lambda path: natural(str(path)))
    images = [path for path in matches if path.is_file() and path.suffix.lower() in SUFFIXES]
    if not matches:
        kind = "matches no file" if glob.has_magic(name) else "is not there"
        raise DataError(f"{quoted(name)} {kind}; give image files, or folders of them")
    if not images:
        raise DataError(f"{quoted(name)} matches no {KINDS} image; give image files, or folders")
    return images


def _inside(folder: Path) -> list[Path]:
    def fail(error: OSError) -> None:
        raise DataError(f"cannot read {quoted(error.filename)}: {error.strerror}") from error

    images = []
    for parent, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
        for name in sorted(files, key=natural):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                images.append(Path(parent, name))
    if not images:
        raise DataError(f"{quoted(folder)} holds no {KINDS} image; give image files, or folders")
    return images


class Reader:
    """Reads image files as a network takes them, a batch at a time.

    Colours become grey where the network was trained on grey images; all else is as in
    `pictures.decode`. Each image is fitted to the shape, as are those of a folder to train on.

    Args:
      image_shape: `(height, width, channels)` of the network.

    Raises:
      DataError: no picture has so many channels.
    """

    def __init__(self, image_shape: tuple[int, int, int]):
        self._height, self._width, self._channels = image_shape
        if self._channels not in (1, 3):
            raise DataError(
                f"the network takes images of {self._channels} channels, which no file of a "
                "picture has: call it with arrays, from Python (jaxact.load)"
            )
        self._facts: dict[str, list[Path]] = defaultdict(list)

    def batches(self, paths: Sequence[Path], batch: int) -> Iterator[np.ndarray]:
        """Images, uint8 `[at most batch, height, width, channels]`, in the order of `paths`.

        Raises:
          DataError: some are broken, all of which are counted; behind the last batch.
        """
        broken: list[Unusable] = []
        with pictures.strict_pillow():
            for start in range(0, len(paths), batch):
                images = [self._image(path, broken) for path in paths[start : start + batch]]
                if not broken:
                    yield np.stack(images)
        refuse(broken, len(paths))

    def notes(self) -> list[str]:
        """The changes of images that a user may not expect, a line each."""
        return [
            f"images {fact}: {len(those)} ({', '.join(map(quoted, those[:_NAMED]))}"
            + (f" and {len(those) - _NAMED} more)" if len(those) > _NAMED else ")")
            for fact in pictures.FACTS
            if (those := self._facts[fact])
        ]

    def _image(self, path: Path, broken: list[Unusable]) -> np.ndarray:
        try:
            pictures.header(path)  # refuses what Pillow would misread
            picture = pictures.decode(path, self._channels, (self._width, self._height))
        except Unusable as error:
            broken.append(error)
            return np.empty(0)
        for fact in picture.facts:
            self._facts[fact].append(path)
        return picture.pixels
