"""Checkpoints of a run; the only module that knows Orbax.

A checkpoint is written under a hidden name, sealed with the checksums of its files, and renamed to
its step: a folder whose name is a number is whole, or was damaged later, which the checksums tell.
"""

import concurrent.futures
import contextlib
import copy
import errno
import functools
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import numpy as np
import orbax.checkpoint as ocp

from jaxact.errors import Interrupted, WorkdirError
from jaxact.runs.process import hosts
from jaxact.runs.records import checksums
from jaxact.runs.records.snapshot import Names, Snapshot, named, snapshot_of, without_key_types

KEPT = 2  # the newest, and the one before it in case the newest is damaged
OVERHEAD_BYTES = 2**18  # of a checkpoint: its metadata, rounded up
_SAVING, _DELETING = ".saving-", ".deleting-"  # what a killed process leaves of these is removed
DAMAGED = "damaged-"
# Orbax numbers its operations in the process: two at once, in threads, may wait for ever.
_orbax_alone = threading.Lock()

Content = TypeVar("Content")


class Saved(NamedTuple):
    """The content of a checkpoint as Orbax gives it.

    Attributes:
      arrays: by name, nested: "params", "batch_stats", "opt_state", "step", "totals",
        "preprocessing", and "best" with early stopping.
      progress: as in `Snapshot`.
    """

    arrays: dict[str, Any]
    progress: dict[str, Any]


class Found(NamedTuple, Generic[Content]):
    """The newest checkpoint that can be used: its content, its step, and why newer ones cannot."""

    content: Content
    step: int
    damaged: dict[int, str]


def _not_of_orbax(record: logging.LogRecord) -> bool:
    # It logs the traceback of what it raises; the user gets one line, from whoever catches it.
    return "orbax" not in record.pathname


