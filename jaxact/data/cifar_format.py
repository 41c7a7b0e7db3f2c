"""The files of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html): bytes to arrays.

The pickled batches are read by an unpickler that knows numpy arrays of bytes and nothing else;
archives are read in memory, member by member, so that no name in them reaches the file system.
"""

import io
import pickle
import tarfile
import zlib
from collections.abc import Callable, Mapping

import numpy as np

from jaxact.data.dataset import Split

PYTHON_FOLDER = "cifar-10-batches-py"
PYTHON_ARCHIVE = "cifar-10-python.tar.gz"
BINARY_FOLDER = "cifar-10-batches-bin"
BINARY_ARCHIVE = "cifar-10-binary.tar.gz"
BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
IMAGE_SHAPE = (32, 32, 3)
_IMAGE_BYTES = 3 * 32 * 32


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
    splits = []
    for batch in BATCHES:
        try:
            splits.append(parse(batch))
        except ValueError as error:
            raise ValueError(f"{batch}: {error}") from error
    train = Split(
        np.concatenate([split.images for split in splits[:-1]]),
        np.concatenate([split.labels for split in splits[:-1]]),
    )
    return train, splits[-1]


def _planes_last(flat: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(flat.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


# All that a batch refers to, which in today's numpy has other names or takes other arguments.
_GLOBALS = {
    "numpy.core.multiarray._reconstruct": np.empty(0, np.uint8).__reduce__()[0],
    "numpy.ndarray": np.ndarray,
    "numpy.dtype": lambda *_: np.dtype(np.uint8),
}


class _ArrayUnpickler(pickle.Unpickler):
    """Rebuilds dicts, lists, bytes and numpy arrays of uint8; any other global is refused."""

    def find_class(self, module_name: str, global_name: str):
        path = f"{module_name}.{global_name}"
        if path not in _GLOBALS:
            raise pickle.UnpicklingError(f"it wants {path}, which no CIFAR-10 batch needs")
        return _GLOBALS[path]


def _parse_pickle(content: bytes) -> Split:
    try:
        batch = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
        images, labels = batch[b"data"], np.asarray(batch[b"labels"], np.int32)
    except Exception as error:  # a broken pickle can fail in any way
        raise ValueError(f"not a CIFAR-10 batch ({error})") from error
    if getattr(images, "dtype", None) != np.uint8 or images.shape != (len(labels), _IMAGE_BYTES):
        raise ValueError(f"its images are not {len(labels)} x {_IMAGE_BYTES} bytes")
    return Split(_planes_last(images), labels)


def _members(archive: bytes, names: list[str]) -> dict[str, bytes]:
    contents = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is not None and member.name in names:
                    contents[member.name] = file.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not a whole tar.gz archive ({error})") from error
    if missing := [name for name in names if name not in contents]:
        raise ValueError(f"no file {', '.join(missing)} in the archive")
    return contents
