"""SIGTERM and SIGINT ask a run to stop; the loop answers between two dispatches."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator


class StopRequest:
    """Whether a signal has asked the run to stop, and which."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    @property
    def name(self) -> str:
        """The signal's name, such as "SIGTERM"."""
        return self.signal.name if self.signal is not None else "no signal"

    def receive(self, number: int, frame: object) -> None:
        """The signal handler. A second signal ends the process at once."""
        del frame
        if self.signal is not None:
            os._exit(128 + number)
        self.signal = signal.Signals(number)


@contextlib.contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Catches SIGTERM and SIGINT within the block; in the main thread only."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, request.receive) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
