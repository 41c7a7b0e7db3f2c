"""The files of the ledger: one a function, made by processes that share the functions out."""

import concurrent.futures
import contextlib
import datetime
import functools
import json
import math
import multiprocessing
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import psutil

from benchmarks.exactness import ledger
from benchmarks.exactness.ledger_rows import FOLDER, HALVES
from benchmarks.exactness.ulps import FORMATS
from jaxact import activations
from jaxact.errors import ConfigError
from jaxact.runs.process import environment
from jaxact.runs.records import record_files

# The functions of the paper and of the pages it goes with, GELU and softplus: every float.
FIRST = (
    "identity",
    "binary_step",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "prelu",
    "elu",
    "selu",
    "swish",
    "gelu",
    "softplus",
)
OTHERS_STRIDE = 17


LARGEST_STRIDE = 2**16


def path_of(name: str, folder: Path = FOLDER) -> Path:
    return folder / f"{name}-{jax.default_backend()}.json"


def stride_of(name: str) -> int:
    """The stride of the bits that are taken; an accelerator takes every float of all functions."""
    return 1 if name in FIRST or jax.default_backend() != "cpu" else OTHERS_STRIDE


def is_done(name: str, stride: int, peers: Sequence[str], folder: Path) -> bool:
    """Whether the file of a function is of what it computes now, by this version of JAX."""
    file = path_of(name, folder)
    if not file.exists():
        return False
    entry = record_files.read_json(file)
    now = {**ledger.programs(name), "jax": jax.__version__}
    is_of_now = all(entry.get(key) == value for key, value in now.items())
    return is_of_now and entry["stride"] <= stride and set(entry["asked"]) >= set(_asked(peers))


def write(name: str, stride: int, peers: Sequence[str], folder: Path, spare: str) -> Path:
    """Measures a function, and writes its file; `spare` is a folder for what peers are given."""
    start = time.perf_counter()
    by_format = {"float32": ledger.over_all(name, FORMATS["float32"], stride)}
    by_format |= {form: ledger.over_all(name, FORMATS[form], 1) for form in HALVES}
    worst = _worst(by_format["float32"])
    x = ledger.sample(worst)
    described = environment.describe()
    entry = {
        "activation": name,
        "spec": activations.get(name).spec,
        "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": environment.in_words(described),
        "jax": jax.__version__,
        "commit": described["git_commit"],
        **ledger.programs(name),
        "stride": stride,
        "asked": _asked(peers),
        **by_format,
        "not_rounded": {form: ledger.not_rounded(name, FORMATS[form]) for form in HALVES},
        "reference_ulps": ledger.reference_ulps(name, worst),
        "second_derivative": ledger.second_derivative(name, x),
        "differing": ledger.differing(name),
        "peers": {
            called: ledger.of_results(name, x, got)
            for called, got in _peers(name, x, peers, Path(spare))
        },
        "seconds": round(time.perf_counter() - start, 1),
    }
    folder.mkdir(parents=True, exist_ok=True)
    record_files.write_json(path_of(name, folder), _as_text_where_infinite(entry))
    return path_of(name, folder)


def _as_text_where_infinite(value: Any) -> Any:
    """The same with "inf" and "nan" for what JSON has no number for; `float` reads both."""
    if isinstance(value, dict):
        return {key: _as_text_where_infinite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_text_where_infinite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _worst(entries: dict[str, dict[str, Any]]) -> list[float]:
    return sorted(
        {
            entry["at"]
            for by_place in entries.values()
            for place, entry in by_place.items()
            if place in ("main", "near_roots") and np.isfinite(entry["at"])
        }
    )


@functools.cache
def _libraries(python: str) -> dict[str, str]:
    command = [python, "-m", "benchmarks.exactness.peer_values"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _asked(pythons: Sequence[str]) -> list[str]:
    """The libraries that are compared with, whether or not they have the function."""
    return sorted({f"{name} {version}" for p in pythons for name, version in _libraries(p).items()})


def _peers(
    name: str, x: np.ndarray, pythons: Sequence[str], spare: Path
) -> Iterator[tuple[str, tuple[np.ndarray, ...]]]:
    """The values and derivatives of other libraries' function, if they have one."""
    parameters = {**dict(activations.get(name).constants), **activations.get(name).params}
    inputs, found = spare / f"{name}-inputs.npy", spare / f"{name}-results.npy"
    np.save(inputs, x)
    for python in pythons:
        for library, version in _libraries(python).items():
            words = [library, name, json.dumps(parameters), str(inputs), str(found)]
            command = [python, "-m", "benchmarks.exactness.peer_values", *words]
            subprocess.run(command, check=True)
            if found.exists():
                yield f"{library} {version}", tuple(np.load(found))
                found.unlink()
    inputs.unlink()


def check_peers(pythons: Sequence[str]) -> None:
    """Raises ConfigError unless each interpreter has JAX or PyTorch."""
    for python in pythons:
        try:
            has_any = bool(_libraries(python))
        except (OSError, ValueError, subprocess.CalledProcessError):  # another program, perhaps
            has_any = False
        if not has_any:
            raise ConfigError(
                f"--peer_python={python} has neither JAX nor PyTorch (with NumPy): make an "
                "environment, python3 -m venv .venv-torch && .venv-torch/bin/pip install -r "
                "requirements-bench.txt, and name its bin/python"
            )


def write_all(
    names: Sequence[str], stride: int | None, peers: Sequence[str], processes: int, folder: Path
) -> Iterator[str]:
    """Writes the files that are missing or of another program, and gives the names as it goes.

    Args:
      stride: of every function; None: `stride_of`.
      processes: that share the functions, on a CPU with as many cores each as there are for it.
    """
    strides = {name: stride or stride_of(name) for name in names}
    left = [name for name in names if not is_done(name, strides[name], peers, folder)]
    yield from (name for name in names if name not in left)
    with tempfile.TemporaryDirectory() as spare:
        if processes == 1:
            for name in left:
                write(name, strides[name], peers, folder, spare)
                yield name
        else:
            yield from _shared_out(left, strides, peers, processes, folder, spare)


def _shared_out(
    names: Sequence[str],
    strides: dict[str, int],
    peers: Sequence[str],
    processes: int,
    folder: Path,
    spare: str,
) -> Iterator[str]:
    """Has processes write the files, and gives the names as they are done."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    context = multiprocessing.get_context("spawn")
    shares = context.Queue()
    for k in range(processes):
        shares.put(cores[k::processes])
    with concurrent.futures.ProcessPoolExecutor(
        processes, context, initializer=_take, initargs=(shares,)
    ) as pool:
        jobs = {
            pool.submit(write, name, strides[name], peers, folder, spare): name for name in names
        }
        try:
            for job in concurrent.futures.as_completed(jobs):
                job.result()
                yield jobs[job]
        except BaseException:  # what is being made takes minutes, and is made again
            for child in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            raise


def _take(shares: Any) -> None:
    """Gives this process its cores, before JAX counts them."""
    if cores := shares.get():
        os.sched_setaffinity(0, cores)
