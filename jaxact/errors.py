"""The errors that a user can act on. Each message is one line that says what to do next.

They are raised where the cause is known; only `jaxact.main` turns them into exit codes.
"""

import difflib
import re
from collections.abc import Iterable


class JaxactError(Exception):
    """Base of every error raised on purpose; `exit_code` is what the command ends with."""

    exit_code = 1

    def __str__(self) -> str:
        """The message as one printable line, whatever the user's value held."""
        return "".join(
            char if char.isprintable() else ascii(char)[1:-1] for char in super().__str__()
        )


class ConfigError(JaxactError):
    """A configuration, spec or path is wrong: names the field, its value and what is allowed."""

    exit_code = 2


class WorkdirError(JaxactError):
    """A run's folder is in use, full or read-only, or its checkpoints are damaged."""

    exit_code = 2


class DataError(JaxactError):
    """The data cannot be had: names the files, their source and where to put them by hand."""

    exit_code = 3


class OutOfMemoryError(JaxactError):
    """The device's memory ran out: names what was needed, what is there, and what to lower."""

    exit_code = 2


class NonFiniteLossError(JaxactError):
    """The training loss became NaN or infinite."""

    exit_code = 4


class Interrupted(JaxactError):
    """Training stopped on a signal after a checkpoint was saved; the same command goes on."""

    exit_code = 75


def did_you_mean(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """`"; did you mean relu, relu6?"` for the names nearest to `word`, or `""` if none is near.

    Capitals, underscores, hyphens and blanks make no difference: `LeakyReLU` is `leaky_relu` alone.

    Args:
      likeness: the least of a name that is near; 1: the same letters.
    """
    names: dict[str, list[str]] = {}
    for name in known:
        names.setdefault(_letters(name), []).append(name)
    letters = _letters(word)
    near = difflib.get_close_matches(letters, names, n=3, cutoff=likeness)
    near = [letters] if letters in names else near
    found = [name for key in near for name in names[key]][:3]
    return f"; did you mean {', '.join(found)}?" if found else ""


def _letters(name: str) -> str:
    """A name as one remembers it, without the house style of who wrote it."""
    return re.sub(r"[\s_-]", "", name).casefold()
