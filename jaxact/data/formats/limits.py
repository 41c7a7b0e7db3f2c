"""Limits to what a file may ask for before it is believed."""

import psutil

from jaxact.errors import DataError

# Deflate packs at most 258 bytes into 2 bits: no file can hold more than this many times its size.
DEFLATE_RATIO = 1032

# The most copies of a data set's images that stand in memory at once, measured from the file to the
# first step: as read, divided, with images held out, on the device (2.2, or 2.9 with a validation
# split, on a CPU).
COPIES = 3

# Of values that are scaled to 8 bits: a data set whose brightest one is below a quarter of the
# range was never scaled to it, and would be left with few grey levels, or none.
LOWEST_BRIGHTEST = 64


def quoted(name: object) -> str:
    """A file's or array's name for a message of one line: escaped where it would break the line."""
    text = str(name)
    return text if text.isprintable() else ascii(text)


def reason(error: Exception) -> str:
    """Another library's message, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if text.isprintable() else ascii(text)


def check_memory(needed_bytes: int, what: str, remedy: str) -> None:
    """Refuses, before anything is allocated, what the memory that is free cannot hold.

    Args:
      needed_bytes: of the arrays.
      what: whose arrays they are.
      remedy: what to do about it.

    Raises:
      DataError: names both sizes.
    """
    free_bytes = psutil.virtual_memory().available
    if needed_bytes > free_bytes:
        raise DataError(
            f"{what} takes {needed_bytes / 2**30:,.1f} GiB of memory, "
            f"{free_bytes / 2**30:,.1f} GiB are free: {remedy}"
        )
