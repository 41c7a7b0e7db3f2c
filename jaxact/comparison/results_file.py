"""A CSV file of results made elsewhere: a line a run, with activation, seed and error.

Columns, in any order: `activation`, any text; `seed`, a whole number by which runs are paired;
`error` on the test set, in percent, or `diverged`; and, where they are known, `seconds` of training
to the target (empty, `inf` or `never`: not reached) and `dataset`. Separated by commas, semicolons
or tabs; with the last two, decimals may be written with a comma.
"""

import codecs
import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from jaxact.errors import ConfigError, did_you_mean

REQUIRED, KNOWN = ("activation", "seed", "error"), ("seconds", "dataset")
COLUMNS = (*REQUIRED, *KNOWN)
EXAMPLE = "activation,seed,error[,seconds][,dataset]"
DIVERGED = "diverged"
NEVER = ("", "inf", "infinity", "never")
_SPELLED = {"error_percent": "error", "seconds_to_target": "seconds"}  # as summary.json has them
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_SHOWN = 60  # characters of a value in a message


class Result(NamedTuple):
    """A run as its line has it.

    Attributes:
      line: its first line in the file, from 1.
      dataset: "" where the file has no such column.
      error_percent: None where it diverged.
      seconds: to the target; None where it was not reached, or is not known.
    """

    line: int
    dataset: str
    activation: str
    seed: int
    error_percent: float | None
    seconds: float | None


class Results(NamedTuple):
    """The runs of a file, in its order, and what its reader should know.

    Attributes:
      is_timed: whether it has seconds.
    """

    runs: tuple[Result, ...]
    is_timed: bool
    notes: tuple[str, ...]


class Table(NamedTuple):
    """A file's header, in lower case and in jaxact's words, and its lines by their numbers."""

    separator: str
    header: tuple[str, ...]
    lines: tuple[tuple[int, tuple[str, ...]], ...]


def read(name: str, content: bytes) -> Results:
    """The results of a file.

    Args:
      name: of the file, for messages.

    Raises:
      ConfigError: names the file, the line, what is wrong there and what to do.
    """
    table = _table(name, _text(name, content))
    runs: dict[tuple[str, str, int], Result] = {}
    for line, values in table.lines:
        row = dict(zip(table.header, values, strict=True))
        run = _result(f"{name}, line {line}", line, row, table)
        key = run.dataset, run.activation, run.seed
        if key in runs:
            raise ConfigError(
                f"{name}, line {line}: {run.activation}, seed {run.seed} stands in line "
                f"{runs[key].line} already; a run has one line"
            )
        runs[key] = run
    if not runs:
        raise ConfigError(f"{name} holds a header, and no results below it")
    found = tuple(runs.values())
    is_timed = "seconds" in table.header
    return Results(found, is_timed, tuple(_notes(table, found)))


def _text(name: str, content: bytes) -> str:
    """A file's text, in UTF-8, or in UTF-16 if it says so."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding, what = "utf-16", "UTF-16, as its first bytes say"
    else:
        content = content.removeprefix(codecs.BOM_UTF8)
        encoding, what = "utf-8", "UTF-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{name}, line {line} is not in {what}: save the file in UTF-8 (in Excel: CSV UTF-8)"
        ) from error
    if "\0" in text:
        raise ConfigError(f"{name} holds null characters: it is no text, as CSV is")
    return text


def _table(name: str, text: str) -> Table:
    """A file's lines, taken apart."""
    skipped, separators = 0, (",", ";", "\t")
    if match := re.match(r'"?sep=([,;\t])"?\r?\n', text, re.IGNORECASE):  # as Excel writes it
        text, skipped, separators = text[match.end() :], 1, (match[1],)
    first = next((line for line in text.splitlines() if line.strip()), None)
    if first is None:
        raise ConfigError(f"{name} is empty; its first line is to be {EXAMPLE}")

    def words(separator: str) -> tuple[str, ...]:
        cells = next(csv.reader([first], delimiter=separator, skipinitialspace=True))
        lower = (cell.strip().lower() for cell in cells)
        return tuple(_SPELLED.get(word, word) for word in lower)

    separator = max(separators, key=lambda sign: len({*words(sign)} & {*COLUMNS}))
    lines = list(_lines(name, text, separator, skipped))
    header = words(separator)
    _check_header(name, first, header)
    for line, values in lines[1:]:
        if len(values) != len(header):
            raise ConfigError(
                f"{name}, line {line} has {len(values)} values, the header {len(header)}: put a "
                "text that holds a separator in quotes, and write decimals with a point"
            )
    return Table(separator, header, tuple(lines[1:]))


