"""The files of a run's workdir, as other programs read them."""

import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.errors import ConfigError

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
DATA = "data.json"
METRICS = "metrics.jsonl"
HEALTH = "health.jsonl"
SUMMARY = "summary.json"
PREDICTIONS = "predictions.npy"
CHECKPOINTS = "checkpoints"
TENSORBOARD = "tensorboard"


def write_bytes(path: Path, content: bytes) -> None:
    """Replaces a file whole: a reader sees the old content or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_text(path: Path, text: str) -> None:
    """Replaces a file by a text in UTF-8, as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


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
    """The rows of a file; a last line without an end is what a killed process left unfinished.

    Raises:
      ConfigError: another line is damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read ({error}); bring it back from a copy, or remove its folder"
        ) from error


def write_classes(path: Path, classes: np.ndarray) -> None:
    """Replaces a file by an array of classes, as numpy's `.npy`."""
    content = io.BytesIO()
    np.save(content, classes, allow_pickle=False)
    write_bytes(path, content.getvalue())


def read_classes(path: Path) -> np.ndarray:
    """The array of `write_classes`: whole numbers, `[images]`.

    Raises:
      ConfigError: the file is damaged.
    """
    try:
        content = io.BytesIO(path.read_bytes())
        classes = np.lib.format.read_array(content, allow_pickle=False)
        if classes.ndim != 1 or classes.dtype.kind not in "iu":
            raise ValueError("it holds no list of classes")
        return classes
    except (EOFError, OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read ({error}); bring it back from a copy, or remove it: all but "
            "the churn is told without it"
        ) from error
