"""Decoded images in a file, one behind the other, which are read without holding the file."""

import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.data.streaming.images import BROKEN, Batch


class Rows:
    """A source (`jaxact.data.streaming.images.Source`) of the bytes of images in a file.

    Args:
      path: of the file, which stays open: it may be removed meanwhile.
      shape: `(height, width, channels)`.
      identity: as in `Source`.
    """

    is_slow = False

    def __init__(self, path: Path, shape: tuple[int, int, int], identity: str):
        self.path, self.shape, self.identity = path, shape, identity
        self._row_bytes = int(np.prod(shape))
        self._file = os.open(path, os.O_RDONLY)
        self._count = os.fstat(self._file).st_size // self._row_bytes
        weakref.finalize(self, os.close, self._file)

    def __reduce__(self) -> Any:
        return Rows, (self.path, self.shape, self.identity)

    def __len__(self) -> int:
        return self._count

    def read(self, places: Sequence[int] | np.ndarray) -> Batch:
        images = np.zeros((len(places), *self.shape), np.uint8)
        facts = np.zeros(len(places), np.uint8)
        for row, place in enumerate(places):
            content = os.pread(self._file, self._row_bytes, int(place) * self._row_bytes)
            if len(content) == self._row_bytes:
                images[row] = np.frombuffer(content, np.uint8).reshape(self.shape)
            else:
                facts[row] = BROKEN
        return Batch(images, facts)

    def complaint(self, place: int) -> str:
        return f"{self.path} has lost image {place}; remove this file, and it is made anew"
