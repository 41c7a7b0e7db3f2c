"""Runs that are asked to stop at a moment that a test chooses."""

import signal

from jaxact.runs.process.signals import StopRequest


class StopAfter(StopRequest):
    """Asks to stop when it has been looked at so many times: once after each dispatch."""

    def __init__(self, looks: int):
        super().__init__()
        self.looks = looks

    def __bool__(self) -> bool:
        self.looks -= 1
        if self.looks == 0:
            self.receive(signal.SIGTERM, None)
        return self.signal is not None
