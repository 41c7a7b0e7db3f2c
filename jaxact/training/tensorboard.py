"""Event files for TensorBoard, written where an error can be seen.

tensorboardX's own writer writes in a thread; on a full disk that thread dies, and the run would
wait for it for ever.
"""

import os
import time
from pathlib import Path
from typing import Any

from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto import event_pb2

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
        self._writer = EventsWriter(str(folder / "events"), f".{os.getpid()}")
        if purge_step:
            start = _messages.SessionLog(status=_messages.SessionLog.START)
            self._writer.write_event(_messages.Event(step=purge_step, session_log=start))

    def add_scalar(self, name: str, value: float, global_step: int) -> None:
        event = _messages.Event(step=global_step, summary=summary.scalar(name, value))
        event.wall_time = time.time()
        self._writer.write_event(event)

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
