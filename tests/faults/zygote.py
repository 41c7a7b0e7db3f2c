"""Starts runs by forking a process that has done its imports: a kill then costs no new imports.

Reads a JSON list a line: the log file, then the arguments of `python -m jaxact.main`. Answers with
the process's number, and with its exit code once it has ended.
"""

import json
import os
import sys

from absl import app

from jaxact import command_line, main
from jaxact.training import signals


def run(log: str, arguments: list[str]) -> None:
    """What the forked process does: as `python -m jaxact.main` from its imports on."""
    signals.end_on_signals()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    sys.argv = ["jaxact.main", *arguments]
    app.run(main.main, flags_parser=command_line.parse)


if __name__ == "__main__":
    for line in sys.stdin:
        log, *arguments = json.loads(line)
        if (number := os.fork()) == 0:
            run(log, arguments)
        print(number, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), flush=True)
