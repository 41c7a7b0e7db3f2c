"""The files of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html): bytes to arrays.

The pickled batches are read by an unpickler that knows no class and calls no function;
archives are read in memory, member by member, so that no name in them reaches the file system.
"""

import io
import pickle
import tarfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from jaxact.data.dataset import Split
from jaxact.data.formats.limits import reason

PYTHON_FOLDER = "cifar-10-batches-py"
PYTHON_ARCHIVE = "cifar-10-python.tar.gz"
BINARY_FOLDER = "cifar-10-batches-bin"
BINARY_ARCHIVE = "cifar-10-binary.tar.gz"
BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
IMAGE_SHAPE = (32, 32, 3)
_IMAGE_BYTES = 3 * 32 * 32
_MOST_BATCH_BYTES = 2**26  # the published ones have 31 MB
_CACHED_IMAGES = 100  # that a processor's cache holds, for a copy in three passes


def read_python_folder(contents: Mapping[str, bytes]) -> tuple[Split, Split]:
    """Training and test split out of the six pickled batches, `cifar-10-batches-py/NAME` each.

    Args:
      contents: the bytes of every batch, by path. Their checksums must have been verified.

    Returns:
      `(train, test)`; images are `[examples, 32, 32, 3]`.

    Raises:
      ValueError: a batch holds anything but images and labels.
    """
    return _splits(lambda batch: _parse_pickle(contents[f"{PYTHON_FOLDER}/{batch}"]))


def read_python_archive(contents: Mapping[str, bytes]) -> tuple[Split, Split]:
    """Training and test split out of `cifar-10-python.tar.gz`; like `read_python_folder`."""
    members = _members(contents[PYTHON_ARCHIVE], [f"{PYTHON_FOLDER}/{name}" for name in BATCHES])
    return read_python_folder(members)


def read_binary_archive(contents: Mapping[str, bytes]) -> tuple[Split, Split]:
    """Training and test split out of `cifar-10-binary.tar.gz`; nothing is unpickled.

    Args:
      contents: the bytes of the archive, by its name.

    Returns:
      `(train, test)`; images are `[examples, 32, 32, 3]`.

    Raises:
      ValueError: the archive is truncated, lacks a batch, or a batch is not whole records.
    """
    path = f"{BINARY_FOLDER}/{{}}.bin".format
    members = _members(contents[BINARY_ARCHIVE], [path(batch) for batch in BATCHES])
    return _splits(lambda batch: parse_binary(members[path(batch)]))


def parse_binary(content: bytes) -> Split:
    """Records of 1 + 3,072 bytes: the label, then the red, green and blue plane row by row."""
    if not content or len(content) % (1 + _IMAGE_BYTES):
        raise ValueError(f"{len(content)} bytes are not records of {1 + _IMAGE_BYTES}")
    records = np.frombuffer(content, np.uint8).reshape(-1, 1 + _IMAGE_BYTES)
    return Split(_planes_last(records[:, 1:]), records[:, 0].astype(np.int32))


def _splits(parse: Callable[[str], Split]) -> tuple[Split, Split]:
    def parse_named(batch: str) -> Split:
        try:
            return parse(batch)
        except ValueError as error:
            raise ValueError(f"{batch}: {error}") from error

    with ThreadPoolExecutor() as pool:  # numpy copies without holding the interpreter
        splits = list(pool.map(parse_named, BATCHES))
    train = Split(
        np.concatenate([split.images for split in splits[:-1]]),
        np.concatenate([split.labels for split in splits[:-1]]),
    )
    return train, splits[-1]


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
            raise pickle.UnpicklingError(f"it wants {path}, which no CIFAR-10 batch needs")
        return _Inert


def _parse_pickle(content: bytes) -> Split:
    try:
        batch = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
        _, shape, _, is_fortran, pixels = batch[b"data"].state
        labels = np.asarray(batch[b"labels"], np.int32)
    except Exception as error:  # a broken pickle can fail in any way
        raise ValueError(f"not a CIFAR-10 batch ({reason(error)})") from error
    wanted = (len(labels), _IMAGE_BYTES) if labels.ndim == 1 else None
    if not isinstance(pixels, bytes) or shape != wanted or is_fortran:
        raise ValueError(f"its images are not {labels.size} x {_IMAGE_BYTES} bytes")
    if len(pixels) != labels.size * _IMAGE_BYTES:
        raise ValueError(f"it has {len(pixels)} bytes of {labels.size} x {_IMAGE_BYTES}")
    return Split(_planes_last(np.frombuffer(pixels, np.uint8)), labels)


def _members(archive: bytes, names: list[str]) -> dict[str, bytes]:
    contents = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is None or member.name not in names:
                    continue
                if member.size > _MOST_BATCH_BYTES:
                    raise ValueError(f"{member.name} claims {member.size} bytes")
                contents[member.name] = file.read()
    except Exception as error:  # headers are read as numbers, texts and times: any can be broken
        raise ValueError(f"not a whole tar.gz archive ({reason(error)})") from error
    if missing := [name for name in names if name not in contents]:
        raise ValueError(f"no file {', '.join(missing)} in the archive")
    return contents
