"""python -m benchmarks.activations [--only=SPEC,SPEC,...] [--elements=N] [--dtype=bfloat16] ...

Nanoseconds an element, forward and gradient, of every activation and of jax.nn's own, in turn. The
limit stands beside them: `x + 1` reads and writes as much as an activation, `x + y` as much as its
gradient, which reads the input and the gradient to pass on. `--peer=torch` adds PyTorch. The array
is as large as the first activation of `--model` at `--batch_size`, if a model is named.
"""

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from rich.console import Console
from rich.progress import track

from benchmarks import results, shared
from benchmarks.contenders.counterparts import jax_nn_spec
from benchmarks.contenders.protocol import Job, seconds_a_unit
from benchmarks.contenders.workers import (
    Contender,
    Worker,
    WorkerError,
    in_turn,
    running,
    torch_contenders,
)
from benchmarks.timing import alternation, pairing
from jaxact import activations, models
from jaxact.activations import Activation
from jaxact.command import Option, Options
from jaxact.comparison.options import split_specs
from jaxact.errors import ConfigError
from jaxact.runs.process import environment
from jaxact.statistics import quartiles

DTYPES = ("float32", "bfloat16", "float16")
# Larger than any cache: of a CPU, and of a GPU.
ELEMENTS = {"cpu": 2**24, "gpu": 2**27}
ROW = 128  # softmax needs rows


Function = Callable[[Array], Array]
Measure = Callable[[], dict[str, float]]


def elements(options: Options) -> int:
    """The elements of the array: as asked for, a whole number of rows."""
    if options.elements is not None:
        count = options.elements
    elif options.model is not None:
        layers = shared.layer_costs(options.model)
        first = next(layer for layer in layers if layer.name.startswith("ActivationLayer"))
        count = options.batch_size * math.prod(first.output_shape)
    else:
        count = ELEMENTS.get(jax.default_backend(), ELEMENTS["gpu"])
    return count // ROW * ROW


def timer(forward: Callable[..., Array], *arguments: Array, seconds: float) -> Callable[[], float]:
    """Measures seconds an element of a compiled function.

    Each result is written over the last one: fresh memory for every call would be most of the time.
    """
    compiled = jax.jit(lambda spare, *rest: forward(*rest), donate_argnums=0, keep_unused=True)
    spare = jnp.zeros_like(arguments[0])

    def run() -> int:
        nonlocal spare
        spare = compiled(spare, *arguments).block_until_ready()
        return spare.size

    return lambda: seconds_a_unit(run, seconds)


def gradient(function: Function) -> Callable[[Array, Array], Array]:
    """`(x, g) -> g f'(x)`, as JAX differentiates; softmax's likewise."""
    return lambda x, cotangent: jax.vjp(function, x)[1](cotangent)[0]


def measure_of(function: Function, x: Array, cotangent: Array, seconds: float) -> Measure:
    """Measures a function and its gradient once."""
    forward = timer(function, x, seconds=seconds)
    backward = timer(gradient(function), x, cotangent, seconds=seconds)
    return lambda: {"forward": forward(), "gradient": backward()}


def limit(x: Array, cotangent: Array, seconds: float) -> Measure:
    """The limit of memory: as many bytes, next to no arithmetic."""
    one = timer(lambda x: x + 1, x, seconds=seconds)
    two = timer(lambda x, y: x + y, x, cotangent, seconds=seconds)
    return lambda: {"forward": one(), "gradient": two()}


def in_process(activation: Activation, job: Job) -> dict[str, Measure]:
    """Measures ours, jax.nn's if it has one, and the limit, on the same array."""
    shape, dtype = (job.elements // ROW, ROW), jnp.dtype(job.dtype)
    x, cotangent = (
        jax.random.normal(key, shape, dtype) for key in jax.random.split(jax.random.key(0))
    )
    functions: dict[str, Function] = {"jaxact": activation}
    if spec := jax_nn_spec(activation):
        functions["jax.nn"] = activations.get(spec)
    measures = {
        name: measure_of(function, x, cotangent, job.seconds)
        for name, function in functions.items()
    }
    return {**measures, "limit": limit(x, cotangent, job.seconds)}


def measure(
    activation: Activation,
    job: Job,
    peers: Sequence[Contender],
    workers: dict[str, Worker],
    pairs: int,
) -> dict[str, Any]:
    """Contender to figure to its values, one a round."""
    measures = in_process(activation, job)
    try:
        alternation.prepared(workers, peers, job)
        measures |= in_turn(workers)
    except WorkerError as error:
        print(f"note: {activation.spec} without a peer: {error}", file=sys.stderr)
    return pairing.alternate(measures, pairs)


def rows(measured: Mapping[str, Mapping[str, Any]], contenders: Sequence[str]) -> list[dict]:
    """Two rows an activation: forward and gradient, in nanoseconds an element."""
    table = []
    for spec, figures in measured.items():
        for figure in ("forward", "gradient"):
            cells: dict[str, Any] = {"ns an element": spec, "pass": figure}
            values = {name: figures[name][figure] for name in contenders if name in figures}
            for name in contenders:
                cells[name] = quartiles(values[name]).value * 1e9 if name in values else None
            for name in contenders:
                if name not in ("jaxact", "limit"):
                    cells[f"jaxact / {name}"] = (
                        pairing.ratio(values["jaxact"], values[name]) if name in values else None
                    )
            table.append(cells)
    return table


def benchmark(options: Options) -> None:
    """Measures as the options say, writes the JSON and prints the table."""
    specs = activations.names() if options.only is None else split_specs(options.only, "only")
    wanted = [activations.get(spec) for spec in specs]
    for activation in wanted:
        if isinstance(activation, activations.ChannelActivation):
            raise ConfigError(
                f"--only: {activation.spec} sees channels, so it is timed in a network: python -m "
                f"benchmarks.train_step --activation='{activation.spec}'"
            )
    by_precision = "bfloat16" if options.precision == "bfloat16" else "float32"
    job = dataclasses.replace(
        shared.job(
            "activation", Options(**(vars(options) | {"model": options.model or "small_cnn"}))
        ),
        elements=elements(options),
        dtype=options.dtype or by_precision,
    )
    peers = torch_contenders(options.peer_python) if options.peer == "torch" else []
    measured = {}
    environments = {"jaxact": environment.describe()}
    with running(peers) as workers:
        for name, details in alternation.prepared(workers, peers, job).items():
            environments[name] = details["environment"]
        for activation in track(wanted, "measuring", console=Console(stderr=True)):
            own = dataclasses.replace(job, **shared.activation_fields(activation))
            measured[activation.spec] = measure(activation, own, peers, workers, options.pairs)
    contenders = ["jaxact", "jax.nn", "limit", *(peer.name for peer in peers)]
    platform = environments["jaxact"]["platform"]
    path = options.out or results.default_path("activations", job.dtype, platform)
    results.publish(
        Path(path),
        "activations",
        f"Activations on {job.elements:,} numbers, {job.dtype}",
        {"elements": job.elements, "dtype": job.dtype, "pairs": options.pairs},
        environments,
        rows(measured, contenders),
        figures=measured,
    )


COMMAND = shared.command(
    "activations",
    __doc__,
    model=Option(None, "whose first activation the array is as large as", models.names()),
    only=Option(None, "specs, separated by commas; all, if not given", str),
    elements=Option(None, "of the array; 2**24, on a GPU 2**27, if not given", int, least=ROW),
    dtype=Option(
        None, "of the array; float32, or bfloat16 if that is --precision, if not given", DTYPES
    ),
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(benchmark))
