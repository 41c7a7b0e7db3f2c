"""Paths of many files, in the memory of little more than their names."""

import bisect
import os
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload


class Files(Sequence[Path]):
    """The paths of files, folder by folder: the bytes of their names, and 8 bytes a file.

    A list of `Path` takes ten times as much, and is as slow to send to another process.
    """

    def __init__(self) -> None:
        self._folders: list[str] = []
        self._firsts: list[int] = []  # the place of each folder's first file
        self._names = bytearray()
        self._ends = array("Q")  # of each name

    def add(self, folder: str | os.PathLike[str], names: Iterable[str]) -> None:
        """Appends the files of a folder, by their names in it."""
        self._folders.append(os.fspath(folder))
        self._firsts.append(len(self))
        for name in names:
            self._names += os.fsencode(name)
            self._ends.append(len(self._names))

    def extend(self, other: "Files") -> None:
        """Appends all files of another."""
        count, length = len(self), len(self._names)
        self._folders += other._folders
        self._firsts += [count + first for first in other._firsts]
        self._names += other._names
        self._ends.extend(length + end for end in other._ends)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, place: int) -> Path: ...
    @overload
    def __getitem__(self, place: slice) -> list[Path]: ...
    def __getitem__(self, place: int | slice) -> Path | list[Path]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        if place < 0 or place >= len(self):
            raise IndexError(place)
        folder = self._folders[bisect.bisect_right(self._firsts, place) - 1]
        begin = self._ends[place - 1] if place else 0
        return Path(folder, os.fsdecode(bytes(self._names[begin : self._ends[place]])))
