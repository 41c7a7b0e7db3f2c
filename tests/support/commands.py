"""Commands of jaxact in processes of their own, started without the seconds that imports take."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxact.runs.process import huge_pages
from tests.support.paths import ROOT, python_path


class Ended(NamedTuple):
    """How a command ended: its exit code, negative for a signal; what it printed; its seconds."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float


class Commands(contextlib.AbstractContextManager["Commands"]):
    """Starts commands one after the other, in processes forked from one with the imports done.

    It starts with the first command. What starts and ends a process is tested where the command is
    started for itself, as `python -m` does: large pages, signals during the imports.

    Args:
      environment: what the commands' differs in from this process's, as that is now.
    """

    def __init__(self, environment: Mapping[str, str] | None = None):
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __exit__(self, *exception: object) -> None:
        if self._process is not None:
            self._process.communicate()

    def _ask(self, request: Sequence[Any]) -> Any:
        """Hands a request over; gives the stream that its answers come from."""
        if self._process is None:
            own = {"PYTHONPATH": python_path(ROOT), huge_pages.SWITCH: "0", "PYTHONHASHSEED": "0"}
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("warm_process.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,  # what is read ahead is hidden from select
                cwd=ROOT,
                env=self._environment | own,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        return self._process.stdout

    def run(
        self,
        module: str,
        *arguments: str,
        cwd: Path = ROOT,
        kill_after: float | None = None,
        signal_once: tuple[int, Path] | None = None,
    ) -> Ended:
        """Runs a command to its end.

        Args:
          kill_after: seconds after which it gets SIGKILL.
          signal_once: a signal, and the file that it gets it for, once that is there.
        """
        with tempfile.TemporaryDirectory() as folder:
            output, errors = Path(folder, "output"), Path(folder, "errors")
            answers = self._ask([module, arguments, str(cwd), str(output), str(errors)])
            number, begin = int(answers.readline()), time.monotonic()
            if signal_once is not None:
                while not signal_once[1].exists() and not select.select([answers], [], [], 0.01)[0]:
                    pass
            if signal_once is not None or not select.select([answers], [], [], kill_after)[0]:
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    os.kill(number, signal.SIGKILL if signal_once is None else signal_once[0])
            code, seconds = int(answers.readline()), time.monotonic() - begin
            printed, said = (path.read_text() if path.exists() else "" for path in (output, errors))
            return Ended(code, printed, said, seconds)
