"""The classes of images, by the network of a run: `python -m jaxact.predict RUN IMAGES...`."""

if __name__ == "__main__":  # before the imports that may fail
    from jaxact.runs.process import start

    start.begin("PIL")

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from jaxact.command import Command, Option, Options, telling_warnings
from jaxact.data.own import unlabelled
from jaxact.inference.batches import MOST
from jaxact.inference.network import Network
from jaxact.presentation import tables
from jaxact.runs import load

COMMAND = Command(
    "python -m jaxact.predict",
    """\
Tells the class of each image and how probable it is, by the network that a run has trained. Images
are brought to the size that it was trained on, and to grey if it was trained on grey ones; they are
PNG, JPEG, WebP, BMP, TIFF or GIF files, folders of them, or patterns.""",
    {
        "format": Option("table", "JSON is a list, an entry an image", ("table", "json", "csv")),
        "top": Option(1, "how many classes of each image, the most probable first", least=1),
    },
    arguments=("RUN", "IMAGES..."),
    examples=(
        "runs/a photo.png",
        "runs/a photos/ more/*.jpg --top=3 --format=json",
    ),
    notes="exit codes: 0 done, 2 no run, or no network in it, 3 an image is not there, or broken",
)


def predictions(network: Network, probabilities: np.ndarray, top: int) -> list[dict[str, Any]]:
    """The most probable classes, the first first.

    Args:
      probabilities: of one image, `[classes]`.
      top: how many; at most all.
    """
    order = np.argsort(-probabilities, kind="stable")[:top]
    return [
        {
            "class": network.classes[label],
            "label": int(label),
            "probability": float(f"{probabilities[label]:.6g}"),
        }
        for label in order
    ]


def rows(answers: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each class that is named of each image."""
    return [
        {"image": answer["image"], "rank": rank, **one}
        for answer in answers
        for rank, one in enumerate(answer["top"], 1)
    ]


def show(answers: Sequence[dict[str, Any]], form: str) -> None:
    """Prints what `predict` has found."""
    if form == "json":
        print(json.dumps(answers, indent=2, ensure_ascii=False))
        return
    lines = rows(answers)
    if form == "csv":
        writer = csv.DictWriter(sys.stdout, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
        return
    table = Table("image", "class")
    table.add_column("probability", justify="right")
    for line in lines:
        name = line["image"] if line["rank"] == 1 else ""
        table.add_row(Text(name), Text(line["class"]), f"{line['probability']:.4f}")
    tables.console(width_of_a_file=10_000).print(table)  # names are not cut


def predict(options: Options) -> None:
    """Prints the classes of the images.

    Raises:
      ConfigError, WorkdirError: the run has no network.
      DataError: an image is not there, or broken; nothing is printed then.
    """
    network = telling_warnings(load.load, options.run)
    paths = unlabelled.find(options.images)
    reader = unlabelled.Reader(network.image_shape)
    found = [each for images in reader.batches(paths, MOST) for each in network(images)]
    for note in reader.notes():
        print(f"note: {note}", file=sys.stderr)
    answers = []
    for path, probabilities in zip(paths, found, strict=True):
        top = predictions(network, probabilities, options.top)
        answers.append({"image": str(path), **top[0], "top": top})
    show(answers, options.format)


if __name__ == "__main__":
    sys.exit(COMMAND.run(predict))
