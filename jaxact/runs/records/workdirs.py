"""Whose a run's workdir is: what may go on in it, and what it is kept from."""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxact import activations
from jaxact.activations import fingerprint, own
from jaxact.activations.fingerprint import Fingerprint
from jaxact.config import Config
from jaxact.data import is_path
from jaxact.errors import ConfigError, DataError, WorkdirError
from jaxact.models.own import examination
from jaxact.runs.records import lock
from jaxact.runs.records.record_files import (
    CHECKPOINTS,
    CONFIG,
    DATA,
    SUMMARY,
    read_json,
    write_json,
)
from jaxact.training import own_optimizer

DEFAULTS = dataclasses.asdict(Config())
# Beside the fields in there, where it is one's own: the field that names what is told by it.
FUNCTION, MODEL, OPTIMIZER = FINGERPRINTS = (
    "activation_fingerprint",
    "model_fingerprint",
    "optimizer_fingerprint",
)
_CHANGES: dict[str, tuple[str, Callable[[Any, Any], str]]] = {
    FUNCTION: ("activation", fingerprint.change),
    MODEL: ("model", examination.change),
    OPTIMIZER: ("optimizer", own_optimizer.change),
}
LONGEST_NAME = 255  # bytes, of a file in every usual file system
_LEFT_BY_A_KILLED_START = (lock.LOCK, f".{CONFIG}.tmp")


def holds_run(workdir: Path) -> bool:
    """Whether a workdir has a run, not whose; a new or empty one has none.

    Raises:
      ConfigError: it is no folder, or holds something else.
    """
    check_place(workdir)
    if not workdir.exists():
        return False
    if (workdir / CONFIG).exists():
        return True
    if any(path.name not in _LEFT_BY_A_KILLED_START for path in workdir.iterdir()):
        raise ConfigError(
            f"--workdir={workdir} holds files but no {CONFIG}, so no run; choose another folder"
        )
    return False


def check_workdir(
    workdir: Path, config: Mapping[str, Any], way_out: str = "choose another --workdir"
) -> None:
    """Refuses a workdir that is not this run's: a new or empty one, or its own, may be used.

    Args:
      config: as `config.json` holds it.
      way_out: what to do about a function that has changed.

    Raises:
      ConfigError: it is no folder, holds something else, or a run whose configuration differs in
        anything but `epochs` and where it is made, or whose activation computes something else
        now.
    """
    if not holds_run(workdir):
        return
    stored = read_json(workdir / CONFIG)
    if not isinstance(stored, dict) or not stored:
        raise ConfigError(f"{workdir / CONFIG} holds no configuration; choose another --workdir")
    stored = DEFAULTS | stored  # fields that were added since
    names = [*config, *(name for name in stored if name not in config and name not in DEFAULTS)]
    changed = [
        f"{name} ({stored.get(name)!r} there, {config.get(name)!r} now)"
        for name in names
        if name not in ("epochs", *FINGERPRINTS)
        and not _same(name, stored.get(name), config.get(name))
    ]
    if changed:
        raise ConfigError(
            f"--workdir={workdir} holds a run with another configuration: {', '.join(changed)}; "
            "choose another folder, or give the same fields (only epochs may change)"
        )
    schedule = config.get("learning_rate_schedule")
    if schedule not in (None, "constant") and stored.get("epochs") != config.get("epochs"):
        raise ConfigError(
            f"--workdir={workdir} holds a run whose {schedule} learning rate was planned for "
            f"{stored.get('epochs')} epochs: one of {config.get('epochs')} has to be trained from "
            "its start; choose another folder"
        )
    check_fingerprints(workdir, config, stored, way_out)


def _same(name: str, old: Any, new: Any) -> bool:
    """Whether two values of a field mean the same.

    Where data lie, how they are loaded and what a run is divided among is the machine's: own data
    are known by their fingerprint, others by their name, and `environment.json` tells the rest.
    """
    if old == new or name in Config.OF_THE_MACHINE:
        return True
    if not (isinstance(old, str) and isinstance(new, str)):
        return False
    if name == "dataset":
        return is_path(old) and is_path(new)
    return name == "activation" and own.same(old, new)


def discard(workdir: Path) -> None:
    """Removes a run that no process is at work on; killed meanwhile, it leaves all of it or none.

    Raises:
      WorkdirError: a process is at work there.
      OSError: it cannot be removed.
    """
    waste = workdir.with_name(f".{workdir.name}.discarded")
    shutil.rmtree(waste, ignore_errors=True)  # of one that was killed
    if workdir.exists():
        with lock.held(workdir):
            workdir.replace(waste)
        shutil.rmtree(waste)


def has_trained(workdir: Path) -> bool:
    """Whether a workdir has a checkpoint, without which a run begins from its start."""
    return (workdir / SUMMARY).exists() or any((workdir / CHECKPOINTS).glob("[0-9]*"))


def function_record(spec: str) -> dict[str, Any]:
    """The record of `config.json` beside the fields: the fingerprint of one's own activation.

    Raises:
      ActivationError: the activation is wrong.
    """
    taken = fingerprint.fingerprint(activations.get(spec))
    return {} if taken is None else {FUNCTION: taken}


