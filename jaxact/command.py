"""Commands: options as data, wrong ones told in a line, errors as exit codes."""

import contextlib
import dataclasses
import os
import re
import shutil
import signal
import sys
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

from absl import flags, logging

from jaxact import paths
from jaxact.compilation import compiler
from jaxact.errors import ConfigError, JaxactError, WorkdirError, did_you_mean
from jaxact.runs.process import devices, modes

Options = SimpleNamespace
NARROWEST, WIDEST = 40, 100  # columns of a help, whatever the terminal
Result = TypeVar("Result")


class Option(NamedTuple):
    """An option `--NAME=VALUE`.

    Attributes:
      default: its value where it is not given.
      meaning: what it is, in a few words.
      kind: int, float, str, bool (a switch: `--NAME` alone is True), Path (a local path, as text;
        its `~` is replaced), or the texts among which to choose; None: that of the default.
      least: the lowest value of a number.
      or_null: whether `null` and `None` are its None; always, where that is the default.
    """

    default: Any
    meaning: str
    kind: type | tuple[str, ...] | None = None
    least: float | None = None
    or_null: bool = False


class NullOr(flags.ArgumentParser):
    """A parser of `null` and `None`, however they are written, as None, and of what another parses.

    Args:
      parser: of all else.
    """

    def __init__(self, parser: flags.ArgumentParser):
        self._parser = parser

    def parse(self, argument: Any) -> Any:
        return None if is_null(argument) else self._parser.parse(argument)

    def flag_type(self) -> str:
        return self._parser.flag_type()


def is_null(text: Any) -> bool:
    """Whether a text is one that stands for None on a command line."""
    return isinstance(text, str) and text.strip().lower() in ("null", "none")


@dataclasses.dataclass(frozen=True)
class Command:
    """A command line: what a user types, and what it means.

    Attributes:
      name: such as "python -m jaxact.check".
      description: what the command does.
      options: by name.
      arguments: names of what stands without one, such as ("SPEC",): upper case, each required; the
        last one may be a list of one or more, such as "IMAGES...", without the dots in the options.
      examples: ends of command lines worth knowing.
      notes: further lines of the help.
    """

    name: str
    description: str
    options: Mapping[str, Option] = dataclasses.field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    notes: str = ""

    def parse(self, words: Sequence[str]) -> Options:
        """The values of options, and of arguments by their names in lower case.

        Raises:
          ConfigError: names what is wrong and what is allowed.
        """
        return self._parsed(words)[1]

    def _parsed(self, words: Sequence[str]) -> tuple[flags.FlagValues, Options]:
        """The flags as absl has read them, and as `parse` gives them."""
        values = flags.FlagValues()
        for name, option in self.options.items():
            _define(name, option, values)
        self._define_more(values)
        try:
            given = values([self.name, *words])[1:]
        except ConfigError:
            raise
        except Exception as error:
            raise self._explained(error) from error
        if given and not self.arguments:
            raise ConfigError(f"{given[0]!r} is no option; they are given as --NAME=VALUE (--help)")
        named = self._named(given)
        chosen = {name: getattr(values, name) for name in values if "." not in name}
        for name, option in self.options.items():
            if option.kind is Path and values[name].present and chosen[name] is not None:
                chosen[name] = paths.local(chosen[name], f"--{name}")
        return values, Options(**chosen, **named)

    def _named(self, given: Sequence[str]) -> dict[str, Any]:
        """The arguments by their names in lower case."""
        names = [name.lower().removesuffix("...") for name in self.arguments]
        is_list = bool(names) and self.arguments[-1].endswith("...")
        if len(given) < len(names) or (len(given) > len(names) and not is_list):
            count = f"not {len(given)}" if given else "none is given"
            raise ConfigError(f"the command takes {' '.join(self.arguments)}, {count} (see --help)")
        named: dict[str, Any] = dict(zip(names, given, strict=False))
        if is_list:
            named[names[-1]] = list(given[len(names) - 1 :])
        return named

    def _define_more(self, values: flags.FlagValues) -> None:
        """Flags beside the options."""

    def _explained(self, error: Exception) -> ConfigError:
        """The error of words that absl refused."""
        text = " ".join(str(error).split()).removeprefix("ERROR:: ")
        if isinstance(error, flags.UnrecognizedFlagError):
            text = f"--{error.flagname} is no option{did_you_mean(error.flagname, self.options)}"
        elif not isinstance(error, flags.Error):
            text = f"{type(error).__name__}: {text}"
        return ConfigError(f"{text} (--help lists the options)")

    def help(self) -> str:
        """The text that `--help` prints."""
        usage = [self.name, *self.arguments, *["[--OPTION=VALUE ...]"] * bool(self.options)]
        lines = [" ".join(usage), "", *map(wrapped, self.description.strip().split("\n\n"))]
        lines += ["", "options:"] if self.options else []
        for name, option in self.options.items():
            shown = f" (default: {option.default})"
            if option.default is None or option.default is False:
                shown = ""
            kinds = option.kind if isinstance(option.kind, tuple) else ()
            only = f"={kinds[0]}" if len(kinds) == 1 else ""
            choice = f", of {', '.join(kinds)}" if len(kinds) > 1 else ""
            told = f"--{name}{only}  {option.meaning}{choice}{shown}"
            lines.append(wrapped(told, "  ", " " * 6))
        if self.examples:
            lines += ["", "examples:", *(f"  {self.name} {end}".rstrip() for end in self.examples)]
        notes = self.notes.strip().splitlines()
        lines += ["", *(wrapped(line, later=" " * 6) for line in notes)] if notes else []
        return "\n".join(lines)

    def run(
        self, perform: Callable[[Options], int | None], words: Sequence[str] | None = None
    ) -> int:
        """Parses, performs, and returns the exit code; a user's error ends in a line on stderr.

        Args:
          perform: gets the options; an exit code that it returns is the command's.
          words: None: those of the command line; programs are then kept compiled for the next one.
        """
        is_command, words = words is None, sys.argv[1:] if words is None else words

        def action() -> int | None:
            if asks_for_help(words):
                print(self.help())
                return 0
            if is_command:
                devices.take_one()  # before a module of the user's is imported, or traced
            options = self.parse(words)
            if is_command:
                logging.set_verbosity(logging.WARNING)  # JAX and Orbax tell much at INFO
                folder = getattr(options, "compilation_cache", compiler.default_folder())
                compiler.keep_compiled(folder)
            return perform(options)

        return exit_code(action)


