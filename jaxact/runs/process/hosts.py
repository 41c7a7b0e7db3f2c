"""The processes of one run, on one host or several: how they meet, and how they agree.

All of them do the same steps, for a step computes on the devices of all. So what one decides by
its own clock, its own files or a signal of its own, the others must follow: here they are told.
A run in one process asks nobody.
"""

import atexit
import contextlib
import hashlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from jaxact import errors
from jaxact.errors import ConfigError, Interrupted, JaxactError, NonFiniteLossError
from jaxact.runs.process import devices
from jaxact.runs.process.signals import StopRequest
from jaxact.training import addresses

Value = TypeVar("Value")
_STATUS = re.compile(r"[A-Z_]+(?=: )")  # with which XLA's errors begin
_AGREED = "is_of_all_processes"  # an attribute of errors
CLUSTERS = "SLURM, Open MPI, TPUs"  # that JAX knows by their environment


def join(distributed: str | None, count: int) -> None:
    """Meets the other processes, once; call it before JAX's first use.

    Args:
      distributed: as the configuration has it; None: this process is alone.
      count: of devices, in all processes together.

    Raises:
      ConfigError: JAX is in use already, no cluster is found, or the others do not come.
    """
    if distributed is None or jax.distributed.is_initialized():
        return
    # SIGTERM and SIGINT are the run's, which saves a checkpoint.
    jax.config.update("jax_enable_preemption_service", False)
    address = addresses.parse(distributed)
    devices.take(None if address is None else max(1, count // address.processes))
    named = {} if address is None else {
        "coordinator_address": address.coordinator,
        "num_processes": address.processes,
        "process_id": address.index,
    }  # fmt: skip
    try:
        jax.distributed.initialize(**named)
    except (RuntimeError, ValueError) as error:
        text = " ".join(str(error).split())[:200]
        if "before any JAX" in text:
            advice = "call jax.distributed.initialize() first in the program, before JAX is used"
        elif address is None:
            advice = (
                f"start the processes by what JAX knows ({CLUSTERS}), or give each of them "
                "HOST:PORT,PROCESSES,INDEX"
            )
        else:
            advice = "start all of them with one address and as many processes, each its index"
        raise ConfigError(f"config.distributed={distributed}: {text}; {advice}") from error


def are_several() -> bool:
    """Whether the run has more processes than this one."""
    return jax.distributed.is_initialized() and jax.process_count() > 1


def is_first() -> bool:
    """Whether this is the process that leaves the records; the only one is."""
    return not are_several() or jax.process_index() == 0


def of_first(value: Value) -> Value:
    """The value of the first process, in all of them; one that JSON holds."""
    return _told(value, 0) if are_several() else value


def slowest(seconds: float) -> float:
    """The seconds of the process that took longest, to a millisecond; of one alone as they are."""
    return max(_of_each(round(1e3 * seconds))) / 1e3 if are_several() else seconds


def of_first_is(is_true: bool) -> bool:
    """Whether something holds for the first process."""
    return bool(_of_each(int(is_true))[0]) if are_several() else is_true


def are_asked(stop: StopRequest) -> bool:
    """Whether a signal has asked one of the processes to stop: then all of them are."""
    is_asked = bool(stop)  # asked once
    if not are_several():
        return is_asked
    number = max(_of_each(int(stop.signal or 0) if is_asked else 0))
    if number and not is_asked:
        stop.signal = signal.Signals(number)
    return number > 0


@contextlib.contextmanager
def together() -> Iterator[None]:
    """A block that all processes leave alike: an error in one ends it in all.

    Nothing in the block may wait for another process after a step that can fail.

    Raises:
      JaxactError: of the first process that raised one, with its number.
    """
    error: Exception | None = None
    try:
        yield
    except Exception as raised:
        error = raised
    if are_several():
        failed = np.flatnonzero(_of_each(int(error is not None)))
        if len(failed):
            first = int(failed[0])
            kind, text = _told((type(error).__name__, str(error)), first)
            if error is None:
                error = getattr(errors, kind, JaxactError)(f"process {first}: {text}")
            error.__dict__[_AGREED] = True
    if error is not None:
        raise error


def by_first(action: Callable[[], Value]) -> Value:
    """The result of an action that the first process alone performs; its error is that of all.

    Args:
      action: gives what JSON holds.
    """
    value: Any = None
    with together():
        if is_first():
            value = action()
    return of_first(value)


def check_alike(what: str, value: Any) -> None:
    """Refuses processes that were not started alike.

    Args:
      what: the value's name, in a few words.
      value: what JSON holds; the same in all processes, if all is well.

    Raises:
      ConfigError: it is another one than in the first process.
    """
    if not are_several():
        return
    text = json.dumps(value, sort_keys=True, default=str)
    digests = _of_each(int(hashlib.sha256(text.encode()).hexdigest()[:7], 16))
    with together():
        for place, digest in enumerate(digests):
            if digest != digests[0]:
                raise ConfigError(
                    f"{what} of process {place} is not that of process 0: start all processes with "
                    "one command, on the same data"
                )


def left_by_signals(
    request: StopRequest, how_to_go_on: str
) -> contextlib.AbstractContextManager[None]:
    """A block that a signal ends at once; one of several processes would leave the others alone."""
    if are_several():
        return contextlib.nullcontext()
    return request.nothing_to_save(how_to_go_on)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """A block of steps, which need all processes: a line says that another one is gone.

    A process that fails by itself ends without the others, which see it gone; else each would wait
    for the other's end.

    Raises:
      Interrupted: instead of XLA's own error, where another process is gone.
    """
    try:
        yield
    except Exception as error:
        if not are_several() or _is_agreed(error):
            raise
        # XLA's errors are ValueErrors at times.
        is_of_xla = isinstance(error, jax.errors.JaxRuntimeError | ValueError)
        status = _STATUS.match(str(error)) if is_of_xla else None
        if status is None or status[0] == "RESOURCE_EXHAUSTED":
            is_of_machine = isinstance(error, OSError | MemoryError) or status is not None
            _end_without_others(getattr(error, "exit_code", 2 if is_of_machine else 1))
            raise
        _end_without_others(Interrupted.exit_code)
        raise Interrupted(
            f"another process of this run is gone ({' '.join(str(error).split())[:200]}); the last "
            "checkpoint is kept: to go on, start all of them again with the same command"
        ) from error


def _is_agreed(error: BaseException | None) -> bool:
    """Whether an error, or what it was made of, is raised by all processes at once."""
    if error is None:
        return False
    is_agreed = isinstance(error, Interrupted | NonFiniteLossError) or _AGREED in error.__dict__
    return is_agreed or _is_agreed(error.__cause__)


def _end_without_others(code: int) -> None:
    """Has this process end with an exit code, without JAX's farewell, for which all must come."""

    def end() -> None:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os._exit(code)

    atexit.register(end)  # what is registered last is called first: before JAX's


def _of_each(number: int) -> list[int]:
    """A whole number of each process, in their order."""
    with explained():
        return multihost_utils.process_allgather(np.int32(number)).tolist()


def _told(value: Any, source: int) -> Any:
    """The value of one process, in all of them."""
    is_source = jax.process_index() == source
    text = np.frombuffer(json.dumps(value).encode(), np.uint8)
    size = max(_of_each(len(text) if is_source else 0))
    padded = np.zeros(size, np.uint8)
    if is_source:
        padded[:] = text
    told = multihost_utils.broadcast_one_to_all(padded, is_source=is_source)
    return json.loads(np.asarray(told).tobytes())
