"""What the experiments of one command share: options, the files they leave, errors in one line.

An experiment makes an `Outcome`. `run` writes it to `--workdir` (where the command line is absl's,
`write` and `show` do): `result.json` (claim, answer, settings, machine and versions, rows),
`table.md`, and each figure as PNG and SVG.
"""

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from rich.console import Console

from jaxact.compilation import compiler
from jaxact.errors import ConfigError, JaxactError
from jaxact.presentation import drawing, tables
from jaxact.runs.process import devices, environment
from jaxact.runs.records import record_files

FILE_WIDTH = 160  # of the table on the terminal, where there is none that has a width


class Outcome(NamedTuple):
    """What an experiment found.

    Attributes:
      title: of the table, one line.
      claim: what the source says, in a sentence.
      source: who says so, and where.
      answer: what was found here, in a sentence or two, with its figures.
      settings: what was asked for, whole enough to do it again; where the data lie, `data_dir`, is
        left out of the file: it is the machine's, not the experiment's.
      rows: heading to cell, see `jaxact.presentation.tables`.
      figures: file name to figure.
      details: what else `result.json` is to hold, raw figures among it.
    """

    title: str
    claim: str
    source: str
    answer: str
    settings: Mapping[str, Any]
    rows: Sequence[tables.Row]
    figures: Mapping[str, Figure]
    details: Mapping[str, Any] = {}


def parser(name: str, description: str, *examples: str) -> argparse.ArgumentParser:
    """The command line of `python -m experiments.NAME`, with `--workdir`; add its own options.

    Args:
      name: of the module.
      description: what the experiment shows.
      *examples: options worth knowing, each a command line's end.
    """
    command = f"python -m experiments.{name}"
    lines = [f"  {command} {example}".rstrip() for example in ("", *examples)]
    made = argparse.ArgumentParser(
        prog=command,
        description=description,
        epilog="\n".join(["examples:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--workdir", default=f"runs/{name}", help="folder (default: %(default)s)")
    return made


def run(
    options_of: argparse.ArgumentParser,
    perform: Callable[[argparse.Namespace], Outcome],
    arguments: Sequence[str] | None = None,
) -> int:
    """The command: parses, performs, writes, prints; returns the exit code.

    A user's error ends in one line on stderr. Nothing is written before `perform` has ended.
    """
    options = options_of.parse_args(arguments)
    words = shlex.join(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        compiler.keep_compiled(compiler.default_folder())
        devices.take_one()
    begin = time.perf_counter()
    try:
        outcome = perform(options)
        record = {
            "command": f"{options_of.prog} {words}".rstrip(),
            "seconds": time.perf_counter() - begin,
        }
        written = write(outcome, Path(options.workdir), record)
    except JaxactError as error:
        print(f"jaxact: {error}", file=sys.stderr)
        return error.exit_code
    show(outcome, written)
    return 0


def show(outcome: Outcome, written: Sequence[Path]) -> None:
    """Prints an outcome and the files that `write` has left, on stdout."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(tables.as_rich(outcome.rows, outcome.title))
    print(f"claim: {outcome.claim} ({outcome.source})\nfound: {outcome.answer}")
    print(f"files: {', '.join(map(str, written))}")


def write(outcome: Outcome, workdir: Path, record: Mapping[str, Any]) -> list[Path]:
    """Writes an outcome's files and returns their paths.

    Args:
      record: what `result.json` says of the command.

    Raises:
      ConfigError: the folder cannot be written.
    """
    machine = environment.describe()
    content = {
        **record,
        "machine": environment.in_words(machine),
        "environment": machine,
        **{name: value for name, value in outcome._asdict().items() if name != "figures"},
        "settings": {k: v for k, v in outcome.settings.items() if k != "data_dir"},
    }
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        record_files.write_json(workdir / "result.json", content)
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
    pictures = "".join(f"![{outcome.title}]({name}.png)\n" for name in outcome.figures)
    return (
        f"# {outcome.title}\n\nClaim: {outcome.claim} ({outcome.source})\n\n"
        f"Found: {outcome.answer}\n\n{tables.as_markdown(outcome.rows)}\n{pictures}\n"
        f"`{content['command']}`, {content['seconds']:.0f} s on {content['machine']}; {versions}.\n"
    )
