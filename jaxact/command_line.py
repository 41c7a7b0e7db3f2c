"""`--config` and its fields on a command line."""

import dataclasses
import datetime
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from absl import flags
from ml_collections import config_flags

from jaxact import data
from jaxact.command import Command, Option, Options
from jaxact.compilation import compiler
from jaxact.config import RULES, Config, check, field_error
from jaxact.errors import ConfigError

DEFAULT_CONFIG = "configs/digits.py"
# Where jaxact's own config files are: in a checkout, and in an installed package.
CONFIG_FOLDERS = (Path(__file__).parents[1] / "configs", Path(__file__).parent / "configs")


class ConfigCommand(Command):
    """A command with `--config` and its fields; its options hold the checked `config`."""

    def __init__(self, name: str, description: str, options: Mapping[str, Option]):
        cache = Option(
            compiler.default_folder(),
            "folder that keeps compiled programs for the next start; empty: none is kept",
        )
        super().__init__(name, description, {**options, "compilation_cache": cache})

    def parse(self, words: Sequence[str]) -> Options:
        """The values of options, the configuration, and the names of fields that were `given`.

        Raises:
          ConfigError: one is wrong.
        """
        options = super().parse(with_config_first(words))
        options.config = check(options.config)
        fields = (re.match(r"--?config\.(\w+)", word) for word in words)
        options.given = {field.group(1) for field in fields if field}
        return options

    def _define_more(self, values: flags.FlagValues, words: Sequence[str]) -> None:
        argv = [self.name, *words]  # ml_collections looks for the fields there
        config_flags.DEFINE_config_file("config", flag_values=values, sys_argv=argv)

    def _explained(self, words: Sequence[str], error: Exception) -> ConfigError:
        return field_that_is_wrong(words, error) or super()._explained(words, error)

    def help(self) -> str:
        """The text that `--help` prints, with the fields of a configuration and their defaults."""
        fields = [
            f"  --config.{name}={value}  ({RULES[name].allowed})"
            for name, value in dataclasses.asdict(Config()).items()
        ]
        config = f"--config=FILE, such as configs/mnist.py:paper (default: {DEFAULT_CONFIG})"
        return "\n".join([super().help(), "", config, "", "fields and their defaults:", *fields])


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


def with_config_first(words: Sequence[str]) -> list[str]:
    """The options with `--config`, its path resolved, before the fields that override it."""
    path, rest = DEFAULT_CONFIG, []
    left = iter(words)
    for word in left:
        if word in ("--config", "-config"):
            path = next(left, "")
        elif match := re.fullmatch(r"--?config=(.*)", word, re.DOTALL):
            path = match.group(1)
        else:
            rest.append(re.sub(r"^(--?config\.\w+)=null$", r"\1=None", word))
    return [f"--config={config_path(path)}", *rest]


def field_that_is_wrong(words: Sequence[str], error: Exception) -> ConfigError | None:
    """The error of a field that absl or ml_collections refused to set; None: it was another."""
    for word in words:
        match = re.match(r"--?config\.([^=]*)", word)
        if match and match.group(1) not in RULES:
            return field_error(match.group(1), None)
    refused = re.search(r"flag --config\.(\w+)=(.*?):", str(error), re.DOTALL)
    return field_error(refused.group(1), refused.group(2)) if refused else None


def new_workdir(config: Config) -> Path:
    """A folder for a run that was given none: `runs/DATASET-MODEL-ACTIVATION-TIME`."""
    activation = re.sub(r"[^\w.-]+", "_", config.activation)[:60]
    moment = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    return Path("runs") / f"{data.title(config.dataset)}-{config.model}-{activation}-{moment}"
