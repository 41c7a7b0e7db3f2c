"""The frame of an experiment: its command, the files that it leaves, errors in one line.

An experiment makes an `Outcome`. `run` writes it to `--workdir` (where the command line is absl's,
`write` and `show` do): `result.json` (claim, answer, settings, machine and versions, rows),
`table.md`, and each figure as PNG and SVG.
"""

import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
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

FILE_WIDTH = 160  # of the table on the terminal, where there is none that has a width


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
      figures: file name to figure.
      details: what else `result.json` is to hold, raw figures among it; null: not finite.
      findings: each sentence of the claim that was put to a test, and what became of it.
    """

    title: str
    claim: str
    source: str
    answer: str
    settings: Mapping[str, Any]
    rows: Sequence[tables.Row]
    figures: Mapping[str, Figure]
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
        {"workdir": Option(f"runs/{name}", "folder of the results", Path), **options},
        examples=("", *examples),
    )


def run(
    command: Command, perform: Callable[[Options], Outcome], words: Sequence[str] | None = None
) -> int:
    """The command: parses, performs, writes, prints; returns the exit code.

    A user's error ends in one line on stderr. Nothing is written before `perform` has ended, but
    for the runs of an experiment that keeps them.
    """

    def act(options: Options) -> None:
        begin = time.perf_counter()
        devices.start()
        outcome = perform(options)
        typed = shlex.join(sys.argv[1:] if words is None else words)
        record = {
            "command": f"{command.name} {typed}".rstrip(),
            "seconds": time.perf_counter() - begin,
        }
        show(outcome, write(outcome, Path(options.workdir), record))

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


def write(outcome: Outcome, workdir: Path, record: Mapping[str, Any]) -> list[Path]:
    """Writes an outcome's files and returns their paths.

    Args:
      record: what `result.json` says of the command.

    Raises:
      ConfigError: the folder cannot be written.
    """
    machine = environment.describe()
    told = outcome._asdict() | {"findings": [finding._asdict() for finding in outcome.findings]}
    content = {
        **record,
        "machine": environment.in_words(machine),
        "environment": machine,
        **{name: value for name, value in told.items() if name != "figures"},
        "settings": {k: v for k, v in outcome.settings.items() if k != "data_dir"},
    }
    if shared_machine.is_marked(machine):
        content["seconds"] = None
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        record_files.write_json(workdir / "result.json", columns.finite(content))
        record_files.write_text(workdir / "table.md", as_markdown(outcome, content))
        pictures = [
            path
            for name, figure in outcome.figures.items()
            for path in drawing.save(figure, workdir, name)
        ]
    except OSError as error:
        raise ConfigError(
            f"--workdir={workdir} cannot be written ({error.strerror}); choose another"
        ) from error
    return [workdir / "result.json", workdir / "table.md", *pictures]


def as_markdown(outcome: Outcome, content: Mapping[str, Any]) -> str:
    """The outcome as a page: claim, answer, table, and where it was measured."""
    machine = content["environment"]
    versions = f"Python {machine['python']}, jax {machine['jax']}"
    seconds = content["seconds"]
    took = "beside other work" if seconds is None else f"{seconds:.0f} s"
    findings = [finding.as_row() for finding in outcome.findings]
    judged = f"{tables.as_markdown(findings)}\n" if findings else ""
    pictures = "".join(f"![{outcome.title}]({name}.png)\n" for name in outcome.figures)
    return (
        f"# {outcome.title}\n\nClaim: {outcome.claim} ({outcome.source})\n\n"
        f"Found: {outcome.answer}\n\n{judged}{tables.as_markdown(outcome.rows)}\n{pictures}\n"
        f"`{content['command']}`, {took} on {content['machine']}; {versions}.\n"
    )
