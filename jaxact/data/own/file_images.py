"""Image files as a source of images of one size, decoded as they are asked for."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxact.data.formats.limits import quoted
from jaxact.data.own import pictures
from jaxact.data.own.files import Files
from jaxact.data.own.pictures import FACTS, Unusable
from jaxact.data.streaming.images import BROKEN, Batch

BITS = {fact: 1 << number for number, fact in enumerate(FACTS)}  # in `Batch.facts`
_VERSION = 1  # of how images are decoded: what was kept of another is not used


class FileImages:
    """A source (`jaxact.data.streaming.images.Source`) of image files.

    Args:
      files: have a `pictures.header` each.
      shape: `(height, width, channels)` of the images as they are given.
      is_fitted: whether images are `pictures.fitted` to that height and width; else all have it.
      identity: as in `Source`.
    """

    is_slow = True

    def __init__(self, files: Files, shape: tuple[int, int, int], is_fitted: bool, identity: str):
        self._files, self.shape, self.identity = files, shape, identity
        self._size = (shape[1], shape[0]) if is_fitted else None

    def __len__(self) -> int:
        return len(self._files)

    def read(self, places: Sequence[int] | np.ndarray) -> Batch:
        images = np.zeros((len(places), *self.shape), np.uint8)
        facts = np.zeros(len(places), np.uint8)
        for row, place in enumerate(places):
            try:
                picture = self._picture(int(place))
            except Unusable:
                facts[row] = BROKEN
                continue
            images[row] = picture.pixels
            facts[row] = sum(BITS[fact] for fact in picture.facts)
        return Batch(images, facts)

    def error(self, place: int) -> Unusable | None:
        """The fault of an image, in a line; None if it can be read."""
        try:
            self._picture(place)
        except Unusable as error:
            return error
        return None

    def complaint(self, place: int) -> str:
        error = self.error(place)
        return str(error or f"{quoted(self._files[place])} could not be read for a while")

    def _picture(self, place: int) -> pictures.Picture:
        path = self._files[place]
        picture = pictures.decode(path, self.shape[2], self._size)
        height, width, _ = self.shape
        if picture.pixels.shape != self.shape:  # of an orientation that stands behind the pixels
            raise Unusable(
                path,
                f"is {picture.pixels.shape[1]} x {picture.pixels.shape[0]} pixels once it is "
                f"turned as its EXIF orientation says, not {width} x {height}",
                "save it upright",
            )
        return picture


def identity(root: Path, files: Files, image_size: int | None) -> str:
    """Hexadecimal digits that change when a file does, or how it is decoded.

    Returns:
      "" where a file is not there.
    """
    digest = hashlib.sha256(repr((_VERSION, image_size)).encode())
    begin = len(os.fspath(root))
    try:
        for path in files:
            about = os.stat(path)
            # A copy may bring its time of change along, but not that of its inode.
            times = about.st_mtime_ns, about.st_ctime_ns
            known = os.fspath(path)[begin:], about.st_size, *times, about.st_ino
            digest.update(repr(known).encode(errors="surrogateescape"))
    except OSError:
        return ""
    return digest.hexdigest()
