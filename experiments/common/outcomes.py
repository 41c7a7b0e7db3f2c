"""The frame of an experiment: its command, the files that it leaves, errors in one line.

An experiment makes an `Outcome`. `run` writes it to `--workdir` (where the command line is absl's,
`write` and `show` do): `result.json` (claim, answer, settings, machine and versions, rows),
`table.md`, and each figure as PNG and SVG. Figures are drawn from what `result.json` holds and from
nothing else, so that `--from_result` draws them again without any training.
"""

import contextlib
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from rich.console import Console

from experiments.common.findings import Finding
from jaxact import statistics
from jaxact.command import Command, Option, Options
from jaxact.errors import ConfigError
from jaxact.presentation import columns, drawing, tables
from jaxact.runs.process import devices, environment, shared_machine
from jaxact.runs.records import record_files

RESULT, PAGE = "result.json", "table.md"
FROM_RESULT = Option(False, f"draws the figures of --workdir again from its {RESULT}: no training")
FILE_WIDTH = 160  # of the table on the terminal, where there is none that has a width


Result = Mapping[str, Any]  # the content of `result.json`
Draw = Callable[[Result], Mapping[str, Figure]]  # file names without their ends to figures


class Outcome(NamedTuple):
    """The findings of an experiment.

    Attributes:
      title: of the table, one line.
      claim: what the source says, in a sentence.
      source: who says so, and where.
      answer: what was found here, in a sentence or two, with its figures.
      settings: what was asked for, whole enough to do it again; where the data lie, `data_dir`, is
        left out of the file: it is the machine's, not the experiment's.
      rows: heading to cell, see `jaxact.presentation.tables`; what is not finite is a dash.
      details: what else `result.json` is to hold, raw figures among it, all that figures are
        drawn from; null: not finite.
      findings: each sentence of the claim that was put to a test, and what became of it.
    """

    title: str
    claim: str
    source: str
    answer: str
    settings: Mapping[str, Any]
    rows: Sequence[tables.Row]
    details: Mapping[str, Any] = {}
    findings: Sequence[Finding] = ()


def spread(
    values: statistics.Values, unit: float = 1.0, miss: str = "inf"
) -> list[float] | str | None:
    """A cell with the median and the quartiles of values; an infinite one reads as `miss`."""
    return tables.spread(statistics.quartiles(values, unit), miss)


def command(name: str, description: str, options: Mapping[str, Option], *examples: str) -> Command:
    """The command `python -m experiments.NAME`, with the option `--workdir` beside its own.

    Args:
      name: of the folder in `experiments/`.
      description: what the experiment shows.
      options: by name.
      *examples: options worth knowing, each a command line's end.
    """
    return Command(
        f"python -m experiments.{name}",
        description,
        {
            "workdir": Option(f"runs/{name}", "folder of the results", Path),
            "from_result": FROM_RESULT,
            **options,
        },
        examples=("", *examples),
    )


def run(
    command: Command,
    perform: Callable[[Options], Outcome],
    draw: Draw,
    words: Sequence[str] | None = None,
) -> int:
    """The command: parses, performs, writes, draws, prints; returns the exit code.

    A user's error ends in one line on stderr. Nothing is written before `perform` has ended, but
    for the runs of an experiment that keeps them.
    """

    def act(options: Options) -> None:
        begin = time.perf_counter()
        devices.start()
        workdir = Path(options.workdir)
        data_dir = getattr(options, "data_dir", None)
        if options.from_result:
            print(*redraw(command.name, draw, workdir, data_dir), sep="\n")
            return
        outcome = perform(options)
        typed = shlex.join(sys.argv[1:] if words is None else words)
        record = {
            "command": f"{command.name} {typed}".rstrip(),
            "seconds": time.perf_counter() - begin,
        }
        show(outcome, write(outcome, draw, workdir, record))

    return command.run(act, words)


