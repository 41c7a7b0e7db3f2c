"""python -m benchmarks.scaling [--model=vgg11] [--peer=torch] [--axes=batch,data,depth] ...

Time and peak memory of training over the batch size (32 to 1024), the number of images (1x to 8x,
8x being `--examples`), and the steps of one dispatch (the depth of `lax.scan`, jaxact alone), the
others held. Each point has a process of its own, so that its peak memory is its own. What grows
faster than its axis is to be seen here.
"""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import track

from benchmarks import results, shared
from benchmarks.contenders.protocol import Job
from benchmarks.contenders.workers import Contender, in_turn, running
from benchmarks.timing import alternation, pairing
from jaxact.command import Option, Options
from jaxact.errors import ConfigError
from jaxact.statistics import quartiles

BATCH_SIZES = (32, 64, 128, 256, 512, 1024)
EIGHTHS = (1, 2, 4, 8)
# On two CPU cores a step of VGG-11 takes seconds, one of AlexNet tens of them.
DEPTHS = {
    "small_cnn": (1, 4, 16, 64),
    "vgg11": (1, 2, 4),
    "alexnet": (1, 2),
    "alexnet32": (1, 2, 4),
    "resnet18": (1, 2, 4),
    "preact_resnet18": (1, 2, 4),
    "mobilenet_v2": (1, 2, 4),
}
OTHER_DEPTHS = (1, 4, 16)
AXES = ("batch", "data", "depth")


class Point(NamedTuple):
    """A job to measure, and where it stands on its axis."""

    axis: str
    value: int
    job: Job


def points(job: Job, axes: Sequence[str]) -> list[Point]:
    """The jobs of each axis; a batch larger than the data is left out.

    Raises:
      ConfigError: there is no such axis.
    """
    if unknown := set(axes) - set(AXES):
        raise ConfigError(f"--axes={','.join(axes)}: {min(unknown)!r} is none of {', '.join(AXES)}")
    along = {
        "batch": [(size, {"batch_size": size}) for size in BATCH_SIZES],
        "data": [(share, {"examples": job.examples * share // 8}) for share in EIGHTHS],
        "depth": [
            (steps, {"steps_per_dispatch": steps}) for steps in DEPTHS.get(job.model, OTHER_DEPTHS)
        ],
    }
    wanted = [
        Point(axis, value, dataclasses.replace(job, **changes))
        for axis in axes
        for value, changes in along[axis]
    ]
    return [point for point in wanted if point.job.batch_size <= point.job.examples]


def measure(point: Point, contender: Contender, pairs: int) -> dict[str, Any]:
    """A contender's details at a point, and figure to values, from a new process."""
    with running([contender]) as workers:
        details = alternation.prepared(workers, [contender], point.job)
        figures = pairing.alternate(in_turn(workers), pairs)
    return {"details": details[contender.name], "figures": figures[contender.name]}


def rows(measured: Sequence[tuple[Point, str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """A row for each point and contender; growth is seen against the axis's first point."""
    table, first = [], {}
    for point, name, known in measured:
        seconds = known["figures"]["seconds"]
        image = quartiles(seconds, 1e6 / point.job.batch_size)
        table.append(
            {
                "axis": point.axis,
                "at": f"{point.value}x" if point.axis == "data" else str(point.value),
                "contender": name,
                "ms a step": quartiles(seconds, 1e3).value,
                "us an image": image,
                "to the first": image.value / first.setdefault((point.axis, name), image.value),
                "peak MiB": max(known["figures"]["peak_memory_bytes"]) / 2**20,
                "compile s": known["details"].get("compile_seconds"),
            }
        )
    return table


def scaling(options: Options) -> None:
    """Measures as the options say, writes the JSON and prints the table."""
    job, contenders = shared.job("train_step", options), shared.takes_part(options)
    axes = options.axes.split(",")
    pairs = [
        (point, contender)
        for point in points(job, axes)
        for contender in contenders
        if point.axis != "depth" or "torch" not in contender.name
    ]
    measured = [
        (point, contender.name, measure(point, contender, options.pairs))
        for point, contender in track(pairs, "measuring", console=Console(stderr=True))
    ]
    environments = {name: known["details"]["environment"] for _, name, known in measured}
    platform = environments["jaxact"]["platform"]
    words = ("scaling", job.model, job.activation, job.precision, options.peer, platform)
    results.publish(
        Path(options.out or results.default_path(*words)),
        "scaling",
        f"Scaling of training: {job.model}, {job.activation}, {job.precision}",
        {**dataclasses.asdict(job), "axes": axes, "pairs": options.pairs},
        environments,
        rows(measured),
        figures=[
            {"axis": point.axis, "at": point.value, "contender": name, **known["figures"]}
            for point, name, known in measured
        ],
    )


COMMAND = shared.command("scaling", __doc__, axes=Option(",".join(AXES), "by commas"))

if __name__ == "__main__":
    sys.exit(COMMAND.run(scaling))