def wrapped(text: str, first: str = "", later: str = "") -> str:
    """A paragraph of a help, as wide as the terminal; names, paths and values stay whole.

    Args:
      first: stands before the first line.
      later: stands before the others.
    """
    width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)
    return textwrap.fill(
        text.strip(),
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def asks_for_help(words: Sequence[str]) -> bool:
    return any(re.fullmatch(r"--?h(elp(short|full)?)?", word) for word in words)


def _define(name: str, option: Option, values: flags.FlagValues) -> None:
    default, meaning, kind, least, or_null = option
    kind = kind or type(default)
    if kind is bool:
        flags.DEFINE_boolean(name, default, meaning, flag_values=values)
        return
    if isinstance(kind, tuple):
        flags.DEFINE_enum(name, default, kind, meaning, flag_values=values)
        return
    parser: flags.ArgumentParser = flags.FloatParser(lower_bound=least)
    if kind in (str, Path):
        parser = flags.ArgumentParser()
    elif kind is int:
        parser = flags.IntegerParser(lower_bound=None if least is None else int(least))
    if or_null or default is None:
        parser = NullOr(parser)
    flags.DEFINE(parser, name, default, meaning, flag_values=values)


def exit_code(action: Callable[[], int | None]) -> int:
    """Runs a command; an error that its user can act on becomes one line and its exit code."""
    try:
        code = action() or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where an error can be told
        return code
    except JaxactError as error:
        return _told(error)
    except BrokenPipeError:
        return _without_reader()
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        _drop_unwritten()
        return _told(WorkdirError(f"a file cannot be read or written ({error.strerror}{where})"))
    except KeyboardInterrupt:
        print("jaxact: interrupted before training began; nothing was lost", file=sys.stderr)
        return 128 + signal.SIGINT
    except Exception as error:
        try:
            devices.start()  # where JAX cannot start, that is the cause of whatever followed
        except JaxactError as cause:
            return _told(cause)
        if (cause := modes.explanation(error)) is not None:
            return _told(cause)
        raise


def telling_warnings(function: Callable[..., Result], *args: Any) -> Result:
    """The value of a call; what it warns of becomes lines on stderr."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        value = function(*args)
    for warning in caught:
        print(f"warning: {warning.message}", file=sys.stderr)
    return value


def _told(error: JaxactError) -> int:
    try:
        print(f"jaxact: {error}", file=sys.stderr)
    except BrokenPipeError:
        _without_reader()
    return error.exit_code


def _without_reader() -> int:
    """The end of a command whose output is read no further, as in `| head -1`: without a word."""
    _drop_unwritten()
    return 128 + getattr(signal, "SIGPIPE", 13)  # no signal on Windows


def _drop_unwritten() -> None:
    """Lets go of output that cannot be written: Python would complain of it at its end."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError):  # a stream without a file of the system
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
