"""The files of a run's workdir, as other programs read them."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jaxact.errors import ConfigError, DataError

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
DATA = "data.json"
METRICS = "metrics.jsonl"
HEALTH = "health.jsonl"
SUMMARY = "summary.json"
CHECKPOINTS = "checkpoints"
TENSORBOARD = "tensorboard"


def write_text(path: Path, text: str) -> None:
    """Replaces a file whole: a reader sees the old text or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.tmp")
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Raises ConfigError where the file is not JSON: it is not one that a run has written."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, json.JSONDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); choose another --workdir") from error


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Appends one line of JSON, on disk when this returns."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replaces a file of rows: a resumed run's may hold more epochs than its checkpoint."""
    write_text(path, "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file; a last line that a killed process left unfinished is none."""
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def check_workdir(workdir: Path, config: Mapping[str, Any]) -> None:
    """Whether a run with this configuration may use the workdir: a new or empty one, or its own.

    Raises:
      ConfigError: it is no folder, holds something else, or a run whose configuration differs in
        anything but `epochs`.
    """
    if not workdir.exists():
        return
    if not workdir.is_dir():
        raise ConfigError(f"--workdir={workdir} is a file; choose another folder")
    if not (workdir / CONFIG).exists():
        if any(workdir.iterdir()):
            raise ConfigError(
                f"--workdir={workdir} holds files but no {CONFIG}, so no run; choose another folder"
            )
        return
    stored = read_json(workdir / CONFIG)
    if not isinstance(stored, dict):
        raise ConfigError(f"{workdir / CONFIG} holds no configuration; choose another --workdir")
    names = [*config, *(name for name in stored if name not in config)]
    changed = [
        f"{name} ({stored.get(name)!r} there, {config.get(name)!r} now)"
        for name in names
        if name != "epochs" and stored.get(name) != config.get(name)
    ]
    if changed:
        raise ConfigError(
            f"--workdir={workdir} holds a run with another configuration: {', '.join(changed)}; "
            "choose another folder, or give the same fields (only epochs may change)"
        )


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


def open_workdir(
    workdir: Path,
    config: Mapping[str, Any],
    environment: Mapping[str, Any],
    data: Mapping[str, Any],
) -> None:
    """Makes the workdir and writes what is known before training.

    Raises:
      ConfigError: it cannot be written.
    """
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        write_json(workdir / CONFIG, config)
        write_json(workdir / ENVIRONMENT, environment)
        write_json(workdir / DATA, data)
    except OSError as error:
        raise ConfigError(
            f"--workdir={workdir} cannot be written ({error.strerror}); choose another"
        ) from error
