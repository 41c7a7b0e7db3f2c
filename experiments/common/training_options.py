"""What the experiments that train have in common on their command lines."""

import argparse
from typing import Any

from jaxact import data, models
from jaxact.config import RULES, Config, check, default_config, field_error
from jaxact.errors import ConfigError

MOST_SEEDS = 1000
# Option to kind and meaning.
OPTIONS: dict[str, tuple[type, str]] = {
    "train_examples": (int, "images to train on"),
    "test_examples": (int, "images to test on"),
    "model": (str, f"network: {', '.join(models.names())}"),
    "epochs": (int, "of each run, at most"),
    "batch_size": (int, "images a step"),
    "learning_rate": (float, "of Adam"),
    "seeds": (int, "runs of each"),
}


def add(parser: argparse.ArgumentParser, **defaults: Any) -> None:
    """Adds the data set's options, and those of `OPTIONS` that have a default here."""
    parser.add_argument("--dataset", default="digits", help="name or path (default: %(default)s)")
    parser.add_argument("--data_dir", default=str(data.default_data_dir()), help="of real data")
    for name, default in defaults.items():
        kind, meaning = OPTIONS[name]
        shown = "all" if default is None else default
        parser.add_argument(
            f"--{name}", type=kind, default=default, help=f"{meaning} (default: {shown})"
        )


def config_of(options: argparse.Namespace, **others: Any) -> Config:
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


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """What an outcome records of the options."""
    return {name: value for name, value in vars(options).items() if name != "workdir"}
