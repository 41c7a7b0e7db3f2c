"""Errors of activations and gradients, in jaxact, jax.nn and PyTorch.

    python -m benchmarks.accuracy                    (half a minute on one core)
    python -m benchmarks.accuracy --exhaustive       (every float; about an hour on two cores)

Against mpmath with 50 digits, over about 20,000 points a function: every exponent of float32 in
both signs, [-100, 100], and the neighbourhood of each root and kink. What is counted as an error
is said in `benchmarks.exactness.truth`. Prints a table and writes JSON with machine and versions, a
file for each version of JAX, whose jax.nn they differ in.

`--exhaustive` is the ledger: the functions of the paper and its like, GELU and softplus over all
4,261,412,868 floats (others over every 17th; on an accelerator all over all), and every bfloat16
and float16, in ULP; what is counted how is said in `benchmarks.exactness.ledger`. A file a function
in benchmarks/results/ledger; what is there already, of the same program, is not made again, so the
command can be stopped and given again.
"""

if __name__ == "__main__":  # before the slow imports: it may start the process again
    from jaxact.runs.process import start

    start.begin("mpmath")

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.progress import track

from benchmarks import results
from benchmarks.exactness import ledger, ledger_files, ledger_rows, truth
from benchmarks.exactness.references import REFERENCES
from benchmarks.exactness.truth import DERIVATIVE_TOLERANCE, VALUE_TOLERANCE, Reference, evaluate
from jaxact import activations
from jaxact.command import Command, Option, Options
from jaxact.errors import ConfigError, did_you_mean
from jaxact.presentation.tables import as_rich
from jaxact.runs.process import environment

# jax.nn's `gelu` is the tanh form unless told otherwise.
_PEERS = {
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "gelu_tanh": functools.partial(jax.nn.gelu, approximate=True),
}
_WRONG = 1e-5
_COLUMNS = {
    "value": "value",
    "derivative": "derivative",
    "grad": "jax.grad",
    "jax_nn_value": "jax.nn value",
    "jax_nn_grad": "jax.nn grad",
}


def peer(name: str) -> Callable[..., Any] | None:
    """jax.nn's function of that name, if it has one."""
    return _PEERS.get(name) or getattr(jax.nn, name, None)


def gradient(function: Callable[..., Any], x: np.ndarray) -> np.ndarray:
    """jax.grad at each number of `x`; for rows, the diagonals of their Jacobians."""
    if x.ndim == 1:
        return np.asarray(jax.jit(jax.vmap(jax.grad(function)))(x))
    return np.asarray(jax.vmap(lambda row: jnp.diagonal(jax.jacrev(function)(row)))(x))


def measure(name: str, count: int) -> dict[str, Any]:
    """The worst relative errors of one activation and where they are, and those of jax.nn's."""
    activation, reference = activations.get(name), REFERENCES[name]
    rows = not activation.elementwise
    x = truth.softmax_rows(count) if rows else truth.points(reference, count)
    true, slope = evaluate(reference.value, x), evaluate(reference.derivative, x)
    errors = {
        "value": reference.value_errors(activation(x), true, x),
        "derivative": reference.derivative_errors(activation.derivative(x), slope, x),
        "grad": reference.derivative_errors(gradient(activation, x), slope, x),
    }
    other = peer(name)
    row: dict[str, Any] = {"activation": name, "points": int(x.size)}
    if other is not None:
        at_kink = np.isin(x, [kink.at for kink in activation.kinks])  # conventions differ
        errors["jax_nn_value"] = reference.value_errors(other(x), true, x)
        peer_errors = reference.derivative_errors(gradient(other, x), slope, x)
        errors["jax_nn_grad"] = np.where(at_kink, 0, peer_errors)
        if not rows:
            row["jax_nn_grad_wrong_share"] = wrong_share(other, reference)
    for key, error in errors.items():
        worst = np.unravel_index(np.argmax(error), error.shape)
        row[key] = {"worst": float(error[worst]), "at": float(x[worst])}
    row["within_tolerance"] = bool(
        (errors["value"] <= VALUE_TOLERANCE).all()
        and (errors["derivative"] <= DERIVATIVE_TOLERANCE).all()
        and (errors["grad"] <= DERIVATIVE_TOLERANCE).all()
    )
    return row


