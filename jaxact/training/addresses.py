"""The address at which the processes of one run find each other."""

import re
from typing import Any, NamedTuple

AUTO = "auto"  # found by JAX itself, in the environment of a cluster
ALLOWED = f"{AUTO}, or HOST:PORT,PROCESSES,INDEX, such as 10.0.0.1:1234,2,0"


class Address(NamedTuple):
    """Where a process finds the others.

    Attributes:
      coordinator: host and port of process 0, such as "10.0.0.1:1234".
      processes: how many there are.
      index: of this one, from 0.
    """

    coordinator: str
    processes: int
    index: int


def parse(text: Any) -> Address | None:
    """The address in a text of the form `HOST:PORT,PROCESSES,INDEX`; None where it is no such one.

    >>> parse("localhost:1234,2,1")
    Address(coordinator='localhost:1234', processes=2, index=1)
    >>> parse("localhost:1234,2,2")  # the processes are 0 and 1
    """
    match = (
        re.fullmatch(r"(\S+):(\d{1,5}),(\d{1,6}),(\d{1,6})", text)
        if isinstance(text, str)
        else None
    )
    if match is None:
        return None
    host, port, processes, index = match[1], *map(int, match.groups()[1:])
    is_right = 0 < port < 2**16 and index < processes
    return Address(f"{host}:{port}", processes, index) if is_right else None
