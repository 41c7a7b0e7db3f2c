"""Advice for when memory runs out: one line in place of XLA's pages."""

import contextlib
import re
from collections.abc import Iterator

import jax
import psutil

from jaxact import models
from jaxact.config import Config
from jaxact.errors import OutOfMemoryError
from jaxact.presentation.numbers import size
from jaxact.runs.process import devices

# How XLA, its allocators and NumPy put it: a number of bytes, or one with a unit.
_SIZE = re.compile(r"([\d.,]+) ?(bytes|B|[KMGTP]i?B)\b")
_UNITS = {"bytes": 1, "B": 1} | {
    f"{letter}{i}B": 1024**power for power, letter in enumerate("KMGTP", 1) for i in ("i", "")
}


@contextlib.contextmanager
def explained(config: Config) -> Iterator[None]:
    """Within it, to run out of memory raises one line that says what to lower.

    Raises:
      OutOfMemoryError: instead of JAX's or NumPy's own.
    """
    try:
        yield
    except (jax.errors.JaxRuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
            raise OutOfMemoryError(advice(config, str(error))) from error
        raise


def advice(config: Config, report: str) -> str:
    """A line that says what was needed, what is there, and which fields to lower."""
    needed = needed_bytes(report)
    amount = "some memory more" if needed is None else f"{needed:,} bytes more"
    lower = [f"config.batch_size ({config.batch_size})"] if config.batch_size > 1 else []
    smallest = models.input_size(config.model)
    if config.image_size is not None and config.image_size > smallest:
        lower.append(f"config.image_size ({config.image_size}; {config.model} takes {smallest})")
    elif config.image_size is None:
        lower.append(
            f"config.image_size (null: as the images are; {config.model} takes {smallest})"
        )
    if config.precision != "bfloat16":
        lower.append(f"config.precision ({config.precision}) to bfloat16")
    return (
        f"out of memory: {amount} were needed, {there()}; lower {', or '.join(lower)}, or "
        "config.train_examples; or use a larger device, or one that nothing else uses"
    )


def needed_bytes(report: str) -> int | None:
    """The bytes that an error's text says could not be had; None if it does not say."""
    match = _SIZE.search(report)
    if match is None:
        return None
    return round(float(match.group(1).replace(",", "")) * _UNITS[match.group(2)])


def there() -> str:
    """The memory of the device, in words; of a CPU, the machine's."""
    (device,) = devices.used()
    stats = device.memory_stats()
    if stats and "bytes_limit" in stats:
        limit, used = size(stats["bytes_limit"]), size(stats["bytes_in_use"])
        return f"{device} has {limit} in all, {used} in use"
    machine = psutil.virtual_memory()
    return f"the machine has {size(machine.total)} in all, {size(machine.available)} free"
