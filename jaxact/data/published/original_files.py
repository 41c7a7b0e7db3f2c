"""The published files where a user put them: found, checked against their checksums, read."""

import functools
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jaxact.data.dataset import Dataset
from jaxact.data.published.sources import File, Layout, Source
from jaxact.errors import DataError


def read(source: Source, data_dir: Path) -> Dataset | None:
    """The data set out of the original files below `data_dir`.

    Args:
      source: which files, their checksums and their format.
      data_dir: the folder that holds `<data set>/<files>`.

    Returns:
      The data set, or None where not one of the files is there.

    Raises:
      DataError: some files are missing, a checksum is wrong, a file cannot be read or parsed.
    """
    folder = data_dir / source.name
    present = [_present(layout, folder) for layout in source.layouts]
    for layout, files in zip(source.layouts, present, strict=True):
        if len(files) == len(layout.files):
            return _read_layout(source, layout, data_dir)
    for layout, files in zip(source.layouts, present, strict=True):
        if files:
            missing = ", ".join(file.name for file in layout.files if file not in files)
            raise DataError(
                f"{source.name} is incomplete in {folder}: {missing} missing; "
                + source.by_hand(data_dir)
            )
    return None


def _present(layout: Layout, folder: Path) -> list[File]:
    return [file for file in layout.files if os.path.exists(folder / file.name)]


def _read_layout(source: Source, layout: Layout, data_dir: Path) -> Dataset:
    folder = data_dir / source.name
    # The bytes that are hashed are the bytes that are parsed: nothing is read twice.
    with ThreadPoolExecutor() as pool:  # neither reading nor hashing holds the interpreter
        read_one = functools.partial(_read_verified, source, data_dir)
        names = [file.name for file in layout.files]
        contents = dict(zip(names, pool.map(read_one, layout.files), strict=True))
    try:
        return source.dataset(*layout.read(contents))
    except ValueError as error:
        raise DataError(
            f"{source.name} in {folder} cannot be read: {error}; " + source.by_hand(data_dir)
        ) from error


def _read_verified(source: Source, data_dir: Path, file: File) -> bytes:
    path = data_dir / source.name / file.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 != file.md5:
        raise DataError(
            f"{path} is not the published file: md5 expected {file.md5}, got {md5}; "
            f"delete it, then {source.by_hand(data_dir)}, or let it be downloaded"
        )
    return content
