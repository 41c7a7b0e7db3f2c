"""Commands that are ended when their time is over, and leave no process behind."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import psutil

from benchmarks.contenders.workers import ROOT
from jaxact.runs.process.signals import StopRequest

POLL_SECONDS = 0.05
GRACE_SECONDS = 2.0  # from the request to end to the end by force, and once more for that

Clock = Callable[[], float]  # seconds


class Ended(NamedTuple):
    """The end of a command.

    Attributes:
      code: its exit code; None: it was ended before it had one.
      seconds: it took.
      last_words: the last line that it wrote to stderr.
    """

    code: int | None
    seconds: float
    last_words: str


def run(
    command: Sequence[str],
    limit_seconds: float,
    stop: StopRequest,
    clock: Clock = time.monotonic,
) -> Ended:
    """Runs a command until it ends, its time is over or `stop` is asked for.

    It has a session of its own, so that Ctrl-C reaches this process alone. Its stdout is this
    process's; its stderr follows when it has ended well.
    """
    begin = clock()
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
        while (code := process.poll()) is None and clock() - begin < limit_seconds and not stop:
            time.sleep(POLL_SECONDS)
        end(process)
        log.seek(0)
        said = log.read()
    if code == 0:
        sys.stderr.write(said)
    return Ended(code, clock() - begin, last_line(said))


def last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def end(process: subprocess.Popen) -> None:
    """Ends a process and all that it started, by force what does not end when it is asked to.

    Args:
      process: the leader of a session; it may have ended already, and left others of it.
    """
    left = members(process)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for one in left:
            with contextlib.suppress(psutil.Error):
                one.send_signal(number)
        give_up = time.monotonic() + GRACE_SECONDS
        while any(map(is_alive, left)) and time.monotonic() < give_up:
            process.poll()
            time.sleep(POLL_SECONDS)
        left = [one for one in {*left, *members(process)} if is_alive(one)]
    process.wait()


def members(process: subprocess.Popen) -> list[psutil.Process]:
    """The living processes of a leader's session, and its descendants of other sessions."""
    found = set()
    for one in psutil.process_iter():
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if os.getsid(one.pid) == process.pid:
                found.add(one)
    if process.poll() is None:  # else its number may be another's by now
        with contextlib.suppress(psutil.Error):
            found |= set(psutil.Process(process.pid).children(recursive=True))
    return [one for one in found if is_alive(one)]


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; what has ended and was not yet asked for its exit code does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
