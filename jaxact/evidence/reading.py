"""`jaxact.results`: the published results, which come with the package, as frames."""

import functools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxact.errors import ConfigError, did_you_mean
from jaxact.packages import needed_for

if TYPE_CHECKING:
    import pandas  # pyright: ignore[reportMissingImports]

PUBLISHED = Path(__file__).with_name("results.json")
KINDS = ("activations", "runs", "studies", "claims")


def results(
    dataset: str = "",
    *,
    model: str = "",
    activation: str = "",
    study: str = "",
    kind: str = "activations",
    folder: str | os.PathLike[str] | None = None,
) -> "pandas.DataFrame":
    """The published results as a frame, or those of a folder of your own.

    Args:
      dataset, model, activation, study: only rows of these; "" for all.
      kind: what a row is. `activations`: an activation on a data set, with estimates, intervals and
        verdicts against the study's baseline (`is_best_error`, `is_best_time`: among the best, by
        tests of all pairs). `runs`: a run, with its figures. `studies`: a data set of a study, with
        its protocol, answer, machine and command. `claims`: a sentence of a source, what became of
        it, and on what grounds.
      folder: of studies or experiments of your own (their workdirs, or the folder that holds them),
        read instead.

    Returns:
      A row each. NaN or None: not known, or never reached; seconds are those of machines that had
      no other work, in s; errors in percent, latencies in ms.

    Raises:
      ConfigError: nothing of that name is there, or a folder holds no results.

    Example:
      >>> import jaxact
      >>> frame = jaxact.results("digits", model="small_cnn")
      >>> bool((frame["error_percent"] < 5).all())
      True
    """
    if kind not in KINDS:
        hint = did_you_mean(str(kind), KINDS)
        raise ConfigError(f"kind={kind!r} is unknown{hint} (of {', '.join(KINDS)})")
    with needed_for("a frame"):
        import pandas  # pyright: ignore[reportMissingImports]
    table = _tables(folder)[kind]
    cells = dict(zip(table["columns"], zip(*table["rows"], strict=True), strict=True))
    frame = pandas.DataFrame(table["rows"], columns=table["columns"])
    objects = [name for name in frame if frame[name].dtype == object]
    frame = frame.astype({name: float for name in objects if _are_figures(cells[name])})
    asked = {"dataset": dataset, "model": model, "activation": activation, "study": study}
    for column, value in asked.items():
        if value:
            frame = _only(frame, column, value, kind)
    return frame.reset_index(drop=True)


def _are_figures(cells: Iterable[Any]) -> bool:
    return all(cell is None or type(cell) in (int, float) for cell in cells)


def _only(frame: "pandas.DataFrame", column: str, value: str, kind: str) -> "pandas.DataFrame":
    if column not in frame:
        raise ConfigError(f"{column}={value!r}: {kind} are not told apart by it, leave it out")
    chosen = frame.loc[frame[column] == value]
    if chosen.empty:
        known = sorted({*frame[column].dropna()})
        hint = did_you_mean(str(value), known)
        raise ConfigError(f"no results of {column}={value!r}{hint} (of {', '.join(known)})")
    return chosen


def _tables(folder: str | os.PathLike[str] | None) -> dict[str, Any]:
    """The tables of a folder, or the published ones."""
    if folder is None:
        return published()
    from jaxact.evidence import gathering  # it imports JAX

    return gathering.gather(Path(folder).expanduser())


@functools.cache
def published() -> dict[str, Any]:
    """The data set that comes with the package; see `jaxact.evidence.gathering`."""
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))
