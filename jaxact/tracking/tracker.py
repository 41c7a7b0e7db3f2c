"""The trackers, as the rest sees them: one that is found again holds what it was given."""

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from jaxact.comparison import study as studies
from jaxact.errors import JaxactError
from jaxact.tracking.pages import RUNNING, Epoch, Page

FAILED = (studies.DIVERGED, studies.FAILED)


class TrackingError(JaxactError):
    """A tracker cannot be reached, or refuses what it is given: says what to do."""

    exit_code = 2


class Held(NamedTuple):
    """The state of a page in a tracker.

    Attributes:
      epoch: the last one; 0: none.
      files: the digest of its files; "": none.
      status: that of the page when it was written; "" where there is none yet.
    """

    epoch: int = 0
    files: str = ""
    status: str = ""


class Entry(Protocol):
    """A page that is open for writing. What is there already is not given again."""

    def describe(self, page: Page) -> None:
        """Sets the parameters, the tags and the text."""
        ...

    def add(self, epochs: Sequence[Epoch]) -> None:
        """Adds epochs, in their order."""
        ...

    def attach(self, files: Mapping[str, Path], digest: str) -> None:
        """Keeps files by their names, in place of older ones."""
        ...

    def conclude(self, page: Page) -> None:
        """Sets what a page ended with, and its status."""
        ...

    def close(self) -> None:
        """Sees that all of it is kept, and lets go of the page."""
        ...


class Tracker(Protocol):
    """A library that keeps pages, somewhere.

    Attributes:
      place: where a person finds them: an address, or a command.
    """

    place: str

    def held(self, page: Page) -> Held:
        """The state of a page there."""
        ...

    def open(self, page: Page) -> Entry:
        """The page, made if it is not there."""
        ...


class Update(NamedTuple):
    """Counts of what was given to a tracker: pages, of these new ones, epochs, and files."""

    pages: int = 0
    new_pages: int = 0
    epochs: int = 0
    files: int = 0

    def __add__(self, other: "Update") -> "Update":  # pyright: ignore[reportIncompatibleMethodOverride]
        return Update(*map(sum, zip(self, other, strict=True)))


@dataclasses.dataclass
class _Kept:
    """A page as it was last seen, as the tracker holds it, and where to write."""

    page: Page | None
    held: Held
    entry: Entry | None = None


class Updates:
    """Brings a tracker up to date, again and again; pages that are under way stay open between.

    Args:
      tracker: where to.
    """

    def __init__(self, tracker: Tracker):
        self._tracker = tracker
        self._kept: dict[str, _Kept] = {}
        self._digests: dict[tuple[str, int, int], bytes] = {}

    def bring(self, pages: Sequence[Page]) -> Update:
        """Gives the tracker what it lacks of some pages.

        Raises:
          TrackingError: it cannot be reached, or refuses; what was given stays.
        """
        return sum(map(self._bring, pages), Update())

    def _bring(self, page: Page) -> Update:
        kept = self._kept.get(page.id)
        if kept is None:
            kept = self._kept[page.id] = _Kept(None, self._tracker.held(page))
        digest = self._digest(page.files)
        if self._is_there(page, kept, digest):
            return Update()
        is_new = not kept.held.status
        if kept.entry is None:
            kept.entry = self._tracker.open(page)
        entry, held = kept.entry, kept.held
        entry.describe(page)
        epochs = [epoch for epoch in page.epochs if epoch.number > held.epoch]
        if epochs:
            entry.add(epochs)
            held = held._replace(epoch=epochs[-1].number)
        files = {} if digest == held.files else page.files
        if files:
            entry.attach(files, digest)
            held = held._replace(files=digest)
        entry.conclude(page)
        kept.page, kept.held = page, held._replace(status=page.status)
        if page.status != RUNNING:
            entry.close()
            kept.entry = None
        return Update(1, is_new, len(epochs), len(files))

    def _is_there(self, page: Page, kept: _Kept, digest: str) -> bool:
        """Whether a page is as it was seen last, or before that, as the tracker has it."""
        is_kept = not page.files or digest == kept.held.files
        if kept.page is not None:
            return is_kept and kept.page == page
        last = page.epochs[-1].number if page.epochs else 0
        was = kept.held.epoch, kept.held.status
        may_tell_more = page.status == RUNNING and not page.epochs  # of a study, by its tags
        return is_kept and not may_tell_more and was == (last, page.status)

    def _digest(self, files: Mapping[str, Path]) -> str:
        """The SHA-256 of files and their names; each is read once while it stays as it is."""
        if not files:
            return ""
        total = hashlib.sha256()
        for name, path in files.items():
            state = path.stat()
            key = (str(path), state.st_mtime_ns, state.st_size)
            if key not in self._digests:
                self._digests[key] = hashlib.sha256(path.read_bytes()).digest()
            total.update(name.encode() + b"\0" + self._digests[key])
        return total.hexdigest()

    def close(self) -> None:
        """Lets go of all pages; those under way are found again by another command."""
        for kept in self._kept.values():
            if kept.entry is not None:
                kept.entry.close()
                kept.entry = None


def first_line(error: Exception) -> str:
    """The first line of an error, in at most 200 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]


@contextlib.contextmanager
def updates(tracker: Tracker) -> Iterator[Updates]:
    """A block in which a tracker is brought up to date."""
    using = Updates(tracker)
    try:
        yield using
    finally:
        using.close()
