"""SIGTERM and SIGINT ask a run to stop; the loop answers between two dispatches.

The first signal is a request, and where nothing would be lost it is answered at once. The second
ends the process, whatever it is doing.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator, Sequence

from jaxact.errors import Interrupted

NUMBERS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Whether a signal has asked to stop, and which.

    Args:
      ends_on_second: whether the second signal ends the process at once; else it is raised as
        `KeyboardInterrupt`, wherever the program is.
    """

    def __init__(self, ends_on_second: bool = True) -> None:
        self._ends_on_second = ends_on_second
        self.signal: signal.Signals | None = None
        self._how_to_go_on: str | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    @property
    def name(self) -> str:
        """The signal's name, such as "SIGTERM"."""
        return self.signal.name if self.signal is not None else "no signal"

    def receive(self, number: int, frame: object) -> None:
        """The signal handler."""
        del frame
        if self.signal is not None:
            if not self._ends_on_second:
                raise KeyboardInterrupt
            os._exit(128 + number)
        self.signal = signal.Signals(number)
        self._answer()

    @contextlib.contextmanager
    def nothing_to_save(self, how_to_go_on: str) -> Iterator[None]:
        """A block that may be left anywhere: a signal ends it as soon as Python can.

        Args:
          how_to_go_on: ends the message.

        Raises:
          Interrupted: a signal came before or within the block.
        """
        self._how_to_go_on = how_to_go_on
        try:
            self._answer()
            yield
            self._answer()  # a library may have swallowed the exception
        finally:
            self._how_to_go_on = None

    def _answer(self) -> None:
        if self.signal is not None and self._how_to_go_on is not None:
            raise Interrupted(f"stopped by {self.name}; {self._how_to_go_on}")


@contextlib.contextmanager
def stop_on_signals(
    numbers: Sequence[signal.Signals] = NUMBERS, ends_on_second: bool = True
) -> Iterator[StopRequest]:
    """Catches signals within the block, SIGTERM and SIGINT if not told; in the main thread only.

    Args:
      ends_on_second: as `StopRequest` takes it.
    """
    request = StopRequest(ends_on_second)
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request.receive) for number in numbers}
    try:
        with _second_ends_at_once() if ends_on_second else contextlib.nullcontext():
            yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _second_ends_at_once() -> Iterator[None]:
    """Ends the process on a second signal while the main thread is busy in compiled code.

    A handler in Python has to wait for that code to return. The system's own handler does not: it
    writes a byte into a pipe, which a thread reads.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def count() -> None:
        seen = 0
        while byte := os.read(reader, 1):
            seen += byte[0] in NUMBERS
            if seen == 2:
                os._exit(128 + byte[0])
        os.close(reader)

    threading.Thread(target=count, name="second signal", daemon=True).start()
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writer)


def end_on_signals() -> None:
    """Ends the process with exit code 75 on SIGTERM and SIGINT: for before and after a run.

    Before, nothing has been written; after, everything.
    """

    def end(number: int, frame: object) -> None:
        del frame
        name = signal.Signals(number).name
        text = f"jaxact: stopped by {name}; nothing is lost: give the same command to go on\n"
        os.write(2, text.encode())
        os._exit(Interrupted.exit_code)

    for number in NUMBERS:
        signal.signal(number, end)
