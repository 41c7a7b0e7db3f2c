"""Where a run's images are: on the device, or on disk, from where they are streamed."""

import math

from jaxact.errors import ConfigError
from jaxact.runs.shared import free_bytes

AUTO, DEVICE, STREAM = CHOICES = ("auto", "device", "stream")


def resident_bytes(loading: str) -> float:
    """The bytes of images up to which they are on the device; more are streamed.

    Args:
      loading: `device` and `stream` decide it; `auto`: a share of the memory that is free.
    """
    return {AUTO: free_bytes, DEVICE: lambda: math.inf, STREAM: lambda: -1.0}[loading]()


def refuse_stream(loading: str, reason: str) -> None:
    """Raises ConfigError where images are to be streamed that cannot be, for this reason."""
    if loading == STREAM:
        raise ConfigError(f"config.loading={STREAM}: {reason} streamed: leave it out")
