"""The processes that are measured side by side: who takes part, and how they are driven."""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.contenders.counterparts import jax_nn_spec
from benchmarks.contenders.protocol import Job
from jaxact import activations
from jaxact.errors import ConfigError, JaxactError

ROOT = Path(__file__).parents[2]
OURS = "benchmarks.contenders.jaxact_worker"
PEERS = ("none", "jax.nn", "torch", "checkout")
PLAIN = "plain"  # a peer of the training step alone
# Threads that wait for work spin for some milliseconds before they sleep.
SETTLE_SECONDS = 0.1
ENVIRONMENT = {
    # XLA reserves three quarters of a GPU's memory unless told otherwise; the others need some.
    "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.4",
}
TORCH_ENVIRONMENT = {
    # glibc gives arrays above 32 MiB back to the system when they are freed, and PyTorch on a CPU
    # would fault every page in again in every step. It is measured without that handicap.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**62),
}


class WorkerError(JaxactError):
    """A worker failed: its own words."""


class Contender(NamedTuple):
    """Who takes part: its worker's command, environment and folder, what is its own in a job."""

    name: str
    command: tuple[str, ...]
    changes: Mapping[str, Any] = {}
    environment: Mapping[str, str] = {}
    folder: Path = ROOT


def has_torch(python: str) -> bool:
    """Whether an interpreter can import PyTorch."""
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    try:
        return subprocess.run([python, "-c", look], capture_output=True).returncode == 0
    except OSError:
        return False


def torch_contenders(peer_python: str) -> list[Contender]:
    """PyTorch at its best, eager and compiled.

    Raises:
      ConfigError: the interpreter has no PyTorch; says how to make one that has.
    """
    if not has_torch(peer_python):
        raise ConfigError(
            f"--peer_python={peer_python} cannot import torch; make an environment for it: "
            "python3 -m venv .venv-torch && .venv-torch/bin/pip install -r requirements-bench.txt, "
            "then --peer_python=.venv-torch/bin/python"
        )
    command = (peer_python, "-m", "benchmarks.contenders.torch_peer")
    return [
        Contender(f"torch {mode}", command, {"mode": mode}, TORCH_ENVIRONMENT)
        for mode in ("eager", "compile")
    ]


def contenders(peer: str, activation: str, peer_python: str, checkout: str = "") -> list[Contender]:
    """jaxact first, then its peers.

    Args:
      peer: one of `PEERS`, or `PLAIN`.
      activation: a spec.
      peer_python: the interpreter of the peer: that has PyTorch, or another version of JAX.
      checkout: the folder of another version of jaxact.

    Raises:
      ConfigError: the peer does not have the activation, or cannot be run.
    """
    command = (sys.executable, "-m", OURS)
    ours = [Contender("jaxact", command)]
    if peer == "jax.nn":
        spec = jax_nn_spec(activations.get(activation))
        if spec is None:
            raise ConfigError(f"--activation={activation}: jax.nn has no such function")
        return [*ours, Contender("jax.nn", command, {"activation": spec})]
    if peer == PLAIN:
        worker = "benchmarks.contenders.plain_peer"
        return [*ours, Contender("plain jit", (sys.executable, "-m", worker))]
    if peer == "torch":
        tuned = torch_contenders(peer_python)
        return [*ours, *tuned, Contender("torch plain", tuned[0].command, {"mode": "plain"})]
    if peer == "checkout":
        folder = Path(checkout).resolve()
        if not folder.joinpath(*OURS.split(".")).with_suffix(".py").is_file():
            raise ConfigError(
                f"--peer_checkout={checkout} is no checkout of jaxact: make one of another commit "
                "with git worktree add --detach FOLDER COMMIT, or give . and another --peer_python"
            )
        other = Contender("checkout", (peer_python, "-m", OURS), folder=folder)
        # The same once more: what two processes of one program differ by.
        return [*ours, Contender("jaxact again", command), other]
    return ours


class Worker:
    """A process that prepares and measures when asked, and sleeps in between."""

    def __init__(self, contender: Contender):
        self.name = contender.name
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed in `close`)
        self._process = subprocess.Popen(
            contender.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=contender.folder,
            env={**ENVIRONMENT, **contender.environment, **os.environ},
        )

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request; raises WorkerError if the worker fails or ends."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(f"{self.name} ended before it answered: {self._last_words()}")
        reply = json.loads(line)
        if "error" in reply:
            raise WorkerError(f"{self.name}: {reply['error']}")
        return reply

    def prepare(self, job: Job) -> dict[str, Any]:
        # What is None is left out: another checkout may not know of it.
        known = {k: v for k, v in dataclasses.asdict(job).items() if v is not None}
        return self.ask({"prepare": known})

    def measure(self) -> dict[str, Any]:
        return self.ask({"measure": None})

    def cpu_seconds(self) -> float:
        """The CPU seconds that the process and its children have used so far."""
        process = psutil.Process(self._process.pid)
        total = 0.0
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                times = one.cpu_times()
                total += times.user + times.system
        return total

    def close(self) -> None:
        """Ends the process, by force if it does not end by itself."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().strip().splitlines()
        return lines[-1] if lines else "it left no message"


@contextlib.contextmanager
def running(takes_part: Sequence[Contender]) -> Iterator[dict[str, Worker]]:
    """A worker for each contender, by name, for as long as the block runs."""
    with contextlib.ExitStack() as stack:
        workers = {}
        for contender in takes_part:
            workers[contender.name] = Worker(contender)
            stack.callback(workers[contender.name].close)
        yield workers


def in_turn(workers: Mapping[str, Worker]) -> dict[str, Callable[[], dict[str, Any]]]:
    """Measures for `pairing.alternate`: one worker each, while it is watched that the others sleep.

    Adds `others_cpu` to the figures: the CPUs that the others kept busy meanwhile; 0 is right.
    """

    def turn(name: str) -> dict[str, Any]:
        time.sleep(SETTLE_SECONDS)
        others = [worker for other, worker in workers.items() if other != name]
        begin, used = time.perf_counter(), sum(worker.cpu_seconds() for worker in others)
        figures = workers[name].measure()
        used = sum(worker.cpu_seconds() for worker in others) - used
        return figures | {"others_cpu": used / (time.perf_counter() - begin)}

    return {name: lambda name=name: turn(name) for name in workers}
