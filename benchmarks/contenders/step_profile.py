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

BETWEEN = "between kernels"
OUTSIDE = "outside of layers: pooling, loss, data, optimizer"
_THREADS = "tf_XLA"  # lines of the trace with kernels begin so
_INSTRUCTION = re.compile(r"^\s*(?:ROOT )?%?([\w.-]+) = (?:.*?op_name=\"([^\"]*)\")?", re.MULTILINE)
_HOLDS_OTHERS = re.compile(r"while|call|conditional")
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


def kernels_in(folder: Path) -> list[Kernel]:
    """All that ran in XLA's threads, in a trace of JAX's profiler."""
    found = []
    for path in folder.rglob("*.xplane.pb"):
        for plane in jax.profiler.ProfileData.from_file(str(path)).planes:
            for line in plane.lines:
                if line.name.startswith(_THREADS):
                    found += [
                        Kernel(event.name, event.start_ns, event.start_ns + event.duration_ns)
                        for event in line.events
                    ]
    return found


def measure(run: Callable[[], int], program: str) -> dict[str, float]:
    """Seconds of a step, and of its parts by kind of layer, such as `"Conv, gradients"`.

    Args:
      run: makes steps, waits for them, and returns how many.
      program: the text of the compiled program.
    """
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            begin = time.perf_counter()
            steps = run()
            seconds = (time.perf_counter() - begin) / steps
        known = operations(program)
        kernels = seconds_of(kernel for kernel in kernels_in(Path(folder)) if kernel.name in known)
    parts = {part(operation): 0.0 for operation in ("", *known.values())}
    for name, taken in kernels.items():
        parts[part(known[name])] += taken / steps
    return parts | {"seconds": seconds, BETWEEN: max(0.0, seconds - sum(parts.values()))}


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
