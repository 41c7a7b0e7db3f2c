"""Runs as users make them, in processes that are watched: their memory, and what they trained."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.contenders.workers import ROOT, WorkerError
from jaxact.runs.records import record_files

POLL_SECONDS = 0.1
MIB = 2**20
TIMES = ("seconds", "per_second", "_ms")  # in the names of figures that no two runs share


class Memory(NamedTuple):
    """The most that all processes of a run held at once, in MiB.

    Attributes:
      resident: their resident sets added up: what they share is in it once for each.
      proportional: what they share divided among them; 0 where the system does not tell.
    """

    resident: float
    proportional: float


def command(fields: Mapping[str, Any], workdir: Path) -> list[str]:
    words = [f"--config.{name}={value}" for name, value in fields.items()]
    return [sys.executable, "-m", "jaxact.main", f"--workdir={workdir}", *words]


def run(
    fields: Mapping[str, Any],
    workdir: Path,
    environment: Mapping[str, str],
    until: Callable[[], bool] = lambda: False,
) -> Memory:
    """Makes a run, or kills it with SIGKILL as soon as something holds.

    Raises:
      WorkerError: it failed.
    """
    log = workdir.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as messages:
        process = subprocess.Popen(
            command(fields, workdir), cwd=ROOT, env=environment, stdout=messages, stderr=messages
        )
        most = Memory(0, 0)
        while process.poll() is None:
            held = held_by(process.pid)
            most = Memory(*map(max, zip(most, held, strict=True)))
            if until():
                process.kill()
                process.wait()
                return most
            time.sleep(POLL_SECONDS)
    if process.returncode:
        raise WorkerError(f"a run ended with {process.returncode}: {log.read_text()[-300:]}")
    return most


def held_by(number: int) -> Memory:
    """The memory of a process and of those that it has started, now."""
    resident = proportional = 0
    try:
        first = psutil.Process(number)
        processes = [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return Memory(0, 0)
    for process in processes:
        try:
            resident += process.memory_info().rss
            proportional += getattr(process.memory_full_info(), "pss", 0)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return Memory(resident / MIB, proportional / MIB)


def images_per_second(workdir: Path, batch_size: int) -> float:
    """From the end of the first epoch, which warms up, to the last one's, on the training clock."""
    rows = record_files.read_rows(workdir / record_files.METRICS)
    steps = rows[-1]["step"] - rows[0]["step"]
    return steps * batch_size / (rows[-1]["train_seconds"] - rows[0]["train_seconds"])


def differences(one: Path, other: Path) -> float:
    """The largest difference of any figure of two runs' epochs, but for times; 0: bit for bit."""
    pairs = zip(
        *(record_files.read_rows(workdir / record_files.METRICS) for workdir in (one, other)),
        strict=True,
    )
    return max(
        abs(float(first[name] or 0) - float(second[name] or 0))
        for first, second in pairs
        for name in first
        if not name.endswith(TIMES)
    )
