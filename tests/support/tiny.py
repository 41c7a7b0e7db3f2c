"""A run that takes seconds: the digits' first images.

Tests that don't ask for anything else use it. Its programs are then compiled once a worker, for
commands too. Processes that know `tests.support.networks` train its network.
"""

import dataclasses
from typing import Any

from jaxact.config import Config

FIELDS: dict[str, Any] = {
    "train_examples": 300,
    "test_examples": 70,
    "batch_size": 64,
    "epochs": 2,
    "latency_samples": 0,
    "model": "thin_cnn",
}
TINY = dataclasses.replace(Config(), **FIELDS)


def words(**changes: object) -> list[str]:
    """The words of a command line for `TINY` with changes."""
    return [f"--config.{name}={value}" for name, value in (FIELDS | changes).items()]
