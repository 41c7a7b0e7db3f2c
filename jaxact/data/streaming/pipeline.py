"""Batches of images in their order, read ahead by Grain in threads or in other processes."""

import contextlib
import functools
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absl import flags

from jaxact.data.streaming.images import Batch, Source, usable_cores
from jaxact.data.streaming.plans import Plan
from jaxact.errors import DataError
from jaxact.packages import needed_for

MOST_WORKERS, CORES_A_WORKER = 16, 2
FEWEST_CORES = 4  # with fewer, a process of its own would take more from training than it gives
MOST_THREADS = 4
_GRACE_SECONDS = 300.0


def check_installed(what: str) -> None:
    """Raises DataError where Grain is missing, without which `what` cannot be streamed."""
    with needed_for(what, DataError):
        import grain  # noqa: F401


def default_workers(source: Source) -> int:
    """The processes that read a source unless the user says: none where threads are as good."""
    cores = usable_cores()
    if not source.is_slow or cores < FEWEST_CORES:
        return 0
    return min(cores // CORES_A_WORKER, MOST_WORKERS)


class _Batches:
    """A source, as Grain has it: the batches of a plan from one on, by their numbers."""

    def __init__(self, source: Source, plan: Plan, begin: int):
        self._source, self._plan, self._begin = source, plan, begin

    def __len__(self) -> int:
        return len(self._plan) - self._begin

    def __getitem__(self, number: int) -> dict[str, Any]:
        return self._source.read(self._plan[self._begin + number])._asdict()


class Stream(Iterator[Batch]):
    """The batches of a plan, read ahead.

    Which batch comes next follows from the plan and where it began: there is no other state.

    Args:
      source: of the images; sent to each process.
      plan: which images each batch holds; sent likewise.
      begin: the first batch.
      workers: processes that read; 0: threads of this one.
      folder: removed by processes that read when this one was killed.

    Raises:
      DataError: Grain is not installed.
    """

    def __init__(
        self,
        source: Source,
        plan: Plan,
        begin: int = 0,
        workers: int = 0,
        folder: Path | None = None,
    ):
        check_installed("a stream of images")
        import grain

        if not flags.FLAGS.is_parsed():  # Grain asks for flags of its own: they have their defaults
            flags.FLAGS.mark_as_parsed()
        self.workers = workers
        threads = 1 if self.workers else min(usable_cores(), MOST_THREADS)
        batches: Any = _Batches(source, plan, begin)
        dataset = grain.MapDataset.source(batches).to_iter_dataset(
            grain.ReadOptions(num_threads=threads, prefetch_buffer_size=threads + 1)
        )
        if self.workers:
            dataset = dataset.mp_prefetch(
                grain.MultiprocessingOptions(num_workers=self.workers),
                worker_init_fn=functools.partial(_begin_worker, folder),
            )
        self._batches: Any = iter(dataset)
        self._unstarted = self.workers

    def __next__(self) -> Batch:
        try:
            if self._unstarted:  # Grain starts a process when it wants the first of its batches
                self._unstarted -= 1
                with _without_main():
                    return Batch(**next(self._batches))
            return Batch(**next(self._batches))
        except RuntimeError as error:
            if "Worker process" not in str(error):
                raise
            raise DataError(
                "a process that read images was ended from outside, for want of memory perhaps: "
                "give the same command again, or read with fewer, --config.loading_workers="
                f"{self.workers // 2}"
            ) from error

    def close(self) -> None:
        """Ends processes and threads; what they read ahead is given up."""
        batches, self._batches = self._batches, iter(())
        if hasattr(batches, "close"):
            batches.close()


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """A block in which processes start that shall not run this program's main module again.

    They need nothing of it, and it would cost each all of its imports; a program without
    `if __name__ == "__main__"` would begin anew in each.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _begin_worker(folder: Path | None, index: int, count: int) -> None:
    """Prepares a process that reads: it ends with the one that wants its images, however."""
    del index, count
    warnings.simplefilter("ignore")  # what is odd was told when all images were surveyed
    # Signals of a terminal or a scheduler go to all processes; the one that trains decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    late = threading.Timer(_GRACE_SECONDS, os._exit, (0,))
    late.daemon = True
    signal.signal(signal.SIGTERM, lambda *_: None if late.is_alive() else late.start())
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
