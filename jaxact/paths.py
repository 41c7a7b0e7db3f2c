"""Paths as users type them: `~` is their home, and what lies elsewhere is refused."""

import os
import re

from jaxact.errors import ConfigError

# `gs://bucket/name`, also as `pathlib` shortens it; a single letter is a drive.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def local(path: str, option: str) -> str:
    """The path with its `~` replaced.

    Args:
      option: as the user gives it, such as "--workdir"; begins the message.

    Raises:
      ConfigError: it is empty, no UTF-8, another option, an address such as `gs://...`, or in the
        home of an unknown user.
    """
    if not path.strip():
        raise ConfigError(f"{option}={path} is empty; give a path, or leave the option out")
    if not path.isascii() and path.encode(errors="ignore") != path.encode(errors="surrogateescape"):
        raise ConfigError(
            f"{option}={path} is no text in UTF-8, and checkpoints cannot lie there: choose another"
        )
    if path.startswith("-"):
        raise ConfigError(
            f"{option} has no value: {path!r} stands in its place (./{path} is a path of that name)"
        )
    if _ADDRESS.match(path):
        raise ConfigError(
            f"{option}={path} is an address, and jaxact reads and writes local folders only: copy "
            "it to this machine, or mount it, and give that path"
        )
    expanded = os.path.expanduser(path)
    if expanded.startswith("~") and not os.path.lexists(expanded):
        raise ConfigError(
            f"{option}={path}: there is no user {expanded.split(os.sep)[0]} on this machine; give "
            "the path in full (./~NAME is a folder of that name)"
        )
    return expanded