def wrong_share(function: Callable[..., Any], reference: Reference, count: int = 2001) -> float:
    """The share of [-100, 100] where the gradient of `function` is wrong by more than 1e-5."""
    x = np.linspace(-100, 100, count).astype(np.float32)
    x = x[~np.isin(x, reference.switches)]
    slope = evaluate(reference.derivative, x)
    errors = reference.derivative_errors(gradient(function, x), slope, x)
    return float(np.mean(errors > _WRONG))


def table_row(row: dict[str, Any]) -> dict[str, str | None]:
    """A row of the table of worst relative errors."""
    share = row.get("jax_nn_grad_wrong_share")
    return {
        "activation": row["activation"],
        **{
            title: f"{row[key]['worst']:.1e}" if key in row else None
            for key, title in _COLUMNS.items()
        },
        "jax.nn grad wrong by > 1e-5 on [-100, 100]": (
            None if share is None else f"{100 * share:.1f} %"
        ),
        "within tolerance": "yes" if row["within_tolerance"] else "no",
    }


def measure_all(options: Options) -> None:
    """Measures every registered activation."""
    rows = [measure(name, options.points) for name in activations.names()]
    described = environment.describe()
    results.publish(
        Path(options.out or results.accuracy_path(described["platform"], jax.__version__)),
        "accuracy",
        f"Worst relative errors in float32, JAX {jax.__version__}",
        {"points": options.points, "dtype": "float32"},
        {"jaxact": described},
        [table_row(row) for row in rows],
        where_worst={row["activation"]: _places(row) for row in rows},
    )


def _places(row: dict[str, Any]) -> dict[str, float]:
    return {key: row[key]["at"] for key in _COLUMNS if key in row}


def measure_exhaustively(options: Options) -> None:
    """Writes the files of the ledger that are missing, and prints its table.

    Raises:
      ConfigError: an activation is not in the ledger, or a peer's Python has no library.
    """
    known = ledger.names()
    held = {ledger.programs(name)["program"]: name for name in known}
    names = known
    if options.activations is not None:
        given = [word.strip() for word in options.activations.split(",") if word.strip()]
        kinds = {n for n in activations.names() if activations.get(n).elementwise}
        if unknown := sorted(set(given) - kinds):
            raise ConfigError(
                f"--activations={options.activations}: {unknown[0]} is not in the ledger"
                f"{did_you_mean(unknown[0], known)}; it has {', '.join(known)}"
            )
        names = list(dict.fromkeys(held[ledger.programs(name)["program"]] for name in given))
    if options.stride is not None and options.stride > ledger_files.LARGEST_STRIDE:
        raise ConfigError(
            f"--stride={options.stride} must be at most {ledger_files.LARGEST_STRIDE}"
        )
    folder = Path(options.out or ledger_rows.FOLDER)
    peers = options.peer_python.split(",") if options.peer_python else []
    ledger_files.check_peers(peers)
    described = environment.describe()
    on_cpu = described["platform"] == "cpu"
    processes = options.processes or (described["usable_cpus"] if on_cpu else 1)
    done = ledger_files.write_all(names, options.stride, peers, processes, folder)
    console = Console(stderr=True)
    for name in track(done, "ledger", len(names), console=console):
        console.print(f"{ledger_files.path_of(name, folder)}", highlight=False)
    Console(highlight=False, width=results.FILE_WIDTH).print(
        as_rich(
            ledger_rows.rows(folder, described["platform"]),
            "Largest errors, in units in the last place",
        )
    )


COMMAND = Command(
    "python -m benchmarks.accuracy",
    __doc__ or "",
    {
        "exhaustive": Option(False, "every float, in place of points"),
        "activations": Option(
            None, "of the exhaustive ones: names, by commas; all, if not given", str
        ),
        "stride": Option(
            None, "of the exhaustive ones: takes every n-th float; 1 or 17, if not given", int, 1
        ),
        "processes": Option(
            None,
            "of the exhaustive ones: that share the functions; one a core, if not given",
            int,
            1,
        ),
        "peer_python": Option(
            sys.executable,
            "of the exhaustive ones: interpreters, by commas, with JAX or PyTorch to compare with",
            str,
        ),
        "out": Option(
            None,
            "JSON file (of the exhaustive ones: folder); if not given, in benchmarks/results",
            Path,
        ),
        "points": Option(20_000, "points a function"),
    },
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(lambda o: measure_exhaustively(o) if o.exhaustive else measure_all(o)))