def check_fingerprints(
    workdir: Path,
    config: Mapping[str, Any],
    stored: Mapping[str, Any] | None = None,
    way_out: str = "choose another --workdir",
) -> None:
    """Refuses what is one's own and computes something else than when a workdir was begun with it.

    Args:
      config: as `config.json` is to hold it.
      stored: as it does; None: read.

    Raises:
      ConfigError: as `check_function`.
    """
    if not has_trained(workdir):
        return
    known: Any = read_json(workdir / CONFIG) if stored is None else stored
    for name in FINGERPRINTS:
        if name in config:
            field, change = _CHANGES[name]
            check_function(workdir, config[field], known.get(name), config[name], way_out, change)


def check_function(
    workdir: Path,
    spec: str,
    stored: Any,
    now: Fingerprint,
    way_out: str = "choose another --workdir",
    change: Callable[[Any, Any], str] = fingerprint.change,
) -> None:
    """Refuses what is one's own if it is not what a workdir was begun with.

    Args:
      spec: of the activation, the model or the optimizer.
      stored: the fingerprint it had then; None: none was taken, so nobody can tell.
      now: the one it has.
      change: of the two, in words; "" if there is none.

    Raises:
      ConfigError: it computes something else, or nobody can tell.
    """
    if stored is None:
        raise ConfigError(
            f"--workdir={workdir} was begun with {spec} when no fingerprint of it was kept, so it "
            f"cannot be told whether that has changed since: {way_out}"
        )
    if changed := change(stored, now):
        raise ConfigError(
            f"{spec} has changed since --workdir={workdir} was begun with it ({changed}): "
            f"{way_out}, or bring the old one back"
        )


def check_place(workdir: Path) -> None:
    """Refuses a workdir that cannot be made or written in, as far as can be told without trying.

    Raises:
      ConfigError: it cannot.
      WorkdirError: nor any other on this system.
    """
    lock.check_system()
    if os.path.isfile(workdir):  # unlike Path.is_file it takes every name
        raise ConfigError(f"--workdir={workdir} is a file; choose another folder")
    try:
        if "\0" in str(workdir):
            raise ValueError("a path holds no null character")
        path = workdir.absolute()
        nearest = next(folder for folder in (path, *path.parents) if folder.exists())
        if any(len(os.fsencode(name)) > LONGEST_NAME for name in path.parts):
            raise ValueError(f"a name is longer than {LONGEST_NAME} bytes")
        if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
            return
        reason = f"{nearest} is not a folder that can be written in"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise ConfigError(f"--workdir={workdir} cannot be used ({reason}); choose another folder")


def check_data(workdir: Path, data: Mapping[str, Any]) -> None:
    """Refuses to go on with other images or labels than the run has seen.

    Args:
      workdir: passed `check_workdir`.
      data: as in `jaxact.data.describe`.

    Raises:
      DataError: the fingerprint of the user's own data has changed.
    """
    path = workdir / DATA
    if not path.exists():
        return
    stored = read_json(path)
    if not isinstance(stored, dict):
        raise ConfigError(f"{path} describes no data; choose another --workdir")
    if stored.get("fingerprint") != data["fingerprint"]:
        raise DataError(
            f"{data['dataset']} has changed since --workdir={workdir} was trained on it (SHA-256 "
            f"{stored.get('fingerprint')} there, {data['fingerprint']} now): bring the old data "
            "back, or choose another folder"
        )


def check_epochs(done: float, wanted: int, workdir: Path) -> None:
    """Refuses a run that is to end before where its checkpoint already is."""
    if done > wanted:
        raise ConfigError(
            f"--workdir={workdir} has trained {done:.4g} epochs already; config.epochs={wanted} "
            "must be at least that, or choose another folder"
        )


@contextlib.contextmanager
def opened_workdir(
    workdir: Path,
    config: Mapping[str, Any],
    data: Mapping[str, Any],
) -> Iterator[None]:
    """Makes the workdir and writes what is known before training; keeps other processes out.

    Raises:
      ConfigError: as `check_workdir`; another process may have been there since.
      WorkdirError: another process is at work there; or it cannot be written, now or at any time
        within the block (no space, read-only, gone).
    """
    with told(workdir):
        workdir.mkdir(parents=True, exist_ok=True)
        with lock.held(workdir):
            check_workdir(workdir, config)
            check_data(workdir, data)
            write_json(workdir / CONFIG, config)
            write_json(workdir / DATA, data)
            yield


@contextlib.contextmanager
def told(workdir: Path) -> Iterator[None]:
    """A block in which a workdir is written.

    Raises:
      WorkdirError: it cannot be (no space, read-only, gone).
    """
    try:
        yield
    except BrokenPipeError:  # nobody reads what is printed: no fault of the folder's
        raise
    except OSError as error:
        file = f" at {error.filename}" if error.filename else ""
        raise WorkdirError(
            f"--workdir={workdir} cannot be written ({error.strerror or error}{file}); what is "
            "there is whole: make room or make it writable and give the same command to go on, or "
            "choose another folder"
        ) from error
