"""Where the time of a training step on a CPU goes: kind of layer by kind of layer.

JAX's profiler notes when each of XLA's kernels runs; the compiled program says of each kernel from
which operation it comes, by the names of the modules that it is in. Kernels that run at the same
time share it; time in which none is noted goes to `BETWEEN`. A layer is known by the name that
Flax's Linen gives it: what a network computes outside of such layers is `OUTSIDE`, with all else.
"""

import collections
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax

from jaxact.statistics import Estimate

MEASURED = "jaxact: measured steps"  # in the trace
BETWEEN = "between kernels"
OUTSIDE = "outside of layers: pooling, loss, data, optimizer"
_THREADS = "tf_XLA"  # lines of the trace with kernels begin so
_INSTRUCTION = re.compile(r"^\s*(?:ROOT )?%?([\w.-]+) = (?:.*?op_name=\"([^\"]*)\")?", re.MULTILINE)
_HOLDS_OTHERS = re.compile(r"while|conditional")
_LAYER = re.compile(r"/([A-Z]\w*?)_\d+(?=/|$)")


class Kernel(NamedTuple):
    """A run of one of XLA's kernels, in nanoseconds of the trace."""

    name: str
    begin: float
    end: float


def operations(program: str) -> dict[str, str]:
    """Kernel to the operation it comes from, "" if it is not said, of a compiled program's text."""
    found = dict(_INSTRUCTION.findall(program))
    return {name: source for name, source in found.items() if not _HOLDS_OTHERS.match(name)}


def part(operation: str) -> str:
    """The kind of the innermost layer that an operation is in, and whether it is for gradients."""
    layers = _LAYER.findall(operation)
    if not layers:
        return OUTSIDE
    return f"{layers[-1]}, {'gradients' if 'transpose(' in operation else 'forward'}"


def seconds_of(kernels: Iterable[Kernel]) -> dict[str, float]:
    """Kernel to seconds: of the time in which several run, each has an equal part."""
    moments = []
    for kernel in kernels:
        if kernel.end <= kernel.begin:
            continue
        moments += [(kernel.begin, 1, kernel.name), (kernel.end, -1, kernel.name)]
    running: collections.Counter[str] = collections.Counter()
    seconds: dict[str, float] = collections.defaultdict(float)
    last = 0.0
    for moment, change, name in sorted(moments):
        count = running.total()
        for other, times in running.items():
            if times:
                seconds[other] += (moment - last) * times / count / 1e9
        running[name] += change
        last = moment
    return dict(seconds)


def kernels_in(folder: Path) -> tuple[list[Kernel], float]:
    """The kernels that XLA's threads ran within the span `MEASURED` of a trace, and its seconds."""
    ran, measured = [], Kernel(MEASURED, 0, 0)
    for path in folder.rglob("*.xplane.pb"):
        for plane in jax.profiler.ProfileData.from_file(str(path)).planes:
            for line in plane.lines:
                for event in line.events:
                    one = Kernel(event.name, event.start_ns, event.start_ns + event.duration_ns)
                    if one.name == MEASURED:
                        measured = one
                    elif line.name.startswith(_THREADS):
                        ran.append(one)
    within = [one for one in ran if measured.begin <= one.begin and one.end <= measured.end]
    return within, (measured.end - measured.begin) / 1e9


def measure(run: Callable[[], int], seconds: float, program: str) -> dict[str, float]:
    """Seconds of a step, and of its parts by kind of layer, such as `"Conv, gradients"`.

    Args:
      run: makes steps, waits for them, and returns how many.
      seconds: how long it is done at least, after a first time that does not count.
      program: the text of the compiled program.
    """
    steps = 0
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0  # which would slow down what is measured
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, profiler_options=options):
            run()
            with jax.profiler.TraceAnnotation(MEASURED):
                begin = time.perf_counter()
                while time.perf_counter() - begin < seconds:
                    steps += run()
        ran, passed = kernels_in(Path(folder))
    known = operations(program)
    parts = {part(operation): 0.0 for operation in ("", *known.values())}
    for name, taken in seconds_of(one for one in ran if one.name in known).items():
        parts[part(known[name])] += taken / steps
    between = max(0.0, passed / steps - sum(parts.values()))
    return parts | {"seconds": passed / steps, BETWEEN: between}


def rows(parts: Mapping[str, Estimate]) -> list[dict[str, Any]]:
    """A row a part of the step, the longest first.

    Args:
      parts: what `measure` gives, over several measurements, in milliseconds.
    """
    total = parts["seconds"].value
    table = [
        {"part of the step": name, "ms": taken, "%": 100 * taken.value / total}
        for name, taken in parts.items()
        if name != "seconds" and taken.value
    ]
    return sorted(table, key=lambda row: -row["ms"].value)
