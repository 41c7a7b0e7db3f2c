"""The parts of a row in a table of names."""

import dataclasses
from collections.abc import Callable

from jaxact.specs import Value, text_of


@dataclasses.dataclass(frozen=True)
class Missing:
    """A name that jaxact has nothing for, and why."""

    reason: str


# Our spec; or a function that makes it of the library's own parameters, with their defaults, and
# raises ValueError for values that it has nothing for; or what is missing.
Row = str | Callable[..., str] | Missing


def spec(name: str, **arguments: Value) -> str:
    """The spec of one of our functions."""
    return text_of(name, arguments.items())


def plain(text: str) -> Row:
    """A function without parameters, which may use its input's own memory."""
    return lambda inplace=False: text
