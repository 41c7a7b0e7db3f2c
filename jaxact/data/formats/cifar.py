"""The files of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html): to arrays.

The pickled batches are read by an unpickler that knows no class and calls no function;
archives are read in memory, member by member, so that no name in them reaches the file system.
"""

import dataclasses
import io
import pickle
import tarfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from jaxact.data.dataset import Split
from jaxact.data.formats.limits import reason

IMAGE_SHAPE = (32, 32, 3)
_IMAGE_BYTES = 3 * 32 * 32
_CACHED_IMAGES = 100  # that a processor's cache holds, for a copy in three passes


@dataclasses.dataclass(frozen=True)
class Form:
    """The published form of one of the two data sets, and its readers.

    Attributes:
      python_folder, python_archive: of the pickled batches.
      binary_folder, binary_archive: of the batches as records.
      batches: of training images; then the one of test images.
      labels: the key of a pickled batch's labels.
      label_bytes: before the pixels of a record; the last one is its label.
      most_batch_bytes: above what the largest published batch has.
    """

    python_folder: str
    python_archive: str
    binary_folder: str
    binary_archive: str
    batches: tuple[str, ...]
    labels: bytes
    label_bytes: int
    most_batch_bytes: int

    def read_python_folder(self, contents: Mapping[str, bytes]) -> tuple[Split, Split]:
        """Training and test split out of the pickled batches, `python_folder/NAME` each.

        Args:
          contents: the bytes of every batch, by path. Their checksums must have been verified.

        Returns:
          `(train, test)`; images are `[examples, 32, 32, 3]`.

        Raises:
          ValueError: a batch holds anything but images and labels.
        """
        return self._splits(
            lambda batch: _parse_pickle(contents[f"{self.python_folder}/{batch}"], self.labels)
        )

    def read_python_archive(self, contents: Mapping[str, bytes]) -> tuple[Split, Split]:
        """Training and test split out of `python_archive`; like `read_python_folder`."""
        names = [f"{self.python_folder}/{name}" for name in self.batches]
        archive = contents[self.python_archive]
        return self.read_python_folder(_members(archive, names, self.most_batch_bytes))

    def read_binary_archive(self, contents: Mapping[str, bytes]) -> tuple[Split, Split]:
        """Training and test split out of `binary_archive`; nothing is unpickled.

        Args:
          contents: the bytes of the archive, by its name.

        Returns:
          `(train, test)`; images are `[examples, 32, 32, 3]`.

        Raises:
          ValueError: the archive is truncated, lacks a batch, or a batch is not whole records.
        """
        path = f"{self.binary_folder}/{{}}.bin".format
        names = [path(batch) for batch in self.batches]
        members = _members(contents[self.binary_archive], names, self.most_batch_bytes)
        return self._splits(lambda batch: parse_binary(members[path(batch)], self.label_bytes))

    def _splits(self, parse: Callable[[str], Split]) -> tuple[Split, Split]:
        def parse_named(batch: str) -> Split:
            try:
                return parse(batch)
            except ValueError as error:
                raise ValueError(f"{batch}: {error}") from error

        with ThreadPoolExecutor() as pool:  # numpy copies without holding the interpreter
            splits = list(pool.map(parse_named, self.batches))
        train = Split(
            np.concatenate([split.images for split in splits[:-1]]),
            np.concatenate([split.labels for split in splits[:-1]]),
        )
        return train, splits[-1]


CIFAR10 = Form(
    python_folder="cifar-10-batches-py",
    python_archive="cifar-10-python.tar.gz",
    binary_folder="cifar-10-batches-bin",
    binary_archive="cifar-10-binary.tar.gz",
    batches=(*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"),
    labels=b"labels",
    label_bytes=1,
    most_batch_bytes=2**26,  # the published ones have 31 MB
)
CIFAR100 = Form(
    python_folder="cifar-100-python",
    python_archive="cifar-100-python.tar.gz",
    binary_folder="cifar-100-binary",
    binary_archive="cifar-100-binary.tar.gz",
    batches=("train", "test"),
    labels=b"fine_labels",
    label_bytes=2,  # of the 20 classes, then of the 100
    most_batch_bytes=2**28,  # the larger published one has 154 MB
)


def parse_binary(content: bytes, label_bytes: int = 1) -> Split:
    """Records of labels, of which the last one counts, and red, green and blue plane by row."""
    record_bytes = label_bytes + _IMAGE_BYTES
    if not content or len(content) % record_bytes:
        raise ValueError(f"{len(content)} bytes are not records of {record_bytes}")
    records = np.frombuffer(content, np.uint8).reshape(-1, record_bytes)
    labels = records[:, label_bytes - 1].astype(np.int32)
    return Split(_planes_last(records[:, label_bytes:]), labels)


def _planes_last(flat: np.ndarray) -> np.ndarray:
    planes = flat.reshape(-1, 3, 32, 32)
    images = np.empty((len(planes), 32, 32, 3), np.uint8)
    for start in range(0, len(planes), _CACHED_IMAGES):
        part = slice(start, start + _CACHED_IMAGES)
        for channel in range(3):
            images[part, ..., channel] = planes[part, channel]
    return images


# All that a batch refers to.
_GLOBALS = ("numpy.core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype")
_Unpickler: Any = pickle._Unpickler  # in Python: the one in C reserves memory as a pickle bids it


class _Inert:
    """Stands for everything of numpy's in a batch: takes any arguments, and keeps its state."""

    state: Any = None

    def __init__(self, *_: Any):
        pass

    def __setstate__(self, state: Any):
        self.state = state


class _ArrayUnpickler(_Unpickler):
    """Rebuilds dicts, lists and bytes; of arrays it keeps what they were saved as."""

    def find_class(self, module_name: str, global_name: str):
        path = f"{module_name}.{global_name}"
        if path not in _GLOBALS:
            raise pickle.UnpicklingError(f"it wants {path}, which no batch of CIFAR needs")
        return _Inert


def _parse_pickle(content: bytes, labels_key: bytes) -> Split:
    try:
        batch = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
        _, shape, _, is_fortran, pixels = batch[b"data"].state
        labels = np.asarray(batch[labels_key], np.int32)
    except Exception as error:  # a broken pickle can fail in any way
        raise ValueError(f"not a batch of CIFAR ({reason(error)})") from error
    wanted = (len(labels), _IMAGE_BYTES) if labels.ndim == 1 else None
    if not isinstance(pixels, bytes) or shape != wanted or is_fortran:
        raise ValueError(f"its images are not {labels.size} x {_IMAGE_BYTES} bytes")
    if len(pixels) != labels.size * _IMAGE_BYTES:
        raise ValueError(f"it has {len(pixels)} bytes of {labels.size} x {_IMAGE_BYTES}")
    return Split(_planes_last(np.frombuffer(pixels, np.uint8)), labels)


def _members(archive: bytes, names: list[str], most_bytes: int) -> dict[str, bytes]:
    contents = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is None or member.name not in names:
                    continue
                if member.size > most_bytes:
                    raise ValueError(f"{member.name} claims {member.size} bytes")
                contents[member.name] = file.read()
    except Exception as error:  # headers are read as numbers, texts and times: any can be broken
        raise ValueError(f"not a whole tar.gz archive ({reason(error)})") from error
    if missing := [name for name in names if name not in contents]:
        raise ValueError(f"no file {', '.join(missing)} in the archive")
    return contents
