"""The plan of `benchmarks.suite`: its measurements, their order and their expected seconds."""

import importlib.metadata
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import results
from benchmarks.exactness import ledger_rows
from jaxact.presentation.numbers import number
from jaxact.runs.records import record_files

MODELS = ("vgg11", "small_cnn")  # the larger one first: its time is arithmetic, not overhead
ACTIVATION, BATCH_SIZE = "relu", 128
TASKS = {"train_step": "training step", "latency": "latency of one sample"}
# Compute capability from which an NVIDIA GPU has TF32 and bfloat16: Ampere's.
OLDEST_FAST_CAPABILITY = 8.0

# Seconds of one process of each contender, preparation and measurements; what it takes depends on
# the machine, so the suite corrects these by what its first steps have taken.
OWN_SECONDS = {
    "cpu": {"vgg11": 40.0, "small_cnn": 20.0},
    "gpu": {"vgg11": 70.0, "small_cnn": 40.0},
}
# Beside that. On a GPU torch.compile is tried with three modes in two memory layouts.
PEER_SECONDS = {
    "cpu": {
        "jax.nn": {"vgg11": 30.0, "small_cnn": 10.0},
        "torch": {"vgg11": 90.0, "small_cnn": 50.0},
    },
    "gpu": {
        "jax.nn": {"vgg11": 60.0, "small_cnn": 30.0},
        "torch": {"vgg11": 240.0, "small_cnn": 120.0},
    },
}
SLOW_BFLOAT16 = 2.0  # times as long: a CPU without fast products of it
ACCURACY_SECONDS = {"cpu": 60.0, "gpu": 120.0}
SEEDS_AT_ONCE_SECONDS = 120.0
# A few functions of the ledger, which goes on where it was cut off.
LEDGER_SECONDS = 90.0


class Device(NamedTuple):
    """The device that the suite runs on.

    Attributes:
      platform: as JAX calls it: "cpu", "gpu", "tpu".
      kind: its maker's name for it.
      compute_capability: of an NVIDIA GPU, such as "8.6"; of others whatever JAX has, or None.
    """

    platform: str
    kind: str = ""
    compute_capability: str | None = None


class Effort(NamedTuple):
    """The thoroughness of each measurement: options of the benchmarks."""

    pairs: int
    processes: int
    seconds: float


THOROUGH = Effort(pairs=7, processes=3, seconds=0.5)  # as the benchmarks do by themselves
QUICK = Effort(pairs=5, processes=1, seconds=0.3)


class Step(NamedTuple):
    """One measurement.

    Attributes:
      what: in words.
      arguments: for the Python interpreter.
      file: that it writes; or a folder, of which every file is a result.
      seconds: it is expected to take; with a folder, until there are some files.
    """

    what: str
    arguments: tuple[str, ...]
    file: Path
    seconds: float


def precisions(device: Device) -> tuple[str, ...]:
    """The precisions of a device, the fastest first; CPUs emulate bfloat16, which comes last."""
    if device.platform == "cpu":
        return ("float32", "bfloat16")
    capability = device.compute_capability or ""
    if not re.fullmatch(r"\d+\.\d+", capability):  # no NVIDIA GPU
        return ("bfloat16", "float32")
    has_fast_ones = float(capability) >= OLDEST_FAST_CAPABILITY
    return ("bfloat16", "tf32", "float32") if has_fast_ones else ("float32",)


def plan(device: Device, minutes: float, peer: str, peer_python: str, folder: Path) -> list[Step]:
    """The measurements, the most telling first.

    Args:
      device: decides on the precisions and what a step takes.
      minutes: all the time there is; where it is enough for all of them, they are thorough.
      peer: one of `benchmarks.contenders.workers.PEERS`.
      peer_python: the interpreter that has PyTorch.
      folder: for the files.

    Returns:
      VGG-11 and the small CNN, training step and then latency, in the fastest precision; the same
      in the others; and the accuracy of the activations, on a CPU before the others. On an
      accelerator several seeds at once, and the ledger comes last: every float, for as long as
      there is time.
    """

    def steps(effort: Effort) -> list[Step]:
        fastest, *others = (
            [
                alternation(task, model, precision, device, effort, peer, peer_python, folder)
                for task in TASKS
                for model in MODELS
            ]
            for precision in precisions(device)
        )
        rest, exact = [step for own in others for step in own], accuracy(device, folder)
        if device.platform == "cpu":
            return [*fastest, exact, *rest]
        return [*fastest, *rest, exact, seeds_at_once(device, folder), every_float(folder)]

    thorough = steps(THOROUGH)
    enough = sum(step.seconds for step in thorough) <= 60 * minutes
    return thorough if enough else steps(QUICK)


