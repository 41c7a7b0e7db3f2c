"""The network of a run as a file that runs without jaxact: `python -m jaxact.export RUN`."""

if __name__ == "__main__":  # before the imports that may fail
    from jaxact.runs.process import start

    start.begin()

import json
import sys
from pathlib import Path

from jaxact.command import Command, Option, Options, telling_warnings
from jaxact.inference import export as files
from jaxact.runs import load

COMMAND = Command(
    "python -m jaxact.export",
    """\
Writes the network that a run has trained as a file that needs no jaxact: from uint8 images, in
batches of any size, to probabilities; what normalises images is inside. A JSON file beside it says
how to load it, and holds the shape of images, the classes and the versions.""",
    {
        "format": Option(
            None,
            "stablehlo runs in plain JAX (CPU, NVIDIA GPU, TPU), onnx needs jaxact[onnx]; if not "
            "given, as the file is named, or the first",
            tuple(files.FORMATS),
        ),
        "out": Option(
            None, "file, such as net.onnx, or folder; RUN/export/, if not given", kind=Path
        ),
    },
    arguments=("RUN",),
    examples=("runs/a", "runs/a --out=net.stablehlo", "runs/a --format=onnx --out=exported"),
    notes="exit codes: 0 done, 2 no run, no network in it, or none that the format can hold",
)


def export(options: Options) -> None:
    """Writes the file, and says where it is and how to load it."""
    out = Path(options.out or Path(options.run).expanduser() / "export")
    files.chosen_format(out, options.format)  # before anything that takes long
    network = telling_warnings(load.load, options.run)
    path = network.export(out, options.format)
    print(f"{network}\nwritten: {path} ({path.stat().st_size:,} bytes)\n")
    print(*json.loads(files.beside(path).read_text())["load"], sep="\n")


if __name__ == "__main__":
    sys.exit(COMMAND.run(export))
