"""From what Python programs give to what runs take: functions to specs, arrays to a data set."""

import contextlib
import dataclasses
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from jaxact import config_file, data, paths
from jaxact.activations import Activation, callables
from jaxact.config import Config, check, default_config, field_error
from jaxact.errors import ConfigError, Interrupted
from jaxact.runs.process.signals import StopRequest, stop_on_signals

Spec = str | Activation | Callable[..., Any]


def specs_of(functions: Sequence[Spec]) -> list[str]:
    """The specs of activations; functions that share a name are told apart by what they compute."""
    count = Counter(map(callables.spec_of, functions))
    return [
        callables.spec_of(one, is_unique=callable(one) and count[callables.spec_of(one)] > 1)
        for one in functions
    ]


def spec_among(functions: Sequence[Spec], specs: Sequence[str], one: Spec) -> str:
    """The spec of an activation as it is written in a list of them, if it is there."""
    for function, spec in zip(functions, specs, strict=False):
        if function is one:
            return spec
    return callables.spec_of(one)


def fields_of(config: str | Config | Mapping[str, Any] | None, fields: Mapping[str, Any]) -> Any:
    """The fields of a configuration: those of a base, with others in place of some.

    Args:
      config: a `Config`, a mapping, or a file as `--config` takes it; None: the defaults.
      fields: by name.

    Raises:
      ConfigError: a field is unknown, or the file is wrong.
    """
    if isinstance(config, str):
        base = dict(config_file.load(config))
    elif config is None:
        base = default_config().to_dict()
    else:
        base = dataclasses.asdict(config) if isinstance(config, Config) else dict(config)
        base = default_config().to_dict() | base
    for name in {**base, **fields}:
        if name not in base or (name in fields and name not in Config.__dataclass_fields__):
            error = field_error(name, fields.get(name))
            raise error or ConfigError(f"config.{name} is not a field")
    return base | dict(fields)


@contextlib.contextmanager
def checked(
    config: str | Config | Mapping[str, Any] | None, fields: Mapping[str, Any]
) -> Iterator[Config]:
    """A block in which a configuration holds: its functions have specs, and its arrays a name.

    Args:
      config, fields: as `fields_of` takes them; `activation` may be a function, `dataset` arrays.

    Raises:
      ConfigError, DataError: one of them is wrong.
    """
    values = fields_of(config, fields)
    values["activation"] = callables.spec_of(values["activation"])
    with contextlib.ExitStack() as stack:
        if not isinstance(values["dataset"], str):
            arrays = data.given(values["dataset"], values["channels_last"])
            values["dataset"] = stack.enter_context(arrays)
        yield check(ConfigDict(values))


@contextlib.contextmanager
def folder(workdir: str | os.PathLike[str] | None) -> Iterator[Path]:
    """A block with the folder of a run or a study; a temporary one goes if the block fails."""
    if workdir is not None:
        yield Path(paths.local(os.fspath(workdir), "workdir"))
        return
    place = Path(tempfile.mkdtemp(prefix="jaxact-"))
    try:
        yield place
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


@contextlib.contextmanager
def stop_on_interrupt() -> Iterator[StopRequest]:
    """A block that Ctrl-C ends once training has been saved, with a `KeyboardInterrupt`.

    A second one ends it at once. In a thread there are no signals.
    """
    with stop_on_signals((signal.SIGINT,), ends_on_second=False) as stop:
        try:
            yield stop
        except Interrupted as error:
            raise KeyboardInterrupt(str(error)) from None
