"""The IDX files of MNIST and Fashion-MNIST (http://yann.lecun.com/exdb/mnist/): bytes to arrays."""

import gzip
import io
import math
import struct
import zlib
from collections.abc import Mapping

import numpy as np

from jaxact.data.dataset import Split
from jaxact.data.formats.limits import DEFLATE_RATIO

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_UNSIGNED_BYTE = 8


def read(contents: Mapping[str, bytes]) -> tuple[Split, Split]:
    """Training and test split out of the four files.

    Args:
      contents: the bytes of every file in `FILES`, by name.

    Returns:
      `(train, test)`; images are `[examples, height, width, 1]`.

    Raises:
      ValueError: a file is truncated or not what its header says.
    """
    return _split(contents, *FILES[:2]), _split(contents, *FILES[2:])


def _split(contents: Mapping[str, bytes], images_name: str, labels_name: str) -> Split:
    images = _parse_gz(images_name, contents[images_name], dimensions=3)
    labels = _parse_gz(labels_name, contents[labels_name], dimensions=1)
    return Split(images[..., np.newaxis], labels.astype(np.int32))


def _parse_gz(name: str, compressed: bytes, dimensions: int) -> np.ndarray:
    try:
        return parse(_decompress(compressed, dimensions), dimensions)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{name} is not a whole gzip file ({error})") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _decompress(compressed: bytes, dimensions: int) -> bytes:
    """At most one byte more than the header asks for, and never more than the file can hold."""
    with gzip.GzipFile(fileobj=io.BytesIO(compressed)) as file:
        header = file.read(_header_bytes(dimensions))
        size_bytes = math.prod(_shape(header, dimensions))
        if size_bytes > len(compressed) * DEFLATE_RATIO:
            raise ValueError(f"the header says {size_bytes} bytes, more than the file can hold")
        return header + file.read(size_bytes + 1)


def parse(content: bytes, dimensions: int) -> np.ndarray:
    """An IDX array of unsigned bytes: `00 00 08 dimensions`, big-endian sizes, then the values.

    Args:
      content: the uncompressed file.
      dimensions: how many the array must have.

    Returns:
      uint8 array of that many dimensions (read-only, no copy).

    Raises:
      ValueError: wrong magic number, or not as many bytes as the header says.
    """
    shape, header = _shape(content, dimensions), _header_bytes(dimensions)
    if len(content) != header + math.prod(shape):
        raise ValueError(
            f"the header says {' x '.join(map(str, shape))} bytes, {len(content) - header} follow"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _header_bytes(dimensions: int) -> int:
    return 4 + 4 * dimensions


def _shape(content: bytes, dimensions: int) -> tuple[int, ...]:
    """The shape that the header states, if there is one."""
    magic = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if content[:4] != magic:
        raise ValueError(f"starts with {content[:4].hex() or 'nothing'}, not {magic.hex()}")
    header = _header_bytes(dimensions)
    if len(content) < header:
        raise ValueError(f"ends within its header of {header} bytes")
    return struct.unpack(f">{dimensions}I", content[4:header])
