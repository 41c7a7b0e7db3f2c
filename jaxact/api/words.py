"""Messages in the words of a Python program: arguments where a command has options."""

import contextlib
import re
from collections.abc import Iterator

from jaxact.errors import JaxactError

_WORDS = (
    ("--activations", "functions"),
    (r"--(?:config\.)?(?=[a-z])", ""),
    (r"\bgive the same command\b", "make the same call"),
    (r"\bthe same command\b", "the same call"),
    (r"\bor null\b", "or None"),
)


def in_python(text: str) -> str:
    """A message about options, about arguments.

    >>> in_python("--seeds=0 must be at least 1: leave out --config.epochs=3, or choose --workdir")
    'seeds=0 must be at least 1: leave out epochs=3, or choose workdir'
    """
    for pattern, words in _WORDS:
        text = re.sub(pattern, words, text)
    return text


@contextlib.contextmanager
def for_python() -> Iterator[None]:
    """A block whose errors speak of arguments."""
    try:
        yield
    except JaxactError as error:
        error.args = (in_python(str(error)),)
        raise
