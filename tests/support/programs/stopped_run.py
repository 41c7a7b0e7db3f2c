"""Runs that stop where a test says, in processes of their own.

`python -m tests.support.programs.stopped_run LOOKS [--OPTION=VALUE ...]` does what `python -m
jaxact.main` does, asked to stop when it looks for the LOOKS-th time whether it is; 0: it never is;
-LOOKS: it is killed then.
"""

import os
import signal
import sys
from pathlib import Path

from jaxact import command, main
from jaxact.runs import fit
from tests.support import networks as networks
from tests.support.stopping import StopAfter


class KilledAfter(StopAfter):
    def receive(self, number: int, frame: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def run(looks: str, *words: str) -> None:
    options = main.COMMAND.parse(words)
    count = int(looks)
    stop = KilledAfter(-count) if count < 0 else StopAfter(count)
    fit.fit(options.config, Path(options.workdir), stop=stop)


if __name__ == "__main__":
    sys.exit(command.exit_code(lambda: run(*sys.argv[1:])))
