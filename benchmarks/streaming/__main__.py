"""python -m benchmarks.streaming [--images=20000] [--parts=2000,5000] [--model=vgg11] ...

What it takes to train on a folder of images that is not held in memory. Generates a folder of
JPEGs, which stays for the next time, and makes runs of it as `jaxact.main` does:

- the memory of all processes of a streamed run on all images and on parts of them, with images
  decoded in each epoch and with images decoded once;
- images a second, streamed and on the device in turn, on the training clock;
- a streamed run that is killed and goes on, and one on the device, against a streamed one: the
  largest difference of any figure of any epoch;
- the listing of 1,000 to 100,000 files.
"""

import dataclasses
import itertools
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.streaming import generated, listing, runs
from benchmarks.timing import pairing
from jaxact import models
from jaxact.command import Command, Option, Options
from jaxact.data import kept
from jaxact.errors import ConfigError
from jaxact.runs.process import environment
from jaxact.runs.records import record_files
from jaxact.statistics import quartiles

DEVICE, EACH, ONCE = "on the device", "decoded in each epoch", "decoded once"
LOADING = {DEVICE: "device", EACH: "stream", ONCE: "stream"}
LISTED = (1000, 10_000, 100_000)


@dataclasses.dataclass(frozen=True)
class Bench:
    """The folder of images, where runs are left, and what all of them have.

    Attributes:
      fields: of the configuration.
      kept_gib: of decoded images where they are decoded once.
    """

    images: Path
    folder: Path
    fields: dict[str, Any]
    kept_gib: float = kept.DEFAULT_GIB

    def environment(self, way: str) -> dict[str, str]:
        own = {kept.FOLDER: str(self.folder / "kept"), "JAX_COMPILATION_CACHE_DIR": str(self.cache)}
        return os.environ | own | {kept.LIMIT: "0" if way == EACH else str(self.kept_gib)}

    @property
    def cache(self) -> Path:
        return self.folder / "compiled"

    def run(self, way: str, name: str, **changes: Any) -> runs.Memory:
        """Makes a run one way, in a folder of this name."""
        fields = self.fields | {"dataset": self.images, "loading": LOADING[way]} | changes
        return runs.run(fields, self.folder / name, self.environment(way))


def memory(bench: Bench, options: Options, folders: dict[int, Path]) -> list[dict[str, Any]]:
    """The memory of streamed runs, by the number of images."""
    rows = []
    for way, (count, folder) in itertools.product((EACH, ONCE), folders.items()):
        own = dataclasses.replace(bench, images=folder)
        held = own.run(way, f"memory {way} {count}", model=options.memory_model, epochs=1)
        rows.append({"way": way, "images": count, **held._asdict()})
        least = next(row for row in rows if row["way"] == way)
        rows[-1]["MiB more than with the fewest"] = held.resident - least["resident"]
    return rows


def speed(bench: Bench, options: Options) -> dict[str, dict[str, list[float]]]:
    """Images a second each way, in turn."""
    numbers = itertools.count()

    def measure(way: str) -> dict[str, float]:
        name = f"speed {next(numbers)}"
        fields = {"train_examples": options.train_examples, "test_examples": options.batch_size}
        bench.run(way, name, epochs=options.epochs, **fields)
        rate = runs.images_per_second(bench.folder / name, options.batch_size)
        return {"images_per_second": rate}

    return pairing.alternate({way: lambda way=way: measure(way) for way in LOADING}, options.pairs)


def continued(bench: Bench, options: Options) -> dict[str, float]:
    """The largest differences of a streamed run: from the same killed, from one on the device."""
    fields = {
        "model": options.memory_model,
        "epochs": 3,
        "checkpoint_every_epochs": 1,
        "train_examples": options.train_examples,
    }
    for way, name in ((EACH, "whole"), (DEVICE, "device")):
        bench.run(way, name, **fields)
    killed = bench.folder / "killed"
    streamed = bench.fields | {"dataset": bench.images, "loading": LOADING[EACH]} | fields

    def has_two_epochs() -> bool:
        path = killed / record_files.METRICS
        return path.exists() and len(path.read_text().splitlines()) >= 2

    runs.run(streamed, killed, bench.environment(EACH), until=has_two_epochs)
    bench.run(EACH, "killed", **fields)
    whole = bench.folder / "whole"
    return {
        "killed after two epochs, and gone on": runs.differences(whole, killed),
        "on the device": runs.differences(whole, bench.folder / "device"),
    }