def _hush() -> None:
    logging.getLogger("absl").addFilter(_not_of_orbax)
    _hush_late_writes()


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

    Saving goes on in the background; leaving the context waits for it. Of a run in several
    processes all of them save and restore at once, as Orbax wants it: in one folder that all see,
    where the first one writes.

    Attributes:
      warnings: what the user should know of damaged checkpoints, a line each.
      seconds: what saving has taken so far, the writing in the background included.
    """

    def __init__(self, directory: Path):
        self.warnings: list[str] = []
        self.seconds = 0.0
        _hush()
        self._directory = directory.resolve()
        self._directory.mkdir(parents=True, exist_ok=True)
        for prefix in (_SAVING, _DELETING) if hosts.is_first() else ():
            for folder in self._directory.glob(f"{prefix}*"):
                shutil.rmtree(folder, ignore_errors=True)
        self._orbax = _orbax()
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
        return hosts.of_first(steps_in(self._directory))

    def whole_steps(self) -> list[int]:
        """The steps whose checkpoint is not damaged."""
        return [s for s in self.steps() if checksums.damage(self._directory / str(s)) is None]

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
            copied = jax.tree.map(
                lambda leaf: np.array(without_key_types(leaf), copy=True), snapshot.arrays
            )
            tree = named(copied)  # Orbax then needs no knowledge of our classes or of optax's
            step, progress = int(snapshot.state.step), copy.deepcopy(snapshot.progress)
        self._saving = self._writer.submit(self._write, step, tree, progress)
        if hosts.are_several():  # who meet within Orbax: no step of training may come between
            self.wait()

    def wait(self) -> None:
        """Waits until the last snapshot is on disk.

        Raises:
          WorkdirError: it could not be saved.
        """
        saving, self._saving = self._saving, None
        if saving is not None:
            try:
                saving.result()
            except Interrupted:  # another process is gone
                raise
            except Exception as error:  # whatever Orbax and its file system library raise
                raise WorkdirError(
                    f"a checkpoint could not be saved in {self._directory} ({_one_line(error)}); "
                    f"what is there is whole: {_way_out()}, and give the same command to go on"
                ) from error

    def restore(self, like: Snapshot, step: int | None = None) -> Snapshot:
        """The newest checkpoint that is not damaged, with `like`'s structure, shapes and dtypes.

        Damaged ones that are newer are renamed, with a line in `warnings`.

        Args:
          step: of the only one to take; None: any.

        Raises:
          WorkdirError: all are damaged, or without names; none of them is renamed then, so that the
            run cannot start again unasked.
        """
        self.wait()
        steps = self.steps() if step is None else [step]
        fitted = functools.partial(snapshot_of, like=like)
        found = _newest(self._orbax, self._directory, steps, lambda saved: fitted(*saved))
        for step, reason in found.damaged.items():
            self._set_aside(step, reason, found.step)
        return found.content

    @contextlib.contextmanager
    def _timing(self) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:  # never at once in two threads: a save begins by waiting for the one before
            self.seconds += time.perf_counter() - begin

    def _write(self, step: int, tree: Names, progress: dict[str, Any]) -> None:
        with self._timing():
            self._write_files(step, tree, progress)

    def _write_files(self, step: int, tree: Names, progress: dict[str, Any]) -> None:
        saving = self._directory / f"{_SAVING}{step}"
        # Asked first: on a full disk Orbax's file system library prints many tracebacks of its own.
        needed_bytes = size_bytes(tree)
        with hosts.together():
            if shutil.disk_usage(self._directory).free < needed_bytes:
                raise OSError(errno.ENOSPC, f"no space for {needed_bytes:,} bytes", str(saving))
        with _orbax_alone, hosts.explained():
            self._orbax.save(
                saving,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(tree), progress=ocp.args.JsonSave(progress)
                ),
                force=True,
            )
        hosts.by_first(functools.partial(self._publish, saving, step))

    def _publish(self, saving: Path, step: int) -> None:
        checksums.seal(saving)
        self._remove(step)
        os.replace(saving, self._directory / str(step))
        checksums.sync_folder(self._directory)
        for old in steps_in(self._directory)[:-KEPT]:
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
        if hosts.is_first():
            os.replace(self._directory / str(step), aside)
        self.warnings.append(
            f"warning: the checkpoint of step {step} is damaged ({reason}); it is now {aside}, and "
            f"the one of step {used} is used"
        )


def size_bytes(tree: Any) -> int:
    """Bytes that a checkpoint of a tree of arrays takes on disk, rounded up."""
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree)) + OVERHEAD_BYTES


def newest(directory: Path) -> Found[Saved]:
    """The content of a run's newest checkpoint that is not damaged; the folder is left as it is.

    Raises:
      WorkdirError: there is none, all are damaged, or without names.
    """
    _hush()
    if not steps_in(directory):
        raise WorkdirError(
            f"{directory} holds no checkpoint yet: train the run until one is saved (after its "
            "first epochs, and when it is stopped)"
        )
    with _orbax() as orbax:
        return _newest(orbax, directory.resolve(), steps_in(directory), lambda saved: saved)


def _newest(
    orbax: ocp.Checkpointer,
    directory: Path,
    steps: Sequence[int],
    fitted: Callable[[Saved], Content],
) -> Found[Content]:
    """The newest checkpoint of some steps whose files are whole and which `fitted` takes."""
    damaged: dict[int, str] = {}
    for step in reversed(steps):
        folder = directory / str(step)
        reason = hosts.by_first(functools.partial(checksums.damage, folder))
        if reason is None:
            try:
                return Found(fitted(_read(orbax, folder)), step, damaged)
            except WorkdirError:
                raise
            except Exception as error:  # whole, but not a checkpoint of this program
                reason = f"it does not fit this run: {_one_line(error)}"
        damaged[step] = reason
    reasons = "; ".join(f"step {step}: {reason}" for step, reason in damaged.items())
    raise WorkdirError(
        f"no checkpoint in {directory} can be used ({reasons}): bring one back from a copy, or "
        "remove that folder to train from the start"
    )


def _read(orbax: ocp.Checkpointer, folder: Path) -> Saved:
    with _orbax_alone:
        items = orbax.restore(
            folder,
            args=ocp.args.Composite(
                state=ocp.args.StandardRestore(), progress=ocp.args.JsonRestore()
            ),
        )
    arrays = items["state"]
    if not isinstance(arrays, dict) or "params" not in arrays:
        raise WorkdirError(
            f"the checkpoints in {folder.parent} are of an older jaxact, which kept arrays without "
            "names: go on with that one (its version and commit are in environment.json), or "
            "remove that folder to train from the start"
        )
    return Saved(arrays, items["progress"])


def steps_in(directory: Path) -> list[int]:
    """The steps of which a run's folder of checkpoints has one, damaged or not, in order."""
    if not directory.is_dir():
        return []
    folders = (path for path in directory.iterdir() if path.name.isdecimal() and path.is_dir())
    return sorted(int(path.name) for path in folders)


def _orbax() -> ocp.Checkpointer:
    return ocp.Checkpointer(
        ocp.CompositeCheckpointHandler(
            state=ocp.StandardCheckpointHandler(), progress=ocp.JsonCheckpointHandler()
        )
    )


def _way_out() -> str:
    """The advice for where a file cannot be written."""
    import resource  # on POSIX alone, as runs are

    limit_bytes, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit_bytes == resource.RLIM_INFINITY:
        return "make room there, or make it writable"
    return f"raise the limit of {limit_bytes:,} bytes a file (`ulimit -f`), or make room there"


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"
