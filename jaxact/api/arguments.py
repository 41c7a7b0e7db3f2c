"""From what Python programs give to what runs take: functions to specs, arrays to a data set."""

import contextlib
import numbers
import os
import re
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ml_collections import ConfigDict

from jaxact import config_file, data, models, paths
from jaxact.activations import Activation, callables
from jaxact.api.words import in_python
from jaxact.comparison.compare import COMMAND
from jaxact.config import Config, check, default_config, field_error
from jaxact.errors import (
    ConfigError,
    DataError,
    Interrupted,
    NonFiniteLossError,
    did_you_mean,
)
from jaxact.models.own import factories
from jaxact.runs.process.signals import StopRequest, stop_on_signals
from jaxact.specs import split_list

Spec = str | Activation | Callable[..., Any]
Base = str | os.PathLike[str] | Config | Mapping[str, Any] | ConfigDict | None
# The kinds of options: what a value of one is an instance of, and how a message calls it.
_KINDS = {
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "a text"),
    bool: (bool, "True or False"),
    Path: ((str, os.PathLike), "a path"),
}


def specs_of(functions: Sequence[Spec]) -> list[str]:
    """The specs of activations; functions that share a name are told apart by what they compute."""
    specs = [callables.spec_of(one) for one in functions]
    count = Counter(specs)
    return [
        callables.spec_of(one, is_unique=callable(one) and count[spec] > 1)
        for one, spec in zip(functions, specs, strict=True)
    ]


def spec_among(functions: Sequence[Spec], specs: Sequence[str], one: Spec) -> str:
    """The spec of an activation as it is written in a list of them, if it is there."""
    for function, spec in zip(functions, specs, strict=False):
        if function == one:  # a method is another object each time
            return spec
    return callables.spec_of(one)


def several(values: Any, name: str) -> list[Any]:
    """The values of an argument that takes one or several; a text has them between its commas."""
    if isinstance(values, Mapping):
        raise ConfigError(f"{name} is of type {type(values).__name__}: give a list")
    if isinstance(values, str):
        return [part for part in split_list(values) if part]
    if callable(values) or isinstance(values, os.PathLike) or not isinstance(values, Iterable):
        return [values]
    return list(values)


def joined(values: Any, name: str) -> str | None:
    """The values of an argument, one or several, as the text of an option; None for none."""
    return None if values is None else ",".join(map(str, several(values, name)))


def option(name: str, value: Any) -> Any:
    """The value of an argument that is an option of `experiments.compare`.

    Raises:
      ConfigError: it is of another kind than the option, or too small.
    """
    row = COMMAND.options[name]
    kind, end = row.kind or type(row.default), ", or None" * (row.default is None)
    if value is None and row.default is None:
        return None
    if isinstance(kind, tuple):
        is_right, words = value in kind, " or ".join(map(repr, kind))
    else:
        number, words = _KINDS[kind]
        is_right = isinstance(value, number) and isinstance(value, bool) == (kind is bool)
        if (least := row.least) is not None:
            words += f" from {least:g}"
            is_right = is_right and cast(Any, value) >= least
    if not is_right:
        raise ConfigError(f"{name}={value!r} must be {words}{end}")
    return kind(value) if isinstance(kind, type) else value


def fields_of(
    config: Base, fields: Mapping[str, Any], options: Iterable[str] = ()
) -> dict[str, Any]:
    """The fields of a configuration: those of a base, with others in place of some.

    Args:
      config: a `Config`, a mapping, or a file as `--config` takes it; None: the defaults.
      fields: by name.
      options: other arguments beside which fields are given, for suggestions.

    Raises:
      ConfigError: a field is unknown, or the file is wrong.
    """
    base = default_config().to_dict()
    if isinstance(config, str | os.PathLike):
        base = config_file.load(os.fspath(config))
    elif isinstance(config, Config):
        base = dict(vars(config))
    elif isinstance(config, Mapping | ConfigDict):
        base |= dict(config)
    elif config is not None:
        kind = type(config).__name__
        raise ConfigError(
            f"config is of type {kind}: give a jaxact.Config, a mapping, or a file such as "
            "'configs/mnist.py:paper'"
        )
    values = base | dict(fields)
    for name in values:
        if name not in Config.__dataclass_fields__ and (error := field_error(str(name), None)):
            near = did_you_mean(str(name), options) if name in fields else ""
            raise ConfigError(f"{name} is no argument{near}") if near else error
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    """A number of NumPy's or JAX's as Python's, a path as text; all else as it is."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if getattr(value, "ndim", None) == 0 else value


@contextlib.contextmanager
def named(dataset: Any, channels_last: bool | None) -> Iterator[str]:
    """A block in which a data set has a name: its own, its path, or that of its arrays."""
    if isinstance(plain := _plain(dataset), str):
        yield plain
        return
    with contextlib.ExitStack() as stack:
        try:
            name = stack.enter_context(data.given(dataset, channels_last))
        except DataError as error:  # which may speak of a file
            error.args = (re.sub(r"\bsave\b", "give", str(error)),)
            raise
        yield name


@contextlib.contextmanager
def checked(
    config: Base, fields: Mapping[str, Any], options: Iterable[str] = ()
) -> Iterator[Config]:
    """A block in which a configuration holds: its functions have specs, and its arrays a name.

    Args:
      config, fields, options: as `fields_of` takes them; `activation` may be a function, `model` a
        class or a function that makes a module, `dataset` arrays.

    Raises:
      ConfigError, DataError: one of them is wrong.
    """
    values = fields_of(config, fields, options)
    values["activation"] = callables.spec_of(values["activation"])
    values["model"] = factories.spec_of(values["model"], models.names())
    with named(values["dataset"], values["channels_last"]) as dataset:
        yield check(ConfigDict(values | {"dataset": dataset}))


@contextlib.contextmanager
def folder(workdir: str | os.PathLike[str] | None) -> Iterator[Path]:
    """A block with the folder of a run or a study; a temporary one goes if the block fails."""
    if workdir is not None:
        yield Path(paths.local(os.fspath(workdir), "workdir"))
        return
    place = Path(tempfile.mkdtemp(prefix="jaxact-"))
    try:
        yield place
    except BaseException as error:
        shutil.rmtree(place, ignore_errors=True)
        if isinstance(error, KeyboardInterrupt | NonFiniteLossError):
            error.args = (_without(place, str(error)),)
        raise


def _without(place: Path, text: str) -> str:
    """A message without the parts that speak of a folder that is gone."""
    parts = [part for part in text.split("; ") if str(place) not in part]
    gone = [] if len(parts) == text.count("; ") + 1 else ["with a workdir it could go on"]
    return "; ".join(parts + gone)


@contextlib.contextmanager
def stop_on_interrupt() -> Iterator[StopRequest]:
    """A block that Ctrl-C ends once training has been saved, with a `KeyboardInterrupt`.

    A second one ends it at once. In a thread there are no signals.
    """
    with stop_on_signals((signal.SIGINT,), ends_on_second=False) as stop:
        try:
            yield stop
        except Interrupted as error:
            raise KeyboardInterrupt(in_python(str(error))) from None