def streaming(options: Options) -> None:
    """Measures as the options say, writes the JSON and prints the tables."""
    try:
        parts = sorted({*map(int, options.parts.split(",")), options.images})
        least, most = map(int, options.sides.split(","))
    except ValueError as error:
        raise ConfigError(
            f"--parts={options.parts} and --sides={options.sides} must be whole numbers, separated "
            "by commas, such as --parts=2000,5000 --sides=64,96"
        ) from error
    root = Path(options.folder).expanduser()
    root.mkdir(parents=True, exist_ok=True)
    whole = generated.make(root, options.images, options.classes, (least, most))
    folders = {
        count: generated.part(root, whole, count, options.classes)
        for count in parts
        if count < options.images
    } | {options.images: whole}
    with tempfile.TemporaryDirectory(dir=root) as made:
        fields = {
            "model": options.model,
            "image_size": options.image_size,
            "batch_size": options.batch_size,
            "loading_workers": options.workers,
            "augmentation": "crop_flip",
            "latency_samples": 0,
            "health_examples": 0,
        }
        bench = Bench(whole, Path(made), fields)
        held = memory(bench, options, folders)
        figures = speed(bench, options)
        rates = {way: own["images_per_second"] for way, own in figures.items()}
        same = continued(bench, options)
    lists = [listing.measure(count, str(root)) for count in LISTED]
    known = environment.describe()
    rows = [
        {
            "way": way,
            "images/s": quartiles(own),
            "it / on the device": None if way == DEVICE else pairing.ratio(own, rates[DEVICE]),
        }
        for way, own in rates.items()
    ]
    title = f"{options.model} on {options.images} JPEGs of {least} to {most} pixels"
    name = f"{options.model}-{options.image_size}"
    results.publish(
        Path(options.out or results.default_path("streaming", name, known["platform"])),
        "streaming",
        f"Streamed training: {title}, as {options.image_size} x {options.image_size}",
        {name: value for name, value in vars(options).items() if name not in ("folder", "out")},
        {"jaxact": known},
        rows,
        figures=figures,
        memory=held,
        differences=same,
        listing=lists,
    )
    results.show(held, "MiB of all processes of a streamed run, at most")
    results.show([same], "Largest difference of any figure of a streamed run from one")
    results.show(lists, "Listing")


COMMAND = Command(
    "python -m benchmarks.streaming",
    __doc__ or "",
    {
        "images": Option(20_000, "JPEGs that are generated", least=400),
        "parts": Option("2000,5000", "numbers of images that memory is measured with, too"),
        "classes": Option(200, "classes", least=2),
        "sides": Option("64,96", "the least and the largest height and width of an image, pixels"),
        "image_size": Option(64, "height and width to which images are fitted", least=8),
        "model": Option("vgg11", "the network whose images a second are measured", models.names()),
        "memory_model": Option("small_cnn", "the network of the other runs", models.names()),
        "batch_size": Option(128, "images a step", least=1),
        "train_examples": Option(1280, "training images of the runs that are timed", least=1),
        "epochs": Option(3, "of the runs that are timed, the first of which warms up", least=2),
        "pairs": Option(5, "runs each way, in turn", least=1),
        "workers": Option(None, "processes that read; by the cores, if not given", int, least=0),
        "folder": Option(
            "~/.cache/jaxact/benchmarks", "where images are generated; they stay there", Path
        ),
        "out": Option(None, "JSON file; one in benchmarks/results, if not given", Path),
    },
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(streaming))