def alternation(
    task: str,
    model: str,
    precision: str,
    device: Device,
    effort: Effort,
    peer: str,
    peer_python: str,
    folder: Path,
) -> Step:
    """jaxact, and its peer if there is one, at a task."""
    words = (task, model, ACTIVATION, str(BATCH_SIZE), precision, peer, device.platform)
    file = folder / results.default_path(*words).name
    options = {
        "model": model,
        "activation": ACTIVATION,
        "batch_size": BATCH_SIZE,
        "precision": precision,
        "peer": peer,
        "peer_python": peer_python,
        **effort._asdict(),
        "out": file,
    }
    kind = "cpu" if device.platform == "cpu" else "gpu"
    seconds = OWN_SECONDS[kind][model] + PEER_SECONDS[kind].get(peer, {}).get(model, 0.0)
    if (kind, precision) == ("cpu", "bfloat16"):
        seconds *= SLOW_BFLOAT16
    return Step(
        f"{TASKS[task]}, {model}, {precision}",
        ("-m", f"benchmarks.{task}", *(f"--{name}={value}" for name, value in options.items())),
        file,
        seconds * effort.processes,
    )


def accuracy(device: Device, folder: Path) -> Step:
    """Values and gradients of the activations against the truth, in float32."""
    version = importlib.metadata.version("jax")  # to import it could take the device's memory
    file = folder / results.accuracy_path(device.platform, version).name
    kind = "cpu" if device.platform == "cpu" else "gpu"
    return Step(
        "accuracy of the activations",
        ("-m", "benchmarks.accuracy", f"--out={file}"),
        file,
        ACCURACY_SECONDS[kind],
    )


def seeds_at_once(device: Device, folder: Path) -> Step:
    """Several runs of the small CNN in one program, against one alone."""
    words = ("seeds_at_once", "small_cnn", ACTIVATION, "float32", device.platform)
    file = folder / results.default_path(*words).name
    arguments = ("-m", "benchmarks.studies.seeds_at_once", "--counts=4,16", f"--out={file}")
    return Step("training of several seeds at once", arguments, file, SEEDS_AT_ONCE_SECONDS)


def every_float(folder: Path) -> Step:
    """The ledger of the activations, a file a function: what is there already is not made again."""
    ledger = folder / ledger_rows.FOLDER.name
    arguments = ("-m", "benchmarks.accuracy", "--exhaustive", f"--out={ledger}")
    return Step("errors over every float", arguments, ledger, LEDGER_SECONDS)


def pace(taken_seconds: Sequence[float], expected_seconds: Sequence[float]) -> float:
    """The time of the steps so far over the expected; 1 before the first."""
    return sum(taken_seconds) / sum(expected_seconds) if expected_seconds else 1.0


def summary(step: Step, platform: str) -> dict[str, Any]:
    """A result's main figures as cells of a row: jaxact's, and its ratio to each peer."""
    if step.file.is_dir():
        count = len(ledger_rows.rows(step.file, platform))
        missed = {row["activation"] for row in ledger_rows.exceptions(step.file, platform)}
        return {"jaxact": f"{count - len(missed)} of {count} within the goals"}
    result = record_files.read_json(step.file)
    ours, *others = result["rows"]
    name, figure = next(iter(ours)), next((f for f in ("ms a step", "ms, device") if f in ours), "")
    if not figure:
        good = sum(row["within tolerance"] == "yes" for row in result["rows"])
        return {"jaxact": f"{good} of {len(result['rows'])} within tolerance"}
    ratios = {f"/ {row[name]}": row["jaxact / it"] for row in others if "jaxact / it" in row}
    return {"jaxact": f"{number(ours[figure][0])} {figure.split(',')[0]}", **ratios}
