"""A run of a comparison as a node of a Ray cluster makes it."""

import contextlib
import signal
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jaxact.comparison.engines.attempts import perform
from jaxact.comparison.engines.clusters import claims, files
from jaxact.comparison.engines.terms import Terms
from jaxact.compilation import compiler
from jaxact.runs.process import cores, shared_machine
from jaxact.runs.process.signals import StopRequest

ASK_SECONDS = 0.5  # between two questions whether to stop


def make(
    label: str,
    job: dict[str, Any],
    terms: Terms,
    content: Mapping[str, bytes],
    storage: Path | None,
    needs: Mapping[str, int],
    board: Any,
) -> tuple[tuple[str, ...], dict[str, bytes]]:
    """Makes a run on a node.

    Args:
      label: of the run.
      job: as `jaxact.comparison.engines.attempts.perform` takes it, without the folder.
      content: the files that the run has so far.
      storage: the folder to make it in; None: one of the node's own.
      needs: the resources of the task.
      board: told of the progress, and asked whether to stop.

    Returns:
      How it ended, and its files.
    """
    import ray  # pyright: ignore[reportMissingImports]

    stop = AskedToStop(lambda: ray.get(board.is_stopped.remote()))
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(claims.claimed(needs["num_cpus"]))
        if own:
            cores.keep_to(own)
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="jaxact-"))
        folder = Path(temporary) / "run" if storage is None else storage
        is_behind = files.newest_step(folder) < files.newest_step(content)
        if content and (is_behind or not folder.exists()):
            files.replace(folder, content)
        terms.take(compiler.default_folder())
        job["placed"] |= {shared_machine.RUNS_AT_ONCE: _runs_at_once(ray, needs)}
        send = lambda event, values: board.tell.remote(label, event, values)  # noqa: E731
        ended = perform({**job, "folder": str(folder)}, terms, send, stop)
        return tuple(ended), files.read(folder)


def _runs_at_once(ray: Any, needs: Mapping[str, int]) -> int:
    """The runs that the node of this task has room for."""
    name = ray.get_runtime_context().get_node_id()
    (node,) = (node for node in ray.nodes() if node["NodeID"] == name)
    return max(int(node["Resources"].get("CPU", 1) // needs["num_cpus"]), 1)


class AskedToStop(StopRequest):
    """A request to stop that is asked for from time to time, in a thread.

    Args:
      asked: whether to stop.
    """

    def __init__(self, asked: Callable[[], bool]):
        super().__init__()
        self._asked = asked
        threading.Thread(target=self._ask, name="stop", daemon=True).start()

    def _ask(self) -> None:
        wait = threading.Event()
        with contextlib.suppress(Exception):  # the cluster is gone, and this process goes with it
            while not self._asked():
                wait.wait(ASK_SECONDS)
            self.signal = signal.SIGTERM
