"""Arrays out of an `.npz` archive that nobody vouches for: checked before they are allocated.

`np.load` believes the size that an array's header declares, and allocates it; here it must agree
with the archive's own, and with what so many compressed bytes can hold. Nothing is unpickled.
"""

import contextlib
import math
import os
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

import numpy as np

from jaxact.data.formats.limits import DEFLATE_RATIO, check_memory, quoted, reason
from jaxact.errors import DataError

_SUFFIX = ".npy"
_NUMBERS = "biuf"  # dtype.kind of booleans, integers and floats
_READ_BYTES = 2**24
_Result = TypeVar("_Result")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, for `keys` and `read`.

    Raises:
      DataError: there is no whole archive, or one array stands in it twice.
    """
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise DataError(f"cannot read {quoted(path)}: {error.strerror or reason(error)}") from error
    except Exception as error:  # a broken directory can fail in any way
        raise DataError(
            f"{quoted(path)} is no whole .npz archive ({reason(error)}); save images and labels "
            "in one with np.savez_compressed, or give a folder of class folders (an archive of "
            "images, unpacked)"
        ) from error
    with archive:
        for name, count in Counter(archive.namelist()).items():
            if count > 1:
                raise DataError(f"{quoted(path)} holds {quoted(name)} {count} times; save it again")
        yield archive


def keys(archive: zipfile.ZipFile) -> list[str]:
    """The name of every array, in the archive's order."""
    return [name.removesuffix(_SUFFIX) for name in archive.namelist() if name.endswith(_SUFFIX)]


class Header(NamedTuple):
    """The declarations of an array's header; no more than the archive holds."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype
    size_bytes: int


def header(archive: zipfile.ZipFile, key: str) -> Header:
    """The header of one array of numbers; like `read`, which reads what follows."""
    return _explained(archive, key, lambda member, declared, where: declared)


def read(archive: zipfile.ZipFile, key: str) -> np.ndarray:
    """One array of numbers.

    Args:
      archive: from `opened`.
      key: one of `keys(archive)`.

    Returns:
      The array, C-contiguous, of the dtype that it was saved with.

    Raises:
      DataError: it is damaged, holds anything but numbers, or lies about its size.
    """
    return _explained(archive, key, _content)


def _explained(
    archive: zipfile.ZipFile, key: str, rest: Callable[[IO[bytes], Header, str], _Result]
) -> _Result:
    """The result of `rest` behind the header of an array; its errors in one line."""
    where = f"{quoted(archive.filename)}: {quoted(key)}"
    try:
        info = archive.getinfo(key + _SUFFIX)
        with _opened_array(archive, info, where) as member:
            return rest(member, _checked_header(archive, info, member, where), where)
    except DataError:
        raise
    except Exception as error:  # damaged bytes can make zipfile, zlib and numpy fail in any way
        raise DataError(f"{where} cannot be read ({reason(error)}); save it again") from error


def _opened_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> IO[bytes]:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{where} is compressed by other means than np.savez_compressed")
    return archive.open(info)


def _checked_header(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, member: IO[bytes], where: str
) -> Header:
    shape, is_fortran, dtype = _parse_header(member)
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which are never loaded: they could run code; save "
            "an array of numbers"
        )
    if dtype.kind not in _NUMBERS:
        names = ", such as np.unique(labels, return_inverse=True)[1]" if dtype.kind in "US" else ""
        raise DataError(f"{where} is of dtype {quoted(dtype)}; it must be numbers{names}")
    size_bytes = math.prod(shape) * dtype.itemsize
    _check_size(archive, info, size_bytes, member.tell(), shape, where)
    return Header(shape, is_fortran, dtype, size_bytes)


def _content(member: IO[bytes], declared: Header, where: str) -> np.ndarray:
    check_memory(declared.size_bytes, where, "save fewer or smaller images, as uint8")
    content = np.empty(declared.size_bytes, np.uint8)
    _fill(member, content, where)
    array = content.view(declared.dtype)
    if declared.is_fortran:
        return np.ascontiguousarray(array.reshape(declared.shape[::-1]).transpose())
    return array.reshape(declared.shape)


def _parse_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(member)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:  # 3.0 is for records with Unicode names
        raise ValueError(f"format {version[0]}.{version[1]} is not one of a plain array")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the parser, about what a header is written like
        shape, is_fortran, dtype = readers[version](member)
    if any(size < 0 for size in shape):
        raise ValueError(f"its shape is {shape}")
    return shape, is_fortran, dtype


def _check_size(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    size_bytes: int,
    header_bytes: int,
    shape: tuple[int, ...],
    where: str,
) -> None:
    follow = info.file_size - header_bytes
    if size_bytes != follow:
        raise DataError(
            f"{where}: its header says {list(shape)}, that is {size_bytes} bytes, but {follow} "
            "follow; save it again"
        )
    most = info.compress_size * (DEFLATE_RATIO if info.compress_type else 1)
    if info.file_size > most or info.compress_size > os.path.getsize(str(archive.filename)):
        raise DataError(
            f"{where} claims {info.file_size} bytes, more than the file can hold; save it again"
        )


def _fill(member: IO[bytes], content: np.ndarray, where: str) -> None:
    done = 0
    while done < len(content):
        chunk = member.read(min(_READ_BYTES, len(content) - done))
        if not chunk:
            raise DataError(f"{where} is truncated: {done} of {len(content)} bytes; save it again")
        content[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
        done += len(chunk)
