"""Images that are read when they are asked for, in the place of an array that holds them all."""

import concurrent.futures
import functools
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, overload

import numpy as np

from jaxact.errors import DataError

BROKEN = 128  # in `Batch.facts`; the other bits are the source's
_PIECE_IMAGES = 16  # that a thread reads at a time
_CHUNK_VALUES = 2**22


class Batch(NamedTuple):
    """Images as they come from a source.

    Attributes:
      images: uint8 `[batch, height, width, channels]`; zeros where one is broken.
      facts: uint8 `[batch]`, bits that say what was done to an image.
    """

    images: np.ndarray
    facts: np.ndarray


class Source(Protocol):
    """Images on disk, by their places.

    Attributes:
      shape: `(height, width, channels)` of each.
      identity: hexadecimal digits, others where an image may be another.
      is_slow: whether reading is work for several processes.
    """

    shape: tuple[int, int, int]
    identity: str
    is_slow: bool

    def __len__(self) -> int: ...

    def read(self, places: Sequence[int] | np.ndarray) -> Batch:
        """The images at places, in their order; in any thread or process."""
        ...

    def complaint(self, place: int) -> str:
        """The fault of a broken image, in a line."""
        ...


class StreamedImages:
    """Images of a source, uint8 `[examples, height, width, channels]`, as NumPy's array of them.

    A number or a slice reads; an array of places, or a mask, chooses without reading. What takes
    a split's images chunk by chunk need not know that they are not in memory.

    Args:
      source: of the images.
      places: in it, integers `[examples]`; None: all, in their order.
      size: smallest height and width.
      enlarge: makes arrays of smaller images so large; there must be one for them.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self,
        source: Source,
        places: np.ndarray | None = None,
        size: int = 1,
        enlarge: Callable[[np.ndarray, int], np.ndarray] | None = None,
    ):
        self.source = source
        self.places = np.arange(len(source)) if places is None else np.asarray(places)
        self._size, self._enlarge = size, enlarge

    @property
    def shape(self) -> tuple[int, int, int, int]:
        height, width, channels = self.source.shape
        return len(self), max(height, self._size), max(width, self._size), channels

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        return self.size

    @property
    def identity(self) -> str:
        """Hexadecimal digits, the same for the same images in the same order."""
        digest = hashlib.sha256(repr((self.source.identity, self.shape)).encode())
        digest.update(np.ascontiguousarray(self.places, np.int64).data)
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int | slice) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: np.ndarray) -> "StreamedImages": ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, np.ndarray):
            return StreamedImages(self.source, self.places[index], self._size, self._enlarge)
        if isinstance(index, slice):
            return self.finished(read(self.source, self.places[index]), self.places[index])
        return self[index : index + 1 or None][0]

    def __iter__(self) -> Iterator[np.ndarray]:
        raise TypeError("images that are streamed are read by slices")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        del copy  # they are always new
        return np.asarray(self[:], dtype)

    def finished(self, batch: Batch, places: np.ndarray) -> np.ndarray:
        """The images of a batch as they are here: none broken, and enlarged if need be.

        Raises:
          DataError: one is broken.
        """
        if (batch.facts & BROKEN).any():
            place = int(places[np.flatnonzero(batch.facts & BROKEN)[0]])
            raise DataError(f"an image is no longer what it was: {self.source.complaint(place)}")
        if self._enlarge is None or self.shape[1:] == batch.images.shape[1:]:
            return batch.images
        return self._enlarge(batch.images, self._size)

    def enlarged(
        self, size: int, enlarge: Callable[[np.ndarray, int], np.ndarray]
    ) -> "StreamedImages":
        """The same images, at least so large."""
        return StreamedImages(self.source, self.places, size, enlarge)


Images = np.ndarray | StreamedImages


def part_of(images: Images, begin: int, end: int) -> Images:
    """The images from one place to before another; nothing is read."""
    if isinstance(images, StreamedImages):
        return images[np.arange(begin, end)]
    return images[begin:end]


def read(source: Source, places: np.ndarray) -> Batch:
    """Images by several threads at once: decoders and disks let go of the interpreter."""
    if not source.is_slow or len(places) <= _PIECE_IMAGES:
        return source.read(places)
    pieces = np.array_split(places, -(-len(places) // _PIECE_IMAGES))
    batches = list(_pool().map(source.read, pieces))
    return Batch(*map(np.concatenate, zip(*batches, strict=True)))


@functools.cache
def _pool() -> concurrent.futures.ThreadPoolExecutor:
    return concurrent.futures.ThreadPoolExecutor(usable_cores(), "read")


def usable_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def identity_of(images: Images) -> str:
    """Hexadecimal digits that stand for images and their order."""
    if isinstance(images, StreamedImages):
        return images.identity
    digest = hashlib.sha256(repr((images.shape, images.dtype.str)).encode())
    digest.update(np.ascontiguousarray(images).data)
    return digest.hexdigest()


def chunks(images: Images) -> Iterator[np.ndarray]:
    """All images in their order, some megabytes at a time."""
    count = max(1, _CHUNK_VALUES // int(np.prod(images.shape[1:])))
    for start in range(0, len(images), count):
        yield images[start : start + count]
