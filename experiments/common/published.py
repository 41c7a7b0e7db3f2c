"""A published copy of a result, small enough to be committed: numbers of its tables as they were.

Left out are the runs, the health of layers, digits that nobody reads, and of each figure all
formats but one: SVG, which is sharp at any size, or PNG where a figure holds pixels or its SVG is
large (`kept`). Figures with health maps cannot be drawn again from the copy, all others can.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from experiments.common import outcomes
from jaxact.comparison import study as studies
from jaxact.comparison.analysis import hidden_seconds
from jaxact.comparison.output import files
from jaxact.errors import ConfigError
from jaxact.presentation import drawing
from jaxact.runs.records import record_files

DIGITS = (6, 9, 12)  # significant ones, in turn, until the tables are the same
LARGEST_SVG_BYTES = 300_000
SHOWN_TABLES = ("table.md", "table.csv", "table.tex")
TABLES = (*SHOWN_TABLES, "table.json")


def publish(source: Path, target: Path) -> list[Path]:
    """Writes the published copy of a comparison's folder or of an experiment's.

    Args:
      source: its `--workdir`.
      target: the copy's folder, which may be the same; figures there that are not of the result
        are removed, other files stay.

    Returns:
      The files of the copy.

    Raises:
      ConfigError: the source holds no result, or it is damaged.
    """
    if (source / studies.STUDY).exists():
        name, content = studies.STUDY, _small_study(source)
    elif (source / outcomes.RESULT).exists():
        name, content = outcomes.RESULT, _small_result(source)
    else:
        raise ConfigError(
            f"{source} holds neither {studies.STUDY} nor {outcomes.RESULT}: give the --workdir of "
            "a comparison or an experiment"
        )
    texts = {name: compact(content)}
    for table in TABLES:
        if (source / table).exists():
            texts[table] = (source / table).read_text(encoding="utf-8")
    if "table.json" in texts:
        texts["table.json"] = compact(rounded(json.loads(texts["table.json"]), DIGITS[0]))
    pictures = [kept(source / name) for name in _figures(source)]
    for picture in pictures:
        linked = rf"\({re.escape(picture.stem)}\.({'|'.join(drawing.FORMATS)})\)"
        if "table.md" in texts:
            texts["table.md"] = re.sub(linked, f"({picture.name})", texts["table.md"])
    copies = {picture: target / picture.relative_to(source) for picture in pictures}
    (target / files.FIGURES if (source / files.FIGURES).is_dir() else target).mkdir(
        parents=True, exist_ok=True
    )
    for place, text in texts.items():
        record_files.write_text(target / place, text)
    for picture, copy in copies.items():
        if not copy.exists() or not copy.samefile(picture):
            shutil.copyfile(picture, copy)
    for stem in _figures(target):
        for kind in (*drawing.FORMATS, drawing.PDF):
            path = target / f"{stem}.{kind}"
            if path not in copies.values():
                path.unlink(missing_ok=True)
    return [*(target / place for place in texts), *copies.values()]


def kept(figure: Path) -> Path:
    """The file of a figure that is published: its SVG, or its PNG.

    Args:
      figure: its path, without the end.
    """
    png, svg = (figure.with_name(f"{figure.name}.{kind}") for kind in ("png", "svg"))
    if not svg.exists():
        return png
    is_small = svg.stat().st_size <= LARGEST_SVG_BYTES and b"<image" not in svg.read_bytes()
    return svg if is_small or not png.exists() else png


def _figures(folder: Path) -> list[str]:
    """The figures in a folder and in its `figures/`, as paths from it without their ends."""
    found = (
        path.relative_to(folder).with_suffix("")
        for place in (folder, folder / files.FIGURES)
        for kind in drawing.FORMATS
        for path in place.glob(f"*.{kind}")
    )
    return sorted({str(path) for path in found})


def _small_study(source: Path) -> dict[str, Any]:
    """The content of a comparison's study, without health."""
    studies.load(source)  # a damaged one is told
    content = record_files.read_json(source / studies.STUDY)
    without = {**content, "runs": [{**run, "health": []} for run in content["runs"]]}

    def tables(content: Mapping[str, Any]) -> dict[str, str]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            record_files.write_text(folder / studies.STUDY, compact(content))
            study = hidden_seconds.without_seconds(studies.load(folder))
            files.write_tables(study, folder)
            return {table: (folder / table).read_text("utf-8") for table in SHOWN_TABLES}

    return shortened(without, tables)


def _small_result(source: Path) -> dict[str, Any]:
    """The content of an experiment's result."""
    content = record_files.read_json(source / outcomes.RESULT)
    try:
        return shortened(content, lambda content: outcomes.as_markdown(content, []))
    except (KeyError, TypeError) as error:
        raise ConfigError(
            f"{source / outcomes.RESULT} is another version's or damaged ({error}); make it again"
        ) from error


def shortened(content: dict[str, Any], tables: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """A content with as few of `DIGITS` as leave its tables as they are; all, if none do.

    Paired tests ask which differences are equal: a digit too few may part them.
    """
    wanted = tables(content)
    candidates = (rounded(content, digits) for digits in DIGITS)
    return next((one for one in candidates if tables(one) == wanted), content)


def rounded(value: Any, digits: int) -> Any:
    """A value of JSON, each float in it rounded to so many significant digits.

    >>> rounded({"a": [1 / 3, 20], "b": None}, 3)
    {'a': [0.333, 20], 'b': None}
    """
    if isinstance(value, Mapping):
        return {name: rounded(one, digits) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one, digits) for one in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def compact(value: Any) -> str:
    """A value as JSON on one line, without spaces."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False) + "\n"
