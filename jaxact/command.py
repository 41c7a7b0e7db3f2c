"""Commands: options as data, wrong ones told in a line, errors as exit codes."""

import dataclasses
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

from absl import flags, logging

from jaxact.compilation import compiler
from jaxact.errors import ConfigError, JaxactError, did_you_mean
from jaxact.runs.process import devices

Options = SimpleNamespace


class Option(NamedTuple):
    """An option `--NAME=VALUE`.

    Attributes:
      default: its value where it is not given.
      meaning: what it is, in a few words.
      kind: int, float, str, or the texts among which to choose; None: that of the default.
      least: the lowest value of a number.
    """

    default: Any
    meaning: str
    kind: type | tuple[str, ...] | None = None
    least: float | None = None


@dataclasses.dataclass(frozen=True)
class Command:
    """A command line: what a user types, and what it means.

    Attributes:
      name: such as "python -m jaxact.check".
      description: what the command does.
      options: by name.
      arguments: names of what stands without one, such as ("SPEC",): upper case, each required.
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
        values = flags.FlagValues()
        for name, option in self.options.items():
            _define(name, option, values)
        self._define_more(values, words)
        try:
            given = values([self.name, *words])[1:]
        except ConfigError:
            raise
        except Exception as error:
            raise self._explained(words, error) from error
        if given and not self.arguments:
            raise ConfigError(f"{given[0]!r} is no option; they are given as --NAME=VALUE (--help)")
        if len(given) != len(self.arguments):
            count = f"not {len(given)}" if given else "none is given"
            raise ConfigError(f"the command takes {' '.join(self.arguments)}, {count} (see --help)")
        named = zip(map(str.lower, self.arguments), given, strict=True)
        return Options(
            **{name: getattr(values, name) for name in values if "." not in name}, **dict(named)
        )

    def _define_more(self, values: flags.FlagValues, words: Sequence[str]) -> None:
        """Room for options that are not known before the words are."""

    def _explained(self, words: Sequence[str], error: Exception) -> ConfigError:
        """The error of words that absl refused."""
        del words
        text = " ".join(str(error).split())
        if isinstance(error, flags.UnrecognizedFlagError):
            text = f"--{error.flagname} is no option{did_you_mean(error.flagname, self.options)}"
        elif not isinstance(error, flags.Error):
            text = f"{type(error).__name__}: {text}"
        return ConfigError(f"{text} (--help lists the options)")

    def help(self) -> str:
        """The text that `--help` prints."""
        usage = [self.name, *self.arguments, *["[--OPTION=VALUE ...]"] * bool(self.options)]
        lines = [" ".join(usage), "", self.description.strip()]
        lines += ["", "options:"] if self.options else []
        for name, option in self.options.items():
            shown = "" if option.default is None else f" (default: {option.default})"
            choice = f", of {', '.join(option.kind)}" if isinstance(option.kind, tuple) else ""
            lines.append(f"  --{name}  {option.meaning}{choice}{shown}")
        if self.examples:
            lines += ["", "examples:", *(f"  {self.name} {end}".rstrip() for end in self.examples)]
        lines += ["", self.notes.strip()] if self.notes else []
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
        if asks_for_help(words):
            print(self.help())
            return 0

        def action() -> int | None:
            options = self.parse(words)
            if is_command:
                logging.set_verbosity(logging.WARNING)  # JAX and Orbax tell much at INFO
                folder = getattr(options, "compilation_cache", compiler.default_folder())
                compiler.keep_compiled(folder)
                devices.take_one()
            return perform(options)

        return exit_code(action)


def asks_for_help(words: Sequence[str]) -> bool:
    return any(re.fullmatch(r"--?h(elp(short|full)?)?", word) for word in words)


def _define(name: str, option: Option, values: flags.FlagValues) -> None:
    default, meaning, kind, least = option
    kind = kind or type(default)
    if isinstance(kind, tuple):
        flags.DEFINE_enum(name, default, kind, meaning, flag_values=values)
    elif kind is str:
        flags.DEFINE_string(name, default, meaning, flag_values=values)
    elif kind is int:
        low = None if least is None else int(least)
        flags.DEFINE_integer(name, default, meaning, lower_bound=low, flag_values=values)
    else:
        flags.DEFINE_float(name, default, meaning, lower_bound=least, flag_values=values)


def exit_code(action: Callable[[], int | None]) -> int:
    """Runs a command; an error that its user can act on becomes one line and its exit code."""
    try:
        return action() or 0
    except JaxactError as error:
        print(f"jaxact: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("jaxact: interrupted before training began; nothing was lost", file=sys.stderr)
        return 128 + signal.SIGINT