def _lines(
    name: str, text: str, separator: str, skipped: int
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every line that is not blank, with its number; one may go on over several, in quotes."""
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter=separator, skipinitialspace=True, strict=True)
    width = None
    while True:
        line = reader.line_num + skipped + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ConfigError(
                f"{name}, line {line} cannot be taken apart ({error}): is a quote not closed?"
            ) from error
        if cells is None:
            return
        values = [" ".join(cell.split()) for cell in cells]
        if not any(values):
            continue
        width = width or len(values)
        while len(values) > width and not values[-1]:  # separators at the end of a line
            values.pop()
        yield line, tuple(values)


def _check_header(name: str, first: str, header: Sequence[str]) -> None:
    lacking = [column for column in REQUIRED if column not in header]
    if len(lacking) == len(REQUIRED):
        raise ConfigError(
            f"{name}: the first line is to name the columns, {EXAMPLE}, and it is {_short(first)}"
        )
    if lacking:
        others = [word for word in header if word not in COLUMNS]
        near = did_you_mean(lacking[0], others)
        if "accuracy" in " ".join(others) and lacking == ["error"]:
            near = "; error is 100 minus the accuracy in percent"
        raise ConfigError(
            f"{name} has no column {', '.join(lacking)}: the first line is {_short(first)}, and is "
            f"to be {EXAMPLE}{near}"
        )
    if twice := [column for column in COLUMNS if header.count(column) > 1]:
        raise ConfigError(f"{name} has two columns {twice[0]}: leave one of them out")


def _result(place: str, line: int, row: Mapping[str, str], table: Table) -> Result:
    for column in ("activation", "dataset"):
        text = row.get(column)
        if text == "":
            raise ConfigError(f"{place}: the {column} is empty")
        if text is not None and not text.isprintable():
            raise ConfigError(
                f"{place}: {column}={_short(text)} holds a character that cannot be printed"
            )
    seed = _number(place, "seed", row["seed"], table, "a whole number from 0")
    if seed < 0 or seed != math.floor(seed):
        raise ConfigError(f"{place}: seed={row['seed']} must be a whole number from 0")
    error, seconds = None, None
    if row["error"].lower() != DIVERGED:
        allowed = f"a number in percent, or {DIVERGED}"
        error = _number(place, "error", row["error"].removesuffix("%").strip(), table, allowed)
        if not 0 <= error <= 100:
            raise ConfigError(f"{place}: error={row['error']} must be from 0 to 100, in percent")
        if row.get("seconds", "").lower() not in NEVER:
            allowed = "a number of seconds; empty, inf or never where the target was not reached"
            seconds = _number(place, "seconds", row["seconds"], table, allowed)
            if seconds < 0:
                raise ConfigError(f"{place}: seconds={row['seconds']} must be at least 0")
    return Result(line, row.get("dataset", ""), row["activation"], int(seed), error, seconds)


def _number(place: str, column: str, text: str, table: Table, allowed: str) -> float:
    """A finite number, with a decimal comma where that separates nothing else."""
    point = text
    if table.separator != "," and "." not in text and text.count(",") == 1:
        point = text.replace(",", ".")
    if not _NUMBER.fullmatch(point) or not math.isfinite(float(point)):
        comma = "; write decimals with a point" if "," in text else ""
        raise ConfigError(f"{place}: {column}={_short(text)} must be {allowed}{comma}")
    return float(point)


def _notes(table: Table, runs: Sequence[Result]) -> Iterator[str]:
    if others := [word for word in table.header if word not in COLUMNS]:
        words = ", ".join(word or "one without a name" for word in others)
        yield f"Columns that are not read: {words}."
    errors = [run.error_percent for run in runs if run.error_percent is not None]
    if errors and 0 < max(errors) < 1:
        yield (
            f"Every error is below 1, and taken as percent: {max(errors):g} is {max(errors):g} %. "
            "If they are shares, multiply them by 100."
        )
    if errors and min(errors) > 50:
        yield "Every error is above 50 %. If they are accuracies, the error is 100 minus each."
    names = list(dict.fromkeys(run.activation for run in runs))
    for name in names:
        alike = [other for other in names if other != name and _bare(other) == _bare(name)]
        if alike and names.index(name) < names.index(alike[0]):
            yield f"{', '.join([name, *alike])} are taken as different activations."
    yield from _lacking(runs, names)


def _bare(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


def _lacking(runs: Sequence[Result], names: Sequence[str]) -> Iterator[str]:
    """Lines on the seeds that an activation lacks, and others have on the same data."""
    for dataset in dict.fromkeys(run.dataset for run in runs):
        here = [run for run in runs if run.dataset == dataset]
        on = f" on {dataset}" if dataset else ""
        seeds = {run.seed for run in here}
        for name in names:
            own = {run.seed for run in here if run.activation == name}
            if not own:
                yield f"{name} has no results{on}."
            elif lacking := sorted(seeds - own):
                yield f"{name} has no seed {_listed(lacking)}{on}: its pairs are left out."


def _listed(numbers: Iterable[int], most: int = 8) -> str:
    numbers = list(numbers)
    more = f" and {len(numbers) - most} more" if len(numbers) > most else ""
    return ", ".join(map(str, numbers[:most])) + more


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
