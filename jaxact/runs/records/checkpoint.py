"""Checkpoints of a run; the only module that knows Orbax.

A checkpoint is written under a hidden name, sealed with the checksums of its files, and renamed to
its step: a folder whose name is a number is whole, or was damaged later, which the checksums tell.
"""

import concurrent.futures
import contextlib
import copy
import dataclasses
import errno
import functools
import logging
import os
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from jaxact.errors import WorkdirError
from jaxact.runs.records import checksums
from jaxact.training.state import Totals, TrainState

KEPT = 2  # the newest, and the one before it in case the newest is damaged
OVERHEAD_BYTES = 2**18  # of a checkpoint: its metadata, rounded up
_SAVING, _DELETING = ".saving-", ".deleting-"  # what a killed process leaves of these is removed
DAMAGED = "damaged-"


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """All that a resumed run needs to go on as if it had not stopped.

    Attributes:
      state: of training.
      totals: of the epoch at hand; zero at an epoch's end.
      progress: JSON values: the clock's readings, and the rows of metrics and health so far.
      best: with early stopping, the variables of the epoch with the lowest validation loss so far
        (before the first has ended, the initial ones); None without.
    """

    state: TrainState
    totals: Totals
    progress: dict[str, Any]
    best: Any = None

    @property
    def chosen(self) -> TrainState:
        """The state with the parameters that the run ends in: the best epoch's, or the last."""
        return self.state if self.best is None else dataclasses.replace(self.state, **self.best)


def _not_of_orbax(record: logging.LogRecord) -> bool:
    # It logs the traceback of what it raises; the user gets one line, from whoever catches it.
    return "orbax" not in record.pathname


@functools.cache
def _hush_late_writes() -> None:
    """Silences threads of Orbax's file system library that come to an event loop that is closed.

    Where a file cannot be written, saving ends with the first error, and its loop with it; the
    writes that were under way then print a traceback each. The error itself is raised.
    """
    before = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        error = unraisable.exc_value
        if not (isinstance(error, RuntimeError) and str(error) == "Event loop is closed"):
            before(unraisable)

    sys.unraisablehook = hook


