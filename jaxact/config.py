"""The configuration of a run: what its fields may hold, and whether they do."""

import dataclasses
import functools
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ml_collections import ConfigDict, config_dict

from jaxact import activations, data, models, paths
from jaxact.activations import fingerprint
from jaxact.config_fields import Config as Config
from jaxact.errors import ConfigError, did_you_mean
from jaxact.models.own import factories
from jaxact.training import addresses
from jaxact.training.losses import LOSSES
from jaxact.training.optimizer import EXAMPLES, OPTIMIZERS, SCHEDULES, canonical


class Rule(NamedTuple):
    """The values of a field: a test, the words that say it, and the names if it is one of some."""

    holds: Callable[[Any], bool]
    allowed: str
    names: tuple[str, ...] = ()


def _one_of(names: tuple[str, ...]) -> Rule:
    return Rule(lambda value: value in names, f"one of {', '.join(names)}", names)


def _number(low: float, high: float, allowed: str, *, open_low: bool = False) -> Rule:
    def holds(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        # Compared as it is: an int may be too large for a float, and NaN is in no interval.
        return low <= value <= high and not (open_low and value == low)

    return Rule(holds, allowed)


def _whole(low: int, allowed: str, high: int = 2**31 - 1) -> Rule:
    number = _number(low, high, allowed)
    return Rule(lambda value: isinstance(value, int) and number.holds(value), allowed)


def _or_null(rule: Rule) -> Rule:
    return Rule(lambda value: value is None or rule.holds(value), f"{rule.allowed}, or null")


_POSITIVE = _whole(1, "a whole number from 1")
_COUNT = _whole(0, "a whole number from 0")
_TEXT = Rule(
    lambda value: isinstance(value, str) and bool(value.strip()), "a text that is not empty"
)

RULES: dict[str, Rule] = {
    "dataset": Rule(
        lambda value: value in data.names() or (isinstance(value, str) and data.is_path(value)),
        f"one of {', '.join(data.names())}, or {data.OWN}",
        data.names(),
    ),
    "data_dir": _TEXT,
    "train_examples": _or_null(_POSITIVE),
    "test_examples": _or_null(_POSITIVE),
    "image_size": _or_null(_whole(1, "a whole number from 1 to 4096", 4096)),
    "channels_last": Rule(
        lambda value: value is None or isinstance(value, bool), "True, False, or null"
    ),
    "follow_links": Rule(lambda value: isinstance(value, bool), "True or False"),
    "loading": _one_of(("auto", "device", "stream")),
    "loading_workers": _or_null(_whole(0, "a whole number from 0 to 256", 256)),
    "eval_split": _one_of(("test", "validation")),
    "augmentation": Rule(
        _TEXT.holds,
        f"default, or of {', '.join(data.augmentations())}, separated by commas",
        data.augmentations(),
    ),
    "preprocessing": _one_of(data.preprocessings()),
    "model": Rule(
        lambda value: value in models.names() or models.is_own(value),
        f"one of {', '.join(models.names())}, or {factories.OWN}",
        models.names(),
    ),
    "activation": _TEXT,
    "activation_sharing": _one_of(("layer", "channel")),
    "kernel_init": _one_of(tuple(models.KERNEL_INITIALIZERS)),
    "bias_init": _or_null(_number(-1e3, 1e3, "a number from -1000 to 1000")),
    "precision": _one_of(tuple(models.PRECISIONS)),
    "dropout": _one_of(tuple(models.DROPOUTS)),
    "dropout_rate": _number(0, 0.99, "a number from 0 to 0.99"),
    "epochs": _POSITIVE,
    "batch_size": _POSITIVE,
    "optimizer": Rule(_TEXT.holds, f"a spec such as {EXAMPLES}", tuple(OPTIMIZERS)),
    "learning_rate": _number(0, 1e3, "a number above 0, at most 1000", open_low=True),
    "learning_rate_schedule": _one_of(tuple(SCHEDULES)),
    "warmup_epochs": _number(0, 1e4, "a number from 0 to 10000"),
    "clip_norm": _or_null(_number(0, 1e6, "a number above 0, at most 1000000", open_low=True)),
    "ema": _or_null(_number(0, 0.99999, "a number from 0 to 0.99999")),
    "loss": _one_of(tuple(LOSSES)),
    "label_smoothing": _number(0, 0.99, "a number from 0 to 0.99"),
    "l1": _number(0, 1e3, "a number from 0 to 1000"),
    "l2": _number(0, 1e3, "a number from 0 to 1000"),
    "weight_decay": _number(0, 1e3, "a number from 0 to 1000"),
    "early_stopping_epochs": _or_null(_POSITIVE),
    "deterministic": Rule(lambda value: isinstance(value, bool), "True or False"),
    "seed": _whole(0, "a whole number from 0 to 4294967295", 2**32 - 1),
    "target_accuracy": _number(0, 1, "a number from 0 to 1"),
    "checkpoint_every_epochs": _or_null(_POSITIVE),
    "steps_per_dispatch": _or_null(_POSITIVE),
    "latency_samples": _COUNT,
    "health_examples": _or_null(_COUNT),
    "devices": _whole(1, "a whole number from 1 to 65536", 2**16),
    "distributed": Rule(
        lambda value: value in (None, addresses.AUTO) or addresses.parse(value) is not None,
        f"{addresses.ALLOWED}; or null",
        (addresses.AUTO,),
    ),
}


def default_config() -> ConfigDict:
    """The defaults of `Config` as the mutable `ConfigDict` that a file of `configs/` changes.

    A field that is not there is an error wherever it is set.
    """
    optional = {
        field.name: config_dict.placeholder(typing.get_args(field.type)[0])
        for field in dataclasses.fields(Config)
        if field.default is None
    }
    return ConfigDict(dataclasses.asdict(Config()) | optional)


@functools.cache
def _hints() -> dict[str, Any]:
    return typing.get_type_hints(Config)


def field_kind(name: str) -> type:
    """The type of a field's values but null, such as int of `int | None`."""
    hint = _hints()[name]
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    return kinds[0] if kinds else hint


def with_home(name: str, value: Any) -> Any:
    """The value of a field, with the `~` of a path replaced.

    Raises:
      ConfigError: it is a path that is not local.
    """
    if name == "data_dir" or (name == "dataset" and value not in data.names()):
        return paths.local(value, f"config.{name}")
    return value


def field_error(name: str, value: Any) -> ConfigError | None:
    """The error of a field's name or value, or None if both are right."""
    if name not in RULES:
        known = f"the fields are {', '.join(RULES)}"
        return ConfigError(f"config.{name} is not a field{did_you_mean(name, RULES)} ({known})")
    rule = RULES[name]
    if rule.holds(value):
        return None
    hint = did_you_mean(value, rule.names) if isinstance(value, str) else ""
    hint += data.given_hint(value) if name == "dataset" else ""
    return ConfigError(f"config.{name}={value!r} must be {rule.allowed}{hint}")


def check(config: ConfigDict) -> Config:
    """The configuration, every field checked, spec of the activation and names included.

    Raises:
      ConfigError: names the field, its value and what is allowed.
    """
    fields: dict[str, Any] = config.to_dict()
    for name in RULES.keys() - fields.keys():
        raise ConfigError(f"config.{name} is missing: start from jaxact.config.default_config()")
    for name, value in fields.items():
        if error := field_error(name, value):
            raise error
    checked = Config(**{name: with_home(name, value) for name, value in fields.items()})
    if checked.early_stopping_epochs is not None and checked.eval_split != "validation":
        raise ConfigError(
            f"config.early_stopping_epochs={checked.early_stopping_epochs} needs "
            f"config.eval_split=validation, not {checked.eval_split}: stopped by the test set, a "
            "run would look better than it is"
        )
    if checked.batch_size % checked.devices:
        raise ConfigError(
            f"config.batch_size={checked.batch_size} must be a multiple of "
            f"config.devices={checked.devices}, each of which gets as many images of a batch"
        )
    try:
        models.check_precision(checked.precision)
    except ConfigError as error:
        raise ConfigError(f"config.{error}") from error
    if checked.warmup_epochs >= checked.epochs:
        raise ConfigError(
            f"config.warmup_epochs={checked.warmup_epochs:g} must be fewer than "
            f"config.epochs={checked.epochs}"
        )
    try:
        checked = dataclasses.replace(checked, optimizer=canonical(checked.optimizer))
    except ConfigError as error:
        raise ConfigError(f"config.optimizer={checked.optimizer!r}: {error}") from error
    if models.is_own(checked.model):
        checked = _with_own_model(checked)
    try:
        data.parse_augmentation(checked.augmentation)
    except ConfigError as error:
        raise ConfigError(f"config.{error}") from error
    try:
        fingerprint.tried(activations.get(checked.activation))
    except ValueError as error:
        raise ConfigError(f"config.activation={checked.activation!r}: {error}") from error
    return checked


def _with_own_model(config: Config) -> Config:
    """The configuration with the canonical spec of its model, which is the user's own."""
    try:
        spec = factories.get(config.model).spec
    except ConfigError as error:
        raise ConfigError(f"config.model={config.model!r}: {error}") from error
    defaults = Config()
    for name in ("kernel_init", "bias_init", "dropout", "dropout_rate"):
        if (value := getattr(config, name)) != getattr(defaults, name):
            raise ConfigError(
                f"config.{name}={value!r} is of jaxact's own networks; {spec} decides that itself: "
                f"leave it out, or give the module an argument, as in {spec.partition('(')[0]}"
                f"({name}=...)"
            )
    return dataclasses.replace(config, model=spec)


def variant(config: ConfigDict, name: str, variants: Mapping[str, Mapping[str, Any]]) -> ConfigDict:
    """The configuration changed as one of its file's variants says, such as `mnist.py:paper`.

    Args:
      config: changed in place.
      name: one of `variants`; "" changes nothing.
      variants: name to fields and values.

    Raises:
      ConfigError: there is no such variant.
    """
    if not name:
        return config
    if name not in variants:
        known = ", ".join(variants)
        raise ConfigError(
            f"variant {name!r} of the configuration is unknown{did_you_mean(name, variants)} "
            f"(one of {known})"
        )
    config.update(variants[name])
    return config
