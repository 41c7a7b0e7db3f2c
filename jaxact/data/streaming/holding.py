"""Where images are held: in memory, decoded on disk, or nowhere but where they come from."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxact.data import kept
from jaxact.data.kept import Kept
from jaxact.data.streaming.images import BROKEN, Images, Source, StreamedImages, read
from jaxact.data.streaming.rows import Rows

_ROWS, _SURVEY = "images", "survey.npz"  # files of what is kept
_CHUNK_BYTES = 2**24


class Survey(NamedTuple):
    """The facts about all images that are known once each was read.

    Attributes:
      shape: `(height, width, channels)`.
      facts: uint8 `[images]`, as in `jaxact.data.streaming.images.Batch`.
      brightest: value of those that have the fact that was asked about; -1 if none has it.
    """

    shape: np.ndarray
    facts: np.ndarray
    brightest: np.ndarray


def found(store: Kept, key: str) -> Path | None:
    """The folder of what was kept of images; None if nothing was.

    Args:
      key: a source's identity; "" for one that nothing is kept of.
    """
    return store.find(key) if key else None


def hold(
    source: Source,
    is_streamed: bool,
    store: Kept,
    folder: Path | None,
    check: Callable[[np.ndarray], None],
    asked: int = 0,
) -> tuple[Images, Survey]:
    """All images of a source: an array, or what is streamed from decoded ones where they have room.

    Each image is read once for it, unless that was done before.

    Args:
      source: of the images.
      is_streamed: whether they are streamed.
      store: keeps decoded images that are streamed, or that took long.
      folder: from `found`.
      check: raises where the places that it is given, of broken images, are any.
      asked: bit of the fact about whose images the brightest value is to be known.
    """
    key, size_bytes = source.identity, len(source) * int(np.prod(source.shape))
    if folder is not None:
        rows = folder / _ROWS
        if is_streamed:
            streamed = _rows(rows, source) if rows.exists() else source
            return StreamedImages(streamed), load(folder)
        if rows.exists():
            images = np.fromfile(rows, np.uint8).reshape(len(source), *source.shape)
            return images, load(folder)
    if not is_streamed:
        return _held(source, store, check, asked)

    def write(folder: Path) -> None:
        with open(folder / _ROWS, "wb") as file:
            _save(folder, _survey(source, lambda place, images: file.write(images.data)))

    def _survey(source: Source, put: Callable[[int, np.ndarray], object]) -> Survey:
        return survey_of(source, put, check, asked)

    if key and store.has_room(size_bytes) and (folder := store.keep(key, size_bytes, write)):
        return StreamedImages(_rows(folder / _ROWS, source)), load(folder)
    survey = _survey(source, lambda place, images: None)
    if key:
        store.keep(key, len(source), lambda folder: _save(folder, survey))
    return StreamedImages(source), survey


def _held(
    source: Source, store: Kept, check: Callable[[np.ndarray], None], asked: int
) -> tuple[np.ndarray, Survey]:
    images = np.empty((len(source), *source.shape), np.uint8)

    def put(place: int, batch: np.ndarray) -> None:
        images[place : place + len(batch)] = batch

    def write(folder: Path) -> None:
        images.tofile(folder / _ROWS)
        _save(folder, survey)

    begin = time.perf_counter()
    survey = survey_of(source, put, check, asked)
    if source.identity and time.perf_counter() - begin >= kept.WORTH_SECONDS:
        store.keep(source.identity, images.nbytes, write)
    return images, survey


def survey_of(
    source: Source,
    put: Callable[[int, np.ndarray], object],
    check: Callable[[np.ndarray], None],
    asked: int,
) -> Survey:
    """Reads all images once, in order, and gives them to `put` with the place of the first."""
    facts, brightest = np.empty(len(source), np.uint8), -1
    count = max(1, _CHUNK_BYTES // int(np.prod(source.shape)))
    for begin in range(0, len(source), count):
        places = np.arange(begin, min(begin + count, len(source)))
        batch = read(source, places)
        facts[places] = batch.facts
        if (is_asked := (batch.facts & asked) > 0).any():
            brightest = max(brightest, int(batch.images[is_asked].max()))
        put(begin, batch.images)
    check(np.flatnonzero(facts & BROKEN))
    return Survey(np.array(source.shape), facts, np.array(brightest))


def _rows(path: Path, source: Source) -> Rows:
    return Rows(path, source.shape, source.identity)


def _save(folder: Path, survey: Survey) -> None:
    np.savez(folder / _SURVEY, **survey._asdict())


def load(folder: Path) -> Survey:
    """The survey in a folder that was `found`."""
    with np.load(folder / _SURVEY) as arrays:
        return Survey(**arrays)
