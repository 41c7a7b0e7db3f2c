"""Options that the experiments that train share."""

from pathlib import Path
from typing import Any

from jaxact import data, models
from jaxact.command import Option, Options
from jaxact.config import RULES, Config, check, default_config, field_error
from jaxact.errors import ConfigError

MOST_SEEDS = 1000
OPTIONS: dict[str, tuple[type, str]] = {  # name to kind and meaning
    "train_examples": (int, "images to train on; all, if not given"),
    "test_examples": (int, "images to test on; all, if not given"),
    "model": (str, f"network: {', '.join(models.names())}"),
    "epochs": (int, "of each run, at most"),
    "batch_size": (int, "images a step"),
    "learning_rate": (float, "of Adam"),
    "seeds": (int, "runs of each"),
}


def shared(**defaults: Any) -> dict[str, Option]:
    """The data set's options, and those of `OPTIONS` that have a default here."""
    return {
        "dataset": Option("digits", "name or path"),
        "data_dir": Option(str(data.default_data_dir()), "of real data", Path),
        **{
            name: Option(
                default,
                OPTIONS[name][1],
                OPTIONS[name][0],
                or_null=name in RULES and RULES[name].holds(None),
            )
            for name, default in defaults.items()
        },
    }


def config_of(options: Options, **others: Any) -> Config:
    """The configuration that options of the names of its fields describe.

    Latency is not measured and health not recorded, but for what `others` say.

    Args:
      **others: further fields; they go before options of their names.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    seeds = getattr(options, "seeds", 1)
    if not 1 <= seeds <= MOST_SEEDS:
        raise ConfigError(f"--seeds={seeds} must be a whole number from 1 to {MOST_SEEDS}")
    chosen = {name: value for name, value in vars(options).items() if name in RULES}
    fields = default_config()
    fields.update({"latency_samples": 0, "health_examples": 0, **chosen, **others})
    try:
        for name, value in chosen.items():
            if error := field_error(name, value):
                raise error
        return check(fields)
    except ConfigError as error:
        raise ConfigError(str(error).replace("config.", "--", 1)) from error


def settings(options: Options) -> dict[str, Any]:
    """The options that an outcome records."""
    return {name: value for name, value in vars(options).items() if name != "workdir"}
