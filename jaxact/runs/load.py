"""The network that a run has trained, from the run's folder."""

import dataclasses
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from jaxact import activations, data, models, paths
from jaxact.activations import fingerprint, own
from jaxact.activations.activation import Activation, ActivationError
from jaxact.config import RULES, Config, field_error
from jaxact.errors import ConfigError, WorkdirError
from jaxact.inference.network import Network
from jaxact.models.own import examination, factories
from jaxact.runs import setup
from jaxact.runs.records import checkpoint, record_files, workdirs
from jaxact.runs.records.snapshot import restored
from jaxact.training import early_stopping

_SHOWN = 5


def load(workdir: str | os.PathLike[str], activation: Any = None, model: Any = None) -> Network:
    """The network of a run, from its newest checkpoint that is whole; nothing there is changed.

    With early stopping it has the parameters of the best epoch so far, else the last ones. A run
    that is not finished may be loaded, also while it trains. Its data need not be there.

    Args:
      workdir: of the run: a folder with `config.json` and `checkpoints/`.
      activation: the run's own function, where its name cannot be imported here: whatever
        `jaxact.activations.get` takes.
      model: the run's own network likewise: a class, or a function that makes a module.

    Raises:
      ConfigError: the folder holds no run (a comparison's says which runs it has), or its own
        activation or network is not there, or has changed since.
      WorkdirError: there is no checkpoint that can be used.
    """
    folder = Path(paths.local(os.fspath(workdir), "RUN"))
    stored = _stored(folder)
    config = _config(folder, stored)
    function = _activation(folder, config, stored.get(workdirs.FUNCTION), activation)
    classes, image_shape = _described(folder)
    found = checkpoint.newest(folder / record_files.CHECKPOINTS)
    for step, reason in found.damaged.items():
        warnings.warn(
            f"{folder}: the checkpoint of step {step} is damaged ({reason}); the one of step "
            f"{found.step} is used",
            stacklevel=2,
        )
    arrays, rows = found.content.arrays, found.content.progress["rows"]
    if model is not None:
        config = dataclasses.replace(config, model=factories.spec_of(model, models.names()))
    network = _model(folder, config, function, len(classes), image_shape, stored)
    evaluated = {**arrays, **arrays.get("average", {}), **arrays.get("best", {})}
    try:
        variables = _variables(network, evaluated, image_shape)
        preprocessing = data.Preprocessing(**arrays["preprocessing"])
    except (KeyError, TypeError, ValueError) as error:
        raise WorkdirError(
            f"the checkpoint of step {found.step} in {folder} is not of {config.model} with "
            f"{config.activation} as this jaxact has them ({error}): load it with the one that "
            "made it (its version and commit are in environment.json)"
        ) from error
    epoch = rows[-1]["epoch"] if rows else 0
    if rows and "best" in arrays:
        epoch = early_stopping.best_epoch(rows)
    return Network(
        network,
        variables.pop("params"),
        variables,
        preprocessing=preprocessing,
        classes=classes,
        image_shape=image_shape,
        config=config,
        epoch=epoch,
    )


def _stored(folder: Path) -> Mapping[str, Any]:
    """The content of `config.json`, of a folder that is a run's."""
    if not folder.is_dir():
        kind = "a file" if folder.exists() else "not there"
        raise ConfigError(f"{folder} is {kind}; give the folder of a run (its --workdir)")
    if not (folder / record_files.CONFIG).is_file():
        raise ConfigError(f"{folder} holds no {record_files.CONFIG}, so no run{_hint(folder)}")
    stored = record_files.read_json(folder / record_files.CONFIG)
    if not isinstance(stored, dict) or not stored:
        raise ConfigError(f"{folder / record_files.CONFIG} holds no configuration")
    return stored


