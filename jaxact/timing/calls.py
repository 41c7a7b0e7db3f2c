"""Times of calls, one after the other in turn."""

import contextlib
import gc
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np


def interleaved(
    calls: Mapping[str, Callable[[int], Any]], samples: int, warmups: int
) -> dict[str, np.ndarray]:
    """Milliseconds of each call, interleaved so that drift of the machine hits all alike.

    Args:
      calls: by name; each gets the number of its round, and waits for what it computes.
      samples: timed rounds.
      warmups: untimed calls of each before them.

    Returns:
      By name: `[samples]`.
    """
    for call, index in itertools.product(calls.values(), range(warmups)):
        call(index)
    times = {name: np.empty(samples) for name in calls}
    with _no_garbage_collection():
        for index, (name, call) in itertools.product(range(samples), calls.items()):
            begin = time.perf_counter_ns()
            call(index)
            times[name][index] = (time.perf_counter_ns() - begin) / 1e6
    return times


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
