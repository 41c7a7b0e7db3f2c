"""Event files for TensorBoard, written where an error can be seen.

tensorboardX's own writer writes in a thread; on a full disk that thread dies, and the run would
wait for it for ever. Its `EventsWriter` leaves a file that it could not flush open, of which
Python 3.13 complains at the end; so records are written here.
"""

import os
import socket
import time
from pathlib import Path
from typing import Any

from tensorboardX import summary
from tensorboardX.proto import event_pb2
from tensorboardX.record_writer import RecordWriter

_messages: Any = event_pb2  # its classes are made when it is imported; no type checker sees them


class Events:
    """A new event file in a folder.

    Args:
      folder: made if it is not there.
      purge_step: TensorBoard forgets what earlier files of the folder hold from this step on; 0:
        there are none.
    """

    def __init__(self, folder: Path, purge_step: int):
        folder.mkdir(exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        self._writer = RecordWriter(str(folder / name))
        self._write(file_version="brain.Event:2")
        if purge_step:
            start = _messages.SessionLog(status=_messages.SessionLog.START)
            self._write(step=purge_step, session_log=start)

    def add_scalar(self, name: str, value: float, global_step: int) -> None:
        self._write(step=global_step, summary=summary.scalar(name, value))

    def _write(self, **content: Any) -> None:
        event = _messages.Event(wall_time=time.time(), **content)
        self._writer.write(event.SerializeToString())

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        """Closes the file, also where what is left does not fit: that raises OSError."""
        try:
            self._writer.flush()
        finally:
            self._writer.close()
