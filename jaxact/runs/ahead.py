"""Compiles the programs of runs to come, in threads of this process, while another run trains.

Never in several processes: on a GPU, XLA times the kernels that it chooses from, and processes
would disturb each other's timing.
"""

import concurrent.futures
import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxact.inference import folding
from jaxact.runs import dispatch
from jaxact.runs.loading import evaluation
from jaxact.runs.setup import Setup
from jaxact.training.program import Program

CORES_A_THREAD, MOST_THREADS = 4, 4


def default_threads() -> int:
    """The threads that compile ahead unless the user says: none where training needs the cores."""
    if jax.default_backend() == "cpu":
        return 0
    return min((os.cpu_count() or 1) // CORES_A_THREAD, MOST_THREADS)


class Ahead(contextlib.AbstractContextManager["Ahead"]):
    """Threads that compile what runs will call; leaving the context ends them.

    Args:
      threads: how many programs are compiled at once; 0: nothing is.
    """

    def __init__(self, threads: int):
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, "compile") if threads else None
        self._added: list[Program] = []
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._active, self._since, self._seconds = 0, 0.0, 0.0

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    @property
    def works(self) -> bool:
        """Whether there is a thread."""
        return self._pool is not None

    def add(self, setup: Setup) -> None:
        """Has the program of a run compiled when a thread is free, unless it has been added."""
        if self._pool is not None and not any(setup.program is known for known in self._added):
            self._added.append(setup.program)
            self._pool.submit(self._compile, setup)

    def seconds(self) -> float:
        """The seconds that threads have been at work; one second counts once for all of them."""
        with self._lock:
            return self._seconds + (time.perf_counter() - self._since if self._active else 0.0)

    def _compile(self, setup: Setup) -> None:
        with self._lock:
            self._active += 1
            if self._active == 1:
                self._since = time.perf_counter()
        try:
            compile_program(setup, self._is_over)
        except Exception:  # the run that needs it fails with the same error, and tells its user
            return
        finally:
            with self._lock:
                self._active -= 1
                if not self._active:
                    self._seconds += time.perf_counter() - self._since


def compile_program(setup: Setup, is_over: threading.Event) -> None:
    """Compiles all that a run calls, the longest first; nothing is run.

    Args:
      is_over: ends it between two programs.
    """
    program, config, keys = setup.program, setup.config, setup.keys
    images = jax.ShapeDtypeStruct((1, *setup.train.images.shape[1:]), jnp.float32)
    state = program.init.shapes(keys.init, images)
    epoch = jax.ShapeDtypeStruct((), jnp.int32)
    order = program.order.shapes(keys.order, epoch, setup.train.labels)
    steps = dispatch.argument(
        dispatch.choose(config.steps_per_dispatch, setup.steps_per_epoch).steps
    )
    if setup.data.streamed is not None:  # as `Streamed` gives them
        order = jax.ShapeDtypeStruct(setup.fed.labels.shape, jnp.int32)
        steps = jnp.int32(1)
    totals = setup.no_totals()
    tasks: list[Callable[[], Any]] = [
        lambda: program.train.compile(steps, state, totals, order, setup.fed, keys)
    ]
    tasks += [
        lambda split=split: evaluation.compiled(program, state, split)
        for split in setup.evaluations.values()
    ]
    if setup.probe is not None:
        tasks.append(lambda: program.health.compile(state, setup.probe))
    is_timed = config.latency_samples and not setup.lanes
    if is_timed and jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue]
        image = jax.ShapeDtypeStruct((1, *setup.data.test_images.shape[1:]), jnp.uint8)
        variables = jax.eval_shape(program.fold, state, image, *setup.train.preprocessing)
        tasks.append(lambda: program.classifier.compile(variables, setup.data.test_images))
        if folding.FOLDED in variables[0]:  # which the network's own logits are compared with
            own = state.evaluated, *setup.train.preprocessing
            tasks.append(lambda: program.classifier.logits.lower(own, image).compile())
    for task in tasks:
        if is_over.is_set():
            return
        task()