def _hint(folder: Path) -> str:
    """The runs below a folder, such as a comparison's, or the one that it is a part of."""
    for parent in folder.absolute().parents:
        if (parent / record_files.CONFIG).is_file() and (
            parent / record_files.CHECKPOINTS
        ).is_dir():
            return f"; it is a part of one: give {parent}"
    runs = sorted(path.parent.relative_to(folder) for path in folder.rglob(record_files.CONFIG))
    if not runs:
        return "; give the folder of a run (its --workdir)"
    shown = ", ".join(str(folder / run) for run in runs[:_SHOWN])
    more = f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else ""
    return f" of its own; it has {len(runs)}: give {shown}{more}"


def _config(folder: Path, stored: Mapping[str, Any]) -> Config:
    """The configuration that a run was made with; where its data lie is not asked."""
    fields = {k: v for k, v in stored.items() if k not in workdirs.FINGERPRINTS}
    for name, value in fields.items():
        is_of_data = name in ("dataset", "data_dir", "model", "optimizer")
        if error := None if is_of_data and isinstance(value, str) else field_error(name, value):
            path = folder / record_files.CONFIG
            raise ConfigError(f"{path}: {error}; load it with the jaxact that made it") from error
    return Config(**{name: fields.get(name, workdirs.DEFAULTS[name]) for name in RULES})


def _activation(folder: Path, config: Config, stored: Any, given: Any) -> Activation:
    """The run's activation, if it computes what it did in training."""
    spec = config.activation
    try:
        function = activations.get(spec if given is None else given)
        now = fingerprint.fingerprint(function)
    except ActivationError as error:
        hint = "" if given is not None else ", or give it: load(workdir, activation=function)"
        raise ConfigError(
            f"{folder} was trained with {spec}, which cannot be had here ({error}); make it "
            f"importable from the current folder{hint}"
        ) from error
    if now is not None and stored is not None:
        changed = fingerprint.change(stored, now)
    elif now is stored:  # jaxact's own
        changed = "" if given is None or own.same(function.spec, spec) else "it is another one"
    else:
        changed = "it was jaxact's own" if stored is None else "it is jaxact's own now"
    if changed:
        raise ConfigError(
            f"{spec} has changed since {folder} was trained with it ({changed}): with what is here "
            "now it would be another network; bring the old function back"
        )
    return function


def _model(
    folder: Path,
    config: Config,
    function: Activation,
    classes: int,
    image_shape: tuple[int, int, int],
    stored: Mapping[str, Any],
) -> models.Network:
    """The run's network, if it computes what it did in training."""
    try:
        built = setup.create_model(config, function, classes, image_shape)
    except ActivationError:
        raise
    except ConfigError as error:
        raise ConfigError(
            f"{folder} was trained with {config.model}, which cannot be had here ({error}); make "
            "it importable from the current folder, or give it: load(workdir, model=Net)"
        ) from error
    then = stored.get(workdirs.MODEL)
    if built.fingerprint is not None and (changed := examination.change(then, built.fingerprint)):
        raise ConfigError(
            f"{config.model} has changed since {folder} was trained with it ({changed}): its "
            "variables would mean something else; bring the old module back"
        )
    return built.model


def _described(folder: Path) -> tuple[tuple[str, ...], tuple[int, int, int]]:
    """The names of classes, and the shape of images before a small one is enlarged."""
    path = folder / record_files.DATA
    described = record_files.read_json(path)
    try:
        height, width, channels = map(int, described["image_shape"])
        return tuple(map(str, described["class_names"])), (height, width, channels)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path} does not say which images and classes the run has; bring it back from a copy"
        ) from error


def _variables(
    model: models.Network, names: Mapping[str, Any], shape: tuple[int, ...]
) -> dict[str, Any]:
    """The model's variables, nested, as numpy arrays; ValueError if these are others."""
    height, width, channels = shape
    size = max(height, model.input_size), max(width, model.input_size)
    image = jax.ShapeDtypeStruct((1, *size, channels), jnp.float32)
    like = jax.eval_shape(model.initial, jax.random.key(0), image)
    return jax.device_get(restored(names, like))
