"""`--config` and its fields on a command line."""

import dataclasses
import datetime
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags
from ml_collections import ConfigDict

from jaxact import config_file, data
from jaxact.command import Command, Option, Options, is_null, wrapped
from jaxact.compilation import compiler
from jaxact.config import RULES, Config, check, field_error, field_kind
from jaxact.config_fields import meanings
from jaxact.errors import ConfigError
from jaxact.runs.process import devices, hosts

DEFAULT_CONFIG = "configs/digits.py"
_PARSERS: dict[type, flags.ArgumentParser] = {
    bool: flags.BooleanParser(),
    int: flags.IntegerParser(),
    float: flags.FloatParser(),
}


class FieldParser(flags.ArgumentParser):
    """The parser of a field's text, by its kind; null where the field may be."""

    def __init__(self, name: str):
        self._name = name

    def parse(self, argument: str) -> Any:
        """The value; raises ConfigError where the text is none that the field may hold."""
        if is_null(argument) and RULES[self._name].holds(None):
            return None
        parser = _PARSERS.get(field_kind(self._name))
        try:
            return argument if parser is None else parser.parse(argument)
        except (TypeError, ValueError) as error:
            if wrong := field_error(self._name, argument):
                raise wrong from error
            return argument


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
        try:  # the files of --flagfile first: they may hold --config and its fields
            words = flags.FlagValues().read_flags_from_files(list(words), force_gnu=False)
        except (flags.Error, OSError, UnicodeError) as error:
            raise self._explained(error) from error
        path, rest = split_config(words)
        values, options = self._parsed(rest)
        given = {name: values[f"config.{name}"] for name in RULES}
        chosen = {name: flag.value for name, flag in given.items() if flag.present}
        fields = {**config_file.load(path), **chosen}
        _begin(fields)
        options.config = check(ConfigDict(fields))
        options.given = set(chosen)
        return options

    def _define_more(self, values: flags.FlagValues) -> None:
        for name in RULES:
            # A switch needs no value behind it; one that may be null takes null there.
            is_switch = field_kind(name) is bool and not RULES[name].holds(None)
            flags.DEFINE(
                FieldParser(name),
                f"config.{name}",
                None,
                RULES[name].allowed,
                values,
                boolean=is_switch,
            )

    def _explained(self, error: Exception) -> ConfigError:
        name = getattr(error, "flagname", "")
        if name.startswith("config."):
            return field_error(name.removeprefix("config."), None) or super()._explained(error)
        return super()._explained(error)

    def help(self) -> str:
        """The text that `--help` prints, with each field's default, meaning and allowed values."""
        defaults = dataclasses.asdict(Config())
        config = f"--config=FILE, such as configs/mnist.py:paper (default: {DEFAULT_CONFIG})"
        lines = [super().help(), "", wrapped(config), "", "its fields, with their defaults:"]
        for group, fields in meanings().items():
            lines += ["", group]
            for name, meaning in fields.items():
                default = "null" if defaults[name] is None else defaults[name]
                lines.append(f"  --config.{name}={default}")
                lines.append(wrapped(f"{meaning} ({RULES[name].allowed})", *[" " * 6] * 2))
        return "\n".join(lines)


def _begin(fields: Mapping[str, Any]) -> None:
    """Has JAX see the devices and processes that are wanted, before a function of one's own is run.

    Raises:
      ConfigError: the fields that say so are wrong.
    """
    places = {name: fields[name] for name in ("devices", "distributed") if name in fields}
    for name, value in places.items():
        if error := field_error(name, value):
            raise error
    count = places.get("devices", 1)
    if count > 1:
        devices.take(count)
    hosts.join(places.get("distributed"), count)


def split_config(words: Sequence[str]) -> tuple[str, list[str]]:
    """The path of the last `--config`, or the default one, and the other words."""
    path, rest = DEFAULT_CONFIG, []
    left = iter(words)
    for word in left:
        if word in ("--config", "-config"):
            path = next(left, "")
        elif match := re.fullmatch(r"--?config=(.*)", word, re.DOTALL):
            path = match.group(1)
        else:
            rest.append(word)
    return path, rest


def new_workdir(config: Config) -> Path:
    """A folder for a run that was given none: `runs/DATASET-MODEL-ACTIVATION-TIME`."""
    activation = re.sub(r"[^\w.-]+", "_", config.activation)[:60]
    moment = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    return Path("runs") / f"{data.title(config.dataset)}-{config.model}-{activation}-{moment}"
