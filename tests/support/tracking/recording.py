"""A tracker in memory that keeps all that it is given, each time that it is given."""

import dataclasses
from typing import Any

from jaxact.tracking.pages import RUNNING
from jaxact.tracking.tracker import Held


@dataclasses.dataclass
class Kept:
    """A page as the tracker has it; epochs and files as often as they were given."""

    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    text: str = ""
    epochs: list[Any] = dataclasses.field(default_factory=list)
    files: list[str] = dataclasses.field(default_factory=list)
    digest: str = ""
    results: dict[str, float] = dataclasses.field(default_factory=dict)
    status: str = RUNNING
    is_open: bool = False

    def describe(self, page):
        assert self.is_open
        self.parameters = dict(page.parameters)
        self.tags = dict(page.tags)
        self.text = page.text

    def add(self, epochs):
        assert self.is_open
        self.epochs += epochs

    def attach(self, files, digest):
        assert self.is_open
        assert all(path.is_file() for path in files.values())
        self.files += files
        self.digest = digest

    def conclude(self, page):
        assert self.is_open
        self.results = dict(page.results)
        self.status = page.status

    def close(self):
        self.is_open = False


class Recording:
    """See the module."""

    place = "memory"

    def __init__(self):
        self.pages: dict[str, Kept] = {}
        self.names: dict[str, str] = {}
        self.parents: dict[str, str] = {}
        self.opened = 0

    def held(self, page):
        if page.id not in self.pages:
            return Held()
        kept = self.pages[page.id]
        last = kept.epochs[-1].number if kept.epochs else 0
        return Held(last, kept.digest, kept.status)

    def open(self, page):
        assert not page.parent or page.parent in self.pages, "the study comes before its runs"
        kept = self.pages.setdefault(page.id, Kept())
        assert not kept.is_open
        kept.is_open = True
        self.opened += 1
        self.names[page.id] = page.name
        self.parents[page.id] = page.parent
        return kept

    def by_name(self):
        """The pages by name; a name that two have is an error."""
        assert len({*self.names.values()}) == len(self.names)
        return {self.names[page_id]: kept for page_id, kept in self.pages.items()}
