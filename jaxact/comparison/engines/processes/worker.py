"""A process that makes runs of a comparison for another, one after the other.

It takes runs as lines of JSON on its standard input, and tells of them by lines on its standard
output. It keeps data and compiled programs from run to run. SIGTERM and SIGINT ask the run at hand
to stop; where the other process ends, its end of the input closes, and this one ends with it.
"""

import json
import os
import pickle
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxact.comparison.engines.attempts import perform
from jaxact.comparison.engines.terms import Terms
from jaxact.runs.process.signals import stop_on_signals

ENDED = "ended"


def main(terms: str) -> None:
    """Makes runs until the input ends.

    Args:
      terms: the file of the pickled `Terms`.
    """
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what functions of the user's print is no message
    lock = threading.Lock()

    def send(event: str, values: Any) -> None:
        try:
            with lock:
                told.write(json.dumps([event, values]) + "\n")
                told.flush()
        except OSError:  # nobody reads: the other process has ended
            os._exit(1)

    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines.put,), name="runs", daemon=True).start()
    with stop_on_signals() as stop:
        agreed: Terms = pickle.loads(Path(terms).read_bytes())
        agreed.take()
        while True:
            send(ENDED, perform(json.loads(lines.get()), agreed, send, stop))


def _read(put: Callable[[str], None]) -> None:
    for line in sys.stdin:
        put(line)
    os._exit(0)
