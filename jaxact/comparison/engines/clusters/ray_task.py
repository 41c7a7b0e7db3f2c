"""The start of a run in a process of a Ray cluster, before jaxact can be imported there.

It travels by value and imports Python's own alone: jaxact comes with the task, as it is where the
comparison is made.
"""

import contextlib
import hashlib
import os
import pickle
import sys
import tempfile


class Board:
    """The actor by which tasks tell of their runs, and are told to stop."""

    def __init__(self):
        self._told = []
        self._is_stopped = False

    def tell(self, run, event, values):
        self._told.append((run, event, values))

    def collect(self):
        """The messages told since the last time: `(run, event, values)`."""
        told, self._told = self._told, []
        return told

    def stop(self):
        self._is_stopped = True

    def is_stopped(self):
        return self._is_stopped


def start(sources, packed, board):
    """Makes a run: the task.

    Args:
      sources: the source files by their path, such as "jaxact/config.py".
      packed: the pickled arguments of `jaxact.comparison.engines.clusters.ray_node.make`.
      board: a handle of the `Board`.

    Returns:
      As `make`: how the run ended, and its files.
    """
    sums = hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()[:16]
    place = os.path.join(tempfile.gettempdir(), f"jaxact-{os.getuid()}-{sums}")
    if not os.path.isdir(place):
        new = tempfile.mkdtemp(prefix="jaxact-")
        for name, content in sources.items():
            path = os.path.join(new, *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
        with contextlib.suppress(OSError):  # another task was sooner: its files are the same
            os.rename(new, place)
    sys.path.insert(0, place)
    from jaxact.comparison.engines.clusters import ray_node

    return ray_node.make(*pickle.loads(packed), board=board)
