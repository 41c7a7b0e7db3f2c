"""Processors for runs side by side: sets that share none, and a process that is kept to its own."""

import os
from collections.abc import Sequence
from pathlib import Path

from jaxact.errors import ConfigError

TOPOLOGY = Path("/sys/devices/system/cpu")


def usable() -> list[int]:
    """The numbers of the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def keep_to(cores: Sequence[int]) -> None:
    """Keeps this process, and the threads it starts from now on, to these processors.

    XLA has as many threads as its process may use when it starts: call this before.
    """
    os.sched_setaffinity(0, cores)


def in_words(cores: Sequence[int]) -> str:
    """The numbers of processors as Linux lists them.

    >>> in_words([0, 1, 2, 5, 7, 8])
    '0-2,5,7-8'
    """
    parts: list[list[int]] = []
    for core in cores:
        if parts and core == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], core]
        else:
            parts.append([core])
    return ",".join("-".join(map(str, part)) for part in parts)


def disjoint(sets: int, size: int) -> list[list[int]]:
    """So many sets of usable processors, without one in common.

    They are of different physical cores as far as there are enough; where a set has several
    processors of one physical core, no other set has one of it, unless nothing else is left.

    Args:
      sets: how many.
      size: of each.

    Raises:
      ConfigError: there are too few, or the system cannot keep a process to some.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise ConfigError(
            f"--parallel={sets} keeps each run to cores of its own, which this system cannot do: "
            "leave it out, or give the command on Linux"
        )
    physical = physical_cores(usable())
    ordered = [core for siblings in physical for core in siblings]
    if (most := len(ordered) // size) < sets:
        raise ConfigError(
            f"--parallel={sets} with {_cores(size)} for each run is more than the "
            f"{_cores(len(ordered))} that can be used here: at most --parallel={most}"
            if most
            else f"--cpus_per_run={size} is more than the {_cores(len(ordered))} that can be used "
            "here"
        )
    if sets * size <= len(physical):
        ordered = [siblings[0] for siblings in physical]
    return [sorted(ordered[place * size :][:size]) for place in range(sets)]


def _cores(count: int) -> str:
    return f"{count} core{'s' * (count != 1)}"


def physical_cores(cores: Sequence[int], topology: Path = TOPOLOGY) -> list[list[int]]:
    """Processors by the physical core that they are threads of, those of one socket together.

    Each stands alone where the system does not tell.
    """
    groups: dict[tuple[int, int], list[int]] = {}
    for core in cores:
        try:
            folder = topology / f"cpu{core}" / "topology"
            socket, number = (
                int((folder / name).read_text()) for name in ("physical_package_id", "core_id")
            )
        except (OSError, ValueError):
            socket, number = -1, core
        groups.setdefault((socket, number), []).append(core)
    return [groups[key] for key in sorted(groups)]
