"""A run that is only told: what is left of it, and the time, memory and disk that it will take."""

import dataclasses
import shutil
from pathlib import Path

from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.presentation import numbers
from jaxact.runs import estimate
from jaxact.runs.estimate import Cost, Span
from jaxact.runs.process import determinism, environment, memory, shared_machine
from jaxact.runs.records import record_files, surroundings, workdirs

MEANING = (
    "trains nothing and writes no records: tells what is to be made, and the time, memory and disk "
    "that it will take, from some seconds of each program at work; data are fetched where they are "
    "not there, and what is compiled is kept"
)


@dataclasses.dataclass(frozen=True)
class RunEstimate:
    """The time, memory and disk that a run is expected to take from where it stands.

    Attributes:
      epochs_left: that are still to be trained.
      cost: of its configuration.
      seconds: to its end, the start of the process and compilation included.
      memory_bytes: the peak of this process, or of its accelerator, which did the same work.
      disk_bytes: the least and the most that it adds.
    """

    epochs_left: int
    cost: Cost
    seconds: Span
    memory_bytes: int
    disk_bytes: tuple[int, int]


def of_run(config: Config, workdir: Path | None) -> RunEstimate:
    """The estimate of a run, or of what is left of one that a folder holds; nothing is written.

    Args:
      workdir: None: a new folder.

    Raises:
      ConfigError, DataError, OutOfMemoryError: the run cannot be made.
    """
    if config.distributed is not None:
        raise ConfigError(
            f"config.distributed={config.distributed} is not for --dry_run, which measures in one "
            "process: leave it out, or --dry_run"
        )
    determinism.ensure(config.deterministic)  # before JAX starts
    left = config.epochs
    if workdir is not None:
        fields = dataclasses.asdict(config) | workdirs.function_record(config.activation)
        workdirs.check_workdir(workdir, fields)
        described = environment.describe(config.deterministic, config.devices)
        surroundings.check(workdir, described, config.epochs)
        left = epochs_left(workdir, config.epochs)
    cost = estimate.measure(config)
    is_left = left > 0 or workdir is None or not (workdir / record_files.SUMMARY).exists()
    seconds = Span.about(estimate.START_SECONDS)
    if is_left:
        seconds += cost.compilation + cost.seconds(left)
    return RunEstimate(
        epochs_left=left,
        cost=cost,
        seconds=seconds,
        memory_bytes=environment.peak_memory_bytes(),
        disk_bytes=cost.disk_bytes(left) if is_left else (0, 0),
    )


def epochs_left(workdir: Path, epochs: int) -> int:
    """The epochs that a run's records do not have yet."""
    path = workdir / record_files.METRICS
    if not (path.exists() and workdirs.has_trained(workdir)):
        return epochs
    return max(epochs - len(record_files.read_rows(path)), 0)


def show(config: Config, workdir: Path | None) -> None:
    """Prints the estimate of a run."""
    found = of_run(config, workdir)
    cost = found.cost
    print(f"{config.model} on {config.dataset} with {config.activation}, seed {config.seed}")
    print(f"epochs: {config.epochs}, of which {found.epochs_left} are to be trained")
    print(
        f"a step takes {numbers.duration(cost.step.likely)}, an epoch has {cost.steps_per_epoch} "
        f"of them; compilation {numbers.duration(cost.cold_compilation.likely)}"
    )
    for line in resources(found.seconds, cost.program_bytes, found.memory_bytes, found.disk_bytes):
        print(line)
    for line in (*disk_warning(workdir or Path(), found.disk_bytes[1]), nothing_written(workdir)):
        print(line)


def resources(
    seconds: Span, program_bytes: int | None, memory_bytes: int, disk_bytes: tuple[int, int]
) -> list[str]:
    """Time, memory and disk, a line each, with their ranges."""
    low, high = map(numbers.duration, (seconds.low, seconds.high))
    beside = ", as long as the other work goes on" if shared_machine.is_shared() else ""
    program = "" if program_bytes is None else f" (training steps {numbers.size(program_bytes)})"
    least, most = map(numbers.size, disk_bytes)
    return [
        f"time: about {numbers.duration(seconds.likely)}, from {low} to {high}{beside}",
        f"memory: at most about {numbers.size(memory_bytes)}{program}; {memory.there()}",
        f"disk: {least} to {most}",
    ]


def disk_warning(workdir: Path, most_bytes: float) -> list[str]:
    """A line where a folder's disk may not have the room."""
    path = workdir.absolute()
    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    free = shutil.disk_usage(nearest).free
    if most_bytes < free:
        return []
    return [f"warning: {numbers.size(free)} are free in {nearest}: make room, or choose another"]


def nothing_written(workdir: Path | None) -> str:
    """The last line: what a dry run leaves behind."""
    where = "" if workdir is None else f" in {workdir}"
    return (
        f"nothing was made or written{where}; what was compiled is kept for the command without "
        "--dry_run"
    )
