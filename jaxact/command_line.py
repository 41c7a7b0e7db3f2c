"""Flags of the commands: `--config` and its fields, with errors in one line."""

import dataclasses
import datetime
import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import flags, logging
from ml_collections import ConfigDict, config_flags

from jaxact import data
from jaxact.compilation import compiler
from jaxact.config import RULES, Config, field_error
from jaxact.errors import ConfigError, JaxactError
from jaxact.runs.process import devices

DEFAULT_CONFIG = "configs/digits.py"
# Where jaxact's own config files are: in a checkout, and in an installed package.
CONFIG_FOLDERS = (Path(__file__).parents[1] / "configs", Path(__file__).parent / "configs")


def define_config() -> flags.FlagHolder[ConfigDict]:
    """Defines `--config`; `parse` gives it its default."""
    return config_flags.DEFINE_config_file(
        "config", None, f"Configuration file, such as configs/mnist.py:paper ({DEFAULT_CONFIG})."
    )


COMPILATION_CACHE = flags.DEFINE_string(
    "compilation_cache",
    compiler.default_folder(),
    "Folder that keeps compiled programs for the next start; empty: none is kept.",
)


def config_path(path: str) -> str:
    """A config file as the user names it, or the one of that name that comes with jaxact.

    Args:
      path: may carry an argument for the file behind a colon, as in `configs/mnist.py:paper`.

    Raises:
      ConfigError: there is no such file.
    """
    file, colon, argument = path.partition(":")
    own = sorted(p for folder in CONFIG_FOLDERS for p in folder.glob("[!_]*.py"))
    candidates = [Path(file), *(p for p in own if Path(file) == Path("configs") / p.name)]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        known = ", ".join(dict.fromkeys(f"configs/{p.name}" for p in own))
        raise ConfigError(f"--config={path}: there is no file {file} (jaxact has {known})")
    return f"{found}{colon}{argument}"


def with_config_first(argv: Sequence[str]) -> list[str]:
    """The command line with `--config`, its path resolved, before the fields that override it."""
    path, rest = DEFAULT_CONFIG, []
    words = iter(argv[1:])
    for word in words:
        if word in ("--config", "-config"):
            path = next(words, "")
        elif match := re.fullmatch(r"--?config=(.*)", word, re.DOTALL):
            path = match.group(1)
        else:
            rest.append(re.sub(r"^(--?config\.\w+)=null$", r"\1=None", word))
    return [argv[0], f"--config={config_path(path)}", *rest]


def parse(argv: Sequence[str]) -> list[str]:
    """The `flags_parser` of `absl.app.run`: what is wrong ends in one line and exit code 2."""
    _help_if_asked(argv, help_text)
    try:
        try:
            sys.argv = with_config_first(argv)  # ml_collections reads the overrides from there
            rest = flags.FLAGS(sys.argv)
        except ConfigError:
            raise
        except Exception as error:
            raise explain(argv, error) from error
        if rest[1:]:
            raise ConfigError(f"{rest[1]!r} is no option; fields are set as --config.FIELD=VALUE")
    except ConfigError as error:
        print(f"jaxact: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    return rest


def parse_arguments(argv: Sequence[str], names: Sequence[str]) -> list[str]:
    """As `parse`, for a command without `--config` that takes arguments, one for each name."""
    _help_if_asked(argv, options_text)
    try:
        try:
            rest = flags.FLAGS(argv)
        except flags.Error as error:
            raise explain(argv, error) from error
        if len(rest) - 1 != len(names):
            given = f"not {len(rest) - 1}" if rest[1:] else "none is given"
            raise ConfigError(f"the command takes {' '.join(names)}, {given} (--help says more)")
    except ConfigError as error:
        print(f"jaxact: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    return rest


def _help_if_asked(argv: Sequence[str], text: Callable[[], str]) -> None:
    if any(re.fullmatch(r"--?h(elp(short)?)?", word) for word in argv[1:]):
        print(text())
        sys.exit(0)


def exit_code(action: Callable[[], None]) -> int:
    """Runs a command; an error that its user can act on becomes one line and its exit code."""
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.WARNING)  # JAX and Orbax tell much at INFO
    compiler.keep_compiled(COMPILATION_CACHE.value)
    devices.take_one()
    try:
        action()
    except JaxactError as error:
        print(f"jaxact: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("jaxact: interrupted before training began; nothing was lost", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


def help_text() -> str:
    """What the command does, its options, and the fields of a configuration with their defaults."""
    fields = "\n".join(
        f"  --config.{name}={value}  ({RULES[name].allowed})"
        for name, value in dataclasses.asdict(Config()).items()
    )
    return f"{options_text()}\n\nFields and their defaults:\n{fields}"


def options_text() -> str:
    """What the command does, and its options."""
    described = sys.modules["__main__"].__doc__ or ""
    options = flags.FLAGS.main_module_help() + "\n" + flags.FLAGS.module_help(__name__)
    return f"{described.strip()}\n{options}"


def explain(argv: Sequence[str], error: Exception) -> ConfigError:
    """What was wrong with a command line that absl or ml_collections refused."""
    for word in argv[1:]:
        match = re.match(r"--?config\.([^=]*)", word)
        if match and match.group(1) not in RULES:
            unknown = field_error(match.group(1), None)
            assert unknown is not None
            return unknown
    refused = re.search(r"flag --config\.(\w+)=(.*?):", str(error), re.DOTALL)
    if refused and (wrong := field_error(refused.group(1), refused.group(2))):
        return wrong
    text = " ".join(str(error).split())
    kind = "" if isinstance(error, flags.Error) else f"{type(error).__name__}: "
    return ConfigError(f"{kind}{text} (--help lists the options)")


def new_workdir(config: Config) -> Path:
    """A folder for a run that was given none: `runs/DATASET-MODEL-ACTIVATION-TIME`."""
    activation = re.sub(r"[^\w.-]+", "_", config.activation)[:60]
    moment = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    return Path("runs") / f"{data.title(config.dataset)}-{config.model}-{activation}-{moment}"
