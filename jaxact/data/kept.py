"""Results that took long, kept on disk for later processes: decoded folders, fitted matrices.

A result is a folder of files with their sizes and checksums. What is damaged is removed and made
anew; where the limit is reached, what was not used for the longest goes first.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jaxact.errors import ConfigError

FOLDER, LIMIT = "JAXACT_CACHE", "JAXACT_CACHE_GIB"
DEFAULT_FOLDER, DEFAULT_GIB = "~/.cache/jaxact/kept", 10.0
WORTH_SECONDS = 1.0  # that a result took at least
_INDEX, _ARRAYS, _UNFINISHED = "files.json", "arrays.npz", ".unfinished-"
_CHUNK_BYTES = 2**20
_ABANDONED_SECONDS = 86_400


class Kept:
    """Results by key, in a folder of limited size.

    Args:
      folder: made when it is needed; several processes may use it at once.
      limit_bytes: of all results together; 0: nothing is kept.
    """

    def __init__(self, folder: Path, limit_bytes: float):
        self.folder, self.limit_bytes = folder, limit_bytes

    def find(self, key: str) -> Path | None:
        """The folder of a result, whole and marked as used now; None where there is none.

        Args:
          key: hexadecimal digits.
        """
        result = self.folder / key
        if not self.limit_bytes or not result.is_dir():
            return None
        if _is_whole(result):
            with contextlib.suppress(OSError):  # of another user's, say: it serves as well
                os.utime(result)
            return result
        shutil.rmtree(result, ignore_errors=True)
        return None

    def keep(self, key: str, size_bytes: int, write: Callable[[Path], None]) -> Path | None:
        """Keeps a result; a full disk or a folder that cannot be written is no error.

        Args:
          key: as in `find`.
          size_bytes: about what it takes; more than half of what is free is not kept.
          write: writes the result's files into an empty folder.

        Returns:
          Its folder; None where it is not kept.
        """
        if not self.has_room(size_bytes):
            return None
        result = self.folder / key
        try:
            unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self.folder))
            try:
                write(unfinished)
                index = {path.name: _described(path) for path in sorted(unfinished.iterdir())}
                (unfinished / _INDEX).write_text(json.dumps(index))
                shutil.rmtree(result, ignore_errors=True)
                os.rename(unfinished, result)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
            self._make_room(result)
        except OSError:
            pass  # another process may have kept it
        return result if result.is_dir() else None

    def has_room(self, size_bytes: int) -> bool:
        """Whether a result of such a size would be kept."""
        if size_bytes > self.limit_bytes or not self.limit_bytes:
            return False
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            return size_bytes <= shutil.disk_usage(self.folder).free / 2
        return False

    def _make_room(self, newest: Path) -> None:
        """Removes results until the limit is kept, and what killed processes left."""
        now = time.time()
        for path in self.folder.glob(f"{_UNFINISHED}*"):
            if now - path.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        results = [path for path in self.folder.iterdir() if (path / _INDEX).is_file()]
        sizes = {path: sum(file.stat().st_size for file in path.iterdir()) for path in results}
        total = sum(sizes.values())
        for path in sorted(results, key=lambda path: path.stat().st_mtime):
            if total <= self.limit_bytes:
                break
            if path != newest:
                shutil.rmtree(path, ignore_errors=True)
                total -= sizes[path]


def default() -> Kept:
    """The folder of `$JAXACT_CACHE`, else `~/.cache/jaxact/kept`, and the limit of its size.

    Raises:
      ConfigError: `$JAXACT_CACHE_GIB` is no number from 0.
    """
    text = os.environ.get(LIMIT) or str(DEFAULT_GIB)
    try:
        limit_gib = float(text)
    except ValueError:
        limit_gib = -1.0
    if not 0 <= limit_gib < float("inf"):
        raise ConfigError(
            f"{LIMIT}={text} in the environment must be a number of GiB from 0 (0: nothing is kept)"
        )
    folder = Path(os.path.expanduser(os.environ.get(FOLDER) or DEFAULT_FOLDER))
    return Kept(folder, limit_gib * 2**30)


def remembered(key: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Arrays that `make` gave before for this key, or gives now; kept if that took long.

    Args:
      key: hexadecimal digits of all that the arrays depend on.
    """
    store = default()
    if (folder := store.find(key)) is not None:
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            return dict(arrays)
    begin = time.perf_counter()
    made = make()
    if time.perf_counter() - begin >= WORTH_SECONDS:
        size_bytes = sum(array.nbytes for array in made.values())
        store.keep(key, size_bytes, lambda folder: np.savez(folder / _ARRAYS, **made))  # pyright: ignore[reportArgumentType]
    return made


def key_of(*parts: object) -> str:
    """Hexadecimal digits that stand for texts and numbers in their order."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _is_whole(result: Path) -> bool:
    try:
        index = json.loads((result / _INDEX).read_text())
        return all(_described(result / name) == known for name, known in index.items())
    except (OSError, ValueError, AttributeError):
        return False


def _described(path: Path) -> list[int]:
    """The size of a file, and its CRC-32."""
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
    return [path.stat().st_size, checksum]
