"""A worker of this machine as the process that started it sees it: a slot, and what runs there."""

import collections
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from jaxact.comparison.engines.engine import Ended
from jaxact.comparison.live import FollowedRun
from jaxact.comparison.study import FAILED
from jaxact.config import Config

# Cores first: NumPy and XLA start as many threads as the process may use.
_START = (
    "import json, os, sys; path, cores, terms = json.loads(sys.argv[1]); "
    "os.sched_setaffinity(0, cores); sys.path[:] = path; "
    "from jaxact.comparison.engines.processes import worker; worker.main(terms)"
)
KEPT_LINES = 20  # of what a worker printed last
END_SECONDS = 10.0  # for a process to end by itself


@dataclasses.dataclass(frozen=True)
class Slot:
    """A place for one run at a time: what is its own on this machine.

    Attributes:
      cores: the numbers of its processors.
      variables: of the environment, that give it its devices.
    """

    cores: Sequence[int]
    variables: Mapping[str, str]


class Worker:
    """A process in a slot.

    Attributes:
      config: the run at hand; None: there is none.
      followed: shows it.
      programs: which the process has compiled, or read: (data set, activation, rate).
    """

    def __init__(self, slot: Slot, terms: Path):
        self.config: Config | None = None
        self.followed: FollowedRun | None = None
        self.programs: set[tuple[str, str, float]] = set()
        self._is_told_to_stop = False
        self._said: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._parts: dict[int, bytes] = {}
        words = json.dumps([[os.path.abspath(p) for p in sys.path], [*slot.cores], str(terms)])
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **slot.variables},
            start_new_session=True,  # Ctrl-C is this process's, which passes the request on
        )
        assert self._process.stdin
        assert self._process.stdout
        assert self._process.stderr
        self._input: IO[bytes] = self._process.stdin
        self.messages, self.errors = self._process.stdout, self._process.stderr
        for stream in (self.messages, self.errors):
            os.set_blocking(stream.fileno(), False)

    def begin(self, config: Config, job: Mapping[str, Any], followed: FollowedRun) -> None:
        """Hands a run over; what comes of it is a message."""
        self.config, self.followed = config, followed
        self.programs.add((config.dataset, config.activation, config.learning_rate))
        with contextlib.suppress(BrokenPipeError):  # it has died, which its messages tell
            self._input.write(json.dumps(job).encode() + b"\n")
            self._input.flush()

    def free(self) -> Config:
        """The run that was at hand: the worker can have another."""
        assert self.config is not None
        config, self.config, self.followed = self.config, None, None
        return config

    def ask_to_stop(self) -> None:
        """Has the run at hand end with a checkpoint; asks once."""
        if not self._is_told_to_stop:
            self._is_told_to_stop = True
            self._process.terminate()

    def lines(self, stream: IO[bytes]) -> Iterator[str]:
        """The lines that came on one of its streams."""
        key = stream.fileno()
        try:
            content = os.read(key, 2**16)
        except BlockingIOError:
            return
        *whole, self._parts[key] = (self._parts.get(key, b"") + content).split(b"\n")
        for line in whole:
            text = line.decode(errors="replace")
            if stream is self.errors:
                self._said.append(text)
            yield text

    def is_dead(self) -> bool:
        """Whether the process has ended; whatever it had sent may not be read yet."""
        return self._process.poll() is not None

    def death(self) -> Ended:
        """The end of the run at hand, whose process ended: how it did, and what it said last."""
        code = self._process.wait()
        how = f"ended with exit code {code}"
        if code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
            how += ", as a system does that is out of memory" * (-code == signal.SIGKILL)
        return Ended(FAILED, f"its process {how}", "\n".join([f"its process {how}", *self._said]))

    def end(self) -> None:
        """Ends the process: at once, whatever it does."""
        for stream in (self._input, self.messages, self.errors):
            with contextlib.suppress(OSError):  # a line that nobody will read
                stream.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
