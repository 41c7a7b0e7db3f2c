"""Event files for TensorBoard, written where an error can be seen.

tensorboardX's own writer writes in a thread; on a full disk that thread dies, and the run would
wait for it for ever. Its `EventsWriter` leaves a file that it could not flush open, of which
Python 3.13 complains at the end; so records are written here.
"""

import contextlib
import itertools
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboardX import summary
from tensorboardX.proto import event_pb2, summary_pb2
from tensorboardX.record_writer import RecordWriter

# Their classes are made when they are imported; no type checker sees them.
_messages: Any = event_pb2
_summaries: Any = summary_pb2
# The figures beside the hyperparameters on TensorBoard's page of them.
SHOWN = ("test_accuracy", "test_loss", "validation_accuracy", "train_loss", "train_seconds")


class Events:
    """A new event file in a folder.

    Args:
      folder: made if it is not there.
      step: after which this file goes on: TensorBoard forgets what earlier files of the folder
        hold of later ones, which are trained again; 0: there are none.
      fields: of the configuration, by name: the run's hyperparameters, on a page of their own.
    """

    def __init__(self, folder: Path, step: int, fields: Mapping[str, Any]):
        folder.mkdir(exist_ok=True)
        self._writer = RecordWriter(str(_new_file(folder)))
        kept = {name: "null" if value is None else value for name, value in fields.items()}
        experiment, begin, self._end = summary.hparams(kept, dict.fromkeys(SHOWN))
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)
            self._write(file_version="brain.Event:2")
            if step:
                start = _messages.SessionLog(status=_messages.SessionLog.START)
                self._write(step=step + 1, session_log=start)
            self._write(summary=experiment)
            self._write(summary=begin)
            stack.pop_all()

    def add_scalar(self, name: str, value: float, global_step: int) -> None:
        """Adds a figure; its name may hold any sign, as specs do."""
        one = _summaries.Summary.Value(tag=name, simple_value=float(value))
        self._write(step=global_step, summary=_summaries.Summary(value=[one]))

    def end(self) -> None:
        """Marks the run as one that has trained all its epochs."""
        self._write(summary=self._end)

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


def _new_file(folder: Path) -> Path:
    """A file of the name that TensorBoard looks for, which none before it has had.

    A process may go on with a run in the second in which it has stopped.
    """
    name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
    paths = (folder / f"{name}.{number}" for number in itertools.count())
    return next(path for path in paths if not path.exists())
