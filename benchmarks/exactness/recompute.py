"""Recomputes rows of the ledger by MPFR, which shares no line with it.

    python -m benchmarks.exactness.recompute [--activations=sigmoid,tanh,gelu] [--inputs=10000000]

Values and derivatives at random floats, and at the worst ones that the ledger names, against gmpy2
with 80 bits: no error may be larger than the ledger's. gmpy2 is in requirements-bench.txt.
"""

if __name__ == "__main__":  # before the imports that would fail
    from jaxact.runs.process import start

    start.begin("gmpy2", "mpmath")

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.progress import track

from benchmarks import results
from benchmarks.exactness import ledger, ledger_files
from benchmarks.exactness.ulps import FORMATS
from jaxact import activations
from jaxact.command import Command, Option, Options
from jaxact.errors import ConfigError
from jaxact.presentation.tables import Row
from jaxact.runs.process import environment
from jaxact.runs.records import record_files

gmpy2: Any = importlib.import_module("gmpy2")  # it has no types
mpfr = gmpy2.mpfr

BITS = 80
CHUNK = 2**18
Function = Callable[[Any], Any]


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + gmpy2.exp(-x))


def _sigmoid_slope(x: Any) -> Any:
    e = gmpy2.exp(-abs(x))
    return e / (1 + e) ** 2


def _gelu_slope(x: Any) -> Any:
    density = gmpy2.exp(-x * x / 2) / gmpy2.sqrt(2 * gmpy2.const_pi())
    return _normal(x) + x * density


def _normal(x: Any) -> Any:
    return gmpy2.erfc(-x / gmpy2.sqrt(mpfr(2))) / 2


FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "sigmoid": (_sigmoid, _sigmoid_slope),
    "tanh": (gmpy2.tanh, lambda x: gmpy2.sech(x) ** 2),
    "gelu": (lambda x: x * _normal(x), _gelu_slope),
    "softplus": (lambda x: gmpy2.log1p(gmpy2.exp(x)), _sigmoid),
    "elu": (
        lambda x: x if x > 0 else gmpy2.expm1(x),
        lambda x: mpfr(1) if x > 0 else gmpy2.exp(x),
    ),
}


def inputs(count: int, worst: list[float], seed: int = 0) -> np.ndarray:
    """Random floats by their bits, without infinities and subnormal ones, and the worst ones."""
    bits = np.random.default_rng(seed).integers(0, 2**32, count, np.uint32)
    x = bits.view(np.float32)
    x = x[np.isfinite(x) & (np.abs(x) >= 2.0**-126)]
    return np.append(x, np.asarray(worst, np.float32))


def worst_of(name: str, x: np.ndarray, true: Callable[[np.ndarray], Any]) -> dict[str, Any]:
    """The ledger's entries, from truths of somebody else."""
    errors = ledger.errors_from(name, FORMATS["float32"])
    compute = jax.jit(ledger.value_and_gradient(activations.get(name)))
    with jax.enable_x64(True):
        tally = ledger.Tally(errors)
        for start in track(range(0, len(x), CHUNK), name, console=Console(stderr=True)):
            chunk = np.resize(x[start : start + CHUNK], CHUNK)
            counts = np.arange(CHUNK) < len(x) - start
            found = compute(chunk)
            tally.add(chunk, counts, found, true(chunk), x_of=lambda i, at=chunk: float(at[i]))
        return tally.entries()


def recompute(options: Options) -> int:
    """Measures, writes the JSON, and prints the table; returns 1 if an error is larger.

    Raises:
      ConfigError: there is no formula here for an activation, or no file of the ledger.
    """
    names = [word.strip() for word in options.activations.split(",")]
    if unknown := sorted(set(names) - set(FUNCTIONS)):
        raise ConfigError(f"--activations: {unknown[0]} is none of {', '.join(FUNCTIONS)}")
    gmpy2.get_context().precision = BITS
    table: list[Row] = []
    for name in names:
        file = ledger_files.path_of(name)
        if not file.exists():
            raise ConfigError(f"{file} is not there: python -m benchmarks.accuracy --exhaustive")
        known = record_files.read_json(file)["float32"]
        worst = [float(entry["at"]) for by_place in known.values() for entry in by_place.values()]
        x = inputs(options.inputs, [at for at in worst if np.isfinite(at)])

        def true(chunk: np.ndarray, name: str = name) -> tuple[np.ndarray, ...]:
            numbers = [mpfr(v) for v in chunk.tolist()]
            return tuple(
                np.array([float(function(v)) for v in numbers]) for function in FUNCTIONS[name]
            )

        found = worst_of(name, x, true)
        for part in ledger.PARTS:
            ours, theirs = found[part]["main"], known[part]["main"]
            table.append(
                {
                    "activation": name,
                    "of": part,
                    "inputs": ours["inputs"],
                    "ULP by MPFR": round(ours["worst"], 6),
                    "ULP in the ledger": round(theirs["worst"], 6),
                    "no larger": "yes" if ours["worst"] <= theirs["worst"] + 1e-6 else "no",
                }
            )
    results.publish(
        Path(options.out or results.default_path("ledger_mpfr")),
        "ledger_mpfr",
        f"Rows of the ledger by MPFR {gmpy2.mpfr_version().split()[-1]}, {BITS} bits",
        {"inputs": options.inputs, "activations": options.activations},
        {"jaxact": environment.describe()},
        table,
    )
    return int(any(row["no larger"] == "no" for row in table))


COMMAND = Command(
    "python -m benchmarks.exactness.recompute",
    __doc__ or "",
    {
        "activations": Option("sigmoid,tanh,gelu", "of the ledger: names, by commas"),
        "inputs": Option(10_000_000, "random floats", least=1),
        "out": Option(None, "JSON file; one in benchmarks/results, if not given", Path),
    },
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(recompute))