class Checkpoints(contextlib.AbstractContextManager["Checkpoints"]):
    """The `checkpoints/` folder of a run, each checkpoint named by its step.

    Saving goes on in the background; leaving the context waits for it.

    Attributes:
      warnings: what the user should know of damaged checkpoints, a line each.
      seconds: what saving has taken so far, the writing in the background included.
    """

    def __init__(self, directory: Path):
        self.warnings: list[str] = []
        self.seconds = 0.0
        logging.getLogger("absl").addFilter(_not_of_orbax)
        _hush_late_writes()
        self._directory = directory.resolve()
        self._directory.mkdir(parents=True, exist_ok=True)
        for prefix in (_SAVING, _DELETING):
            for folder in self._directory.glob(f"{prefix}*"):
                shutil.rmtree(folder, ignore_errors=True)
        self._orbax = ocp.Checkpointer(
            ocp.CompositeCheckpointHandler(
                state=ocp.StandardCheckpointHandler(), progress=ocp.JsonCheckpointHandler()
            )
        )
        self._writer = concurrent.futures.ThreadPoolExecutor(1, "checkpoint")
        self._saving: concurrent.futures.Future[None] | None = None

    def __exit__(self, *exception: object) -> None:
        try:
            self.wait()
        finally:
            self._writer.shutdown()
            self._orbax.close()

    def steps(self) -> list[int]:
        """The steps of which there is a checkpoint, damaged or not, in order."""
        folders = self._directory.iterdir()
        return sorted(int(path.name) for path in folders if path.name.isdecimal() and path.is_dir())

    def newest_step(self) -> int | None:
        """The step of the newest checkpoint, or None if there is none."""
        self.wait()
        return max(self.steps(), default=None)

    def save(self, snapshot: Snapshot) -> None:
        """Saves a snapshot under its step; its arrays are copied first and may be donated after.

        Raises:
          WorkdirError: the save before this one failed.
        """
        self.wait()
        with self._timing():
            tree = jax.tree.map(lambda leaf: np.array(leaf, copy=True), _as_tree(snapshot))
            step, progress = int(snapshot.state.step), copy.deepcopy(snapshot.progress)
        self._saving = self._writer.submit(self._write, step, tree, progress)

    def wait(self) -> None:
        """Waits until the last snapshot is on disk.

        Raises:
          WorkdirError: it could not be saved.
        """
        saving, self._saving = self._saving, None
        if saving is not None:
            try:
                saving.result()
            except Exception as error:  # whatever Orbax and its file system library raise
                raise WorkdirError(
                    f"a checkpoint could not be saved in {self._directory} ({_one_line(error)}); "
                    f"what is there is whole: {_way_out()}, and give the same command to go on"
                ) from error

    def restore(self, like: Snapshot) -> Snapshot:
        """The newest checkpoint that is not damaged, with `like`'s structure, shapes and dtypes.

        Damaged ones that are newer are renamed, with a line in `warnings`.

        Raises:
          WorkdirError: all are damaged; none of them is renamed then, so that the run cannot start
            again unasked.
        """
        self.wait()
        damaged: dict[int, str] = {}
        for step in reversed(self.steps()):
            reason = checksums.damage(self._directory / str(step))
            if reason is None:
                try:
                    snapshot = self._read(step, like)
                except Exception as error:  # whole, but not a checkpoint of this program
                    reason = f"it does not fit this run: {_one_line(error)}"
                else:
                    for bad, why in damaged.items():
                        self._set_aside(bad, why, step)
                    return snapshot
            damaged[step] = reason
        reasons = "; ".join(f"step {step}: {reason}" for step, reason in damaged.items())
        raise WorkdirError(
            f"no checkpoint in {self._directory} can be used ({reasons}): bring one back from a "
            "copy, or remove that folder to train from the start"
        )

    def _read(self, step: int, like: Snapshot) -> Snapshot:
        tree = jax.tree.map(ocp.tree.to_shape_dtype_struct, _as_tree(like))
        restored = self._orbax.restore(
            self._directory / str(step),
            args=ocp.args.Composite(
                state=ocp.args.StandardRestore(tree), progress=ocp.args.JsonRestore()
            ),
        )
        leaves = jax.tree.leaves(restored["state"])
        structure = jax.tree.structure((like.state, like.totals, like.best))
        state, totals, best = jax.tree.unflatten(structure, leaves)
        return Snapshot(state, totals, restored["progress"], best)

    @contextlib.contextmanager
    def _timing(self) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:  # never at once in two threads: a save begins by waiting for the one before
            self.seconds += time.perf_counter() - begin

    def _write(self, step: int, tree: list[Any], progress: dict[str, Any]) -> None:
        with self._timing():
            self._write_files(step, tree, progress)

    def _write_files(self, step: int, tree: list[Any], progress: dict[str, Any]) -> None:
        saving = self._directory / f"{_SAVING}{step}"
        # Asked first: on a full disk Orbax's file system library prints many tracebacks of its own.
        needed_bytes = size_bytes(tree)
        if shutil.disk_usage(self._directory).free < needed_bytes:
            raise OSError(errno.ENOSPC, f"no space for {needed_bytes:,} bytes", str(saving))
        self._orbax.save(
            saving,
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(tree), progress=ocp.args.JsonSave(progress)
            ),
            force=True,
        )
        checksums.seal(saving)
        self._remove(step)
        os.replace(saving, self._directory / str(step))
        checksums.sync_folder(self._directory)
        for old in self.steps()[:-KEPT]:
            self._remove(old)

    def _remove(self, step: int) -> None:
        # Renamed first: what a killed process leaves must not look like a damaged checkpoint.
        deleting = self._directory / f"{_DELETING}{step}"
        with contextlib.suppress(FileNotFoundError):
            os.replace(self._directory / str(step), deleting)
            shutil.rmtree(deleting)

    def _set_aside(self, step: int, reason: str, used: int) -> None:
        names = (f"{DAMAGED}{step}{suffix}" for suffix in ("", *(f"-{n}" for n in range(2, 1000))))
        aside = next(path for name in names if not (path := self._directory / name).exists())
        os.replace(self._directory / str(step), aside)
        self.warnings.append(
            f"warning: the checkpoint of step {step} is damaged ({reason}); it is now {aside}, and "
            f"the one of step {used} is used"
        )


def size_bytes(tree: Any) -> int:
    """Bytes that a checkpoint of a tree of arrays takes on disk, rounded up."""
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree)) + OVERHEAD_BYTES


def _as_tree(snapshot: Snapshot) -> list[Any]:
    # Leaves alone: Orbax then needs no knowledge of our classes or of optax's.
    return jax.tree.leaves((snapshot.state, snapshot.totals, snapshot.best))


def _way_out() -> str:
    """The advice for where a file cannot be written."""
    limit_bytes, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit_bytes == resource.RLIM_INFINITY:
        return "make room there, or make it writable"
    return f"raise the limit of {limit_bytes:,} bytes a file (`ulimit -f`), or make room there"


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"
