"""Results that were made elsewhere, and are compared as runs of jaxact's own are."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """The facts on such results beside their figures.

    Attributes:
      title: what they are called.
      seeds: the numbers of the seeds, by which runs are paired.
      target: what the seconds lead to, such as "98 % accuracy"; "": it is not said.
      is_timed: whether seconds to the target are known.
      notes: what their reader should know, a line each.
    """

    title: str
    seeds: tuple[int, ...]
    target: str = ""
    is_timed: bool = False
    notes: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Elsewhere":
        lists: dict[str, Any] = {name: tuple(value[name]) for name in ("seeds", "notes")}
        return cls(**{**value, **lists})