def show(outcome: Outcome, written: Sequence[Path]) -> None:
    """Prints an outcome and the files that `write` has left, on stdout."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(tables.as_rich(outcome.rows, outcome.title))
    print(f"claim: {outcome.claim} ({outcome.source})\nfound: {outcome.answer}")
    for finding in outcome.findings:
        print(f"{finding.verdict}: {finding.claim}\n  {finding.evidence}")
    print(f"files: {', '.join(map(str, written))}")


def write(outcome: Outcome, draw: Draw, workdir: Path, record: Mapping[str, Any]) -> list[Path]:
    """Writes an outcome's files and returns their paths.

    Args:
      record: what `result.json` says of the command.

    Raises:
      ConfigError: the folder cannot be written.
    """
    content = content_of(outcome, record)
    with _writing(workdir):
        workdir.mkdir(parents=True, exist_ok=True)
        record_files.write_json(workdir / RESULT, content)  # first: what follows can be done again
    data_dir = outcome.settings.get("data_dir")
    return [workdir / RESULT, *_write_drawn(content, draw, workdir, data_dir)]


def content_of(outcome: Outcome, record: Mapping[str, Any]) -> dict[str, Any]:
    """The content of `result.json`: numbers, texts, lists and records; null: not finite."""
    machine = environment.describe()
    told = outcome._asdict() | {"findings": [finding._asdict() for finding in outcome.findings]}
    content = {
        **record,
        "machine": environment.in_words(machine),
        "environment": machine,
        **told,
        "settings": {k: v for k, v in outcome.settings.items() if k != "data_dir"},
    }
    if shared_machine.is_marked(machine):
        content["seconds"] = None
    return columns.finite(content)


def redraw(name: str, draw: Draw, workdir: Path, data_dir: str | None = None) -> list[Path]:
    """Draws an experiment's figures and its page again, from the `result.json` of a folder.

    Args:
      name: of the command that left it.
      data_dir: of real data, for figures that show some.

    Returns:
      The files that it has written.

    Raises:
      ConfigError: there is none, it is another experiment's or another version's, or the folder
        cannot be written.
      DataError: a figure shows data that cannot be had.
    """
    content = record_files.read_json(workdir / RESULT)
    command = content.get("command", "") if isinstance(content, dict) else ""
    if not f"{command} ".startswith(f"{name} "):
        raise ConfigError(
            f"--workdir={workdir} holds no {RESULT} of {name}"
            f"{f' but one of {command!r}' if command else ''}; choose another"
        )
    try:
        return _write_drawn(content, draw, workdir, data_dir)
    except (KeyError, IndexError, TypeError) as error:
        raise ConfigError(
            f"{workdir / RESULT} is another version's or damaged ({type(error).__name__}: {error});"
            f" run {name} again without --from_result"
        ) from error


def _write_drawn(content: Result, draw: Draw, workdir: Path, data_dir: object) -> list[Path]:
    """Writes the figures, and the page with them."""
    settings = content["settings"] | ({"data_dir": str(data_dir)} if data_dir else {})
    figures = draw({**content, "settings": settings})
    page = as_markdown(content, [f"{name}.png" for name in figures])
    with _writing(workdir):
        record_files.write_text(workdir / PAGE, page)
        drawn = [path for name, one in figures.items() for path in drawing.save(one, workdir, name)]
    return [workdir / PAGE, *drawn]


@contextlib.contextmanager
def _writing(workdir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"--workdir={workdir} cannot be written ({error.strerror}); choose another"
        ) from error


def as_markdown(content: Result, pictures: Sequence[str]) -> str:
    """A result as a page: claim, answer, table, and where it was measured.

    Args:
      pictures: names of files.
    """
    machine = content["environment"]
    versions = f"Python {machine['python']}, jax {machine['jax']}"
    seconds = content["seconds"]
    took = "beside other work" if seconds is None else f"{seconds:.0f} s"
    findings = [Finding(**finding).as_row() for finding in content["findings"]]
    judged = f"{tables.as_markdown(findings)}\n" if findings else ""
    shown = "".join(f"![{content['title']}]({name})\n" for name in pictures)
    return (
        f"# {content['title']}\n\nClaim: {content['claim']} ({content['source']})\n\n"
        f"Found: {content['answer']}\n\n{judged}{tables.as_markdown(content['rows'])}\n{shown}\n"
        f"`{content['command']}`, {took} on {content['machine']}; {versions}.\n"
    )
