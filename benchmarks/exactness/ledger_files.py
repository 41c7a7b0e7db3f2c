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

from benchmarks import results
from benchmarks.exactness import ledger
from benchmarks.exactness.ulps import FORMATS
from jaxact import activations
from jaxact.errors import ConfigError
from jaxact.presentation.tables import Row
from jaxact.runs.process import environment
from jaxact.runs.records import record_files

FOLDER = results.FOLDER / "ledger"
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
HALVES = ("bfloat16", "float16")


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


# The goal for float32 at the default parameters, in ULP, and why some miss it.
GOALS = {"value": 2.0, "derivative": 3.0}
CAUSES = {
    "affine_combination": "a sum whose terms are flushed to 0 below |x| = 4e-38",
    "colu": "e^(x + e^x) less x: a sum of a rounded power",
    "convex_combination": "a sum whose terms are flushed to 0 below |x| = 4e-38",
    "elish": "a product of two functions that are rounded",
    "gcu": "terms that cancel near the roots beyond 1.5, one in every period",
    "gelu_sine": "terms that cancel near the roots below -3; terms flushed to 0 below |x| = 5e-38",
    "isrlu": "the root of 1 + x**2, rounded twice",
    "isru": "the root of 1 + x**2, rounded twice",
    "pau": "terms of learned coefficients that cancel",
    "phish": "a GELU within a tanh",
    "poly_relu": "terms of learned coefficients that cancel",
    "quick_gelu": "a power whose exponent is a rounded product",
    "snake": "XLA's sine; terms that cancel near the roots beyond those of [-4, 3]",
    "squareplus": "a root, a sum and a quotient, each rounded",
    "srs": "a square of a rounded sum, in a quotient",
    "star_relu": "two terms that cancel near its root",
    "tanh_shrink": "four products, each rounded, near 0, where tanh is x",
    "xatlu": "two terms of a polynomial, near where the pieces meet",
    "xielu": "a root that depends on the parameters: near it terms cancel",
}


def rows(folder: Path = FOLDER) -> list[Row]:
    """The table of the ledger: a row a function, errors of value and derivative, and its peers'."""
    table = []
    for entry in _entries(folder):
        row: dict[str, Any] = {
            "activation": entry["activation"],
            "floats": "all" if entry["stride"] == 1 else f"1 of {entry['stride']}",
        }
        for part in ledger.PARTS:
            row[part] = _worst_of(entry["float32"], part)
            row[f"{part}, correctly rounded"] = _share(entry["float32"], part)
        row["bfloat16, float16 not correctly rounded"] = ", ".join(
            str(sum(part["count"] for part in entry["not_rounded"][form].values()))
            for form in HALVES
        )
        for peer, of_peer in sorted(entry["peers"].items()):
            row[peer] = " / ".join(_worst_of(of_peer, part) for part in ledger.PARTS)
        table.append(row)
    columns = dict.fromkeys(column for row in table for column in row)
    return [{column: row.get(column) for column in columns} for row in table]


def exceptions(folder: Path = FOLDER) -> list[Row]:
    """The rows that miss a goal, each with its cause."""
    table = []
    for entry in _entries(folder):
        found = {
            part: entry["float32"][part]["main"]
            for part in ledger.PARTS
            if "main" in entry["float32"][part]
            and float(entry["float32"][part]["main"]["worst"]) > GOALS[part]
        }
        for part, figures in found.items():
            table.append(
                {
                    "activation": entry["activation"],
                    "of": part,
                    "ULP": f"{float(figures['worst']):.3g}",
                    "at": f"{float(figures['at']):.9g}",
                    "cause": CAUSES.get(entry["activation"]),
                }
            )
    return table


def _entries(folder: Path) -> list[dict[str, Any]]:
    return [record_files.read_json(file) for file in sorted(folder.glob("*.json"))]


def _worst_of(places: dict[str, Any], part: str) -> str:
    main = places[part].get("main")
    return "-" if main is None else f"{float(main['worst']):.3g}"


def _share(places: dict[str, Any], part: str) -> str | None:
    main = places[part].get("main")
    return None if main is None else f"{100 * main['correctly_rounded']:.1f} %"


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
