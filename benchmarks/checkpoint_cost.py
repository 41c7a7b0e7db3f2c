"""python -m benchmarks.checkpoint_cost [--model=small_cnn] [--examples=60000] [--pairs=7] ...

What a checkpoint after each epoch costs: whole runs of a few epochs on MNIST (CIFAR-10 for networks
of coloured images), as `jaxact.main` makes them, with one after each epoch and with one at the end
alone, in turn. The real data must be there (`$JAXACT_DATA`).
"""

import dataclasses
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import results, shared
from benchmarks.timing import pairing
from jaxact import models
from jaxact.command import Option, Options
from jaxact.config import Config
from jaxact.runs import fit
from jaxact.runs.process import environment
from jaxact.runs.records import record_files
from jaxact.statistics import Estimate, quartiles

EACH, END, CHOSEN = "each epoch", "at the end", "as jaxact chooses"


def measure(config: Config) -> dict[str, float]:
    """Makes a run, and gives the images a second on the training clock and on the wall.

    From the end of the first epoch, whose compilation would hide all else, to that of the last.
    """
    with tempfile.TemporaryDirectory() as folder:
        workdir = Path(folder) / "run"
        fit.fit(config, workdir)
        rows = record_files.read_rows(workdir / record_files.METRICS)
    images = (rows[-1]["step"] - rows[0]["step"]) * config.batch_size
    return {
        clock: images / (rows[-1][clock] - rows[0][clock])
        for clock in ("train_seconds", "wall_seconds")
    }


def table(figures: Mapping[str, Mapping[str, Sequence[float]]]) -> list[dict[str, Any]]:
    """A row for each way, with its throughput over that of a checkpoint at the end, in pairs."""

    def ratio(name: str, clock: str) -> Estimate | None:
        return None if name == END else pairing.ratio(figures[name][clock], figures[END][clock])

    return [
        {
            "checkpoint": name,
            "images/s of training": quartiles(known["train_seconds"]),
            "images/s of the wall clock": quartiles(known["wall_seconds"]),
            "it / at the end, training": ratio(name, "train_seconds"),
            "it / at the end, wall clock": ratio(name, "wall_seconds"),
        }
        for name, known in figures.items()
    ]


def checkpoint_cost(options: Options) -> None:
    """Measures as the options say, writes the JSON and prints the table."""
    job = shared.job("train_step", options)
    config = Config(
        dataset="mnist" if models.MODELS[job.model].image_shape[-1] == 1 else "cifar10",
        model=job.model,
        activation=job.activation,
        batch_size=job.batch_size,
        precision=job.precision,
        train_examples=job.examples,
        test_examples=1000,
        epochs=options.run_epochs,
        latency_samples=0,
    )
    ways = {
        EACH: dataclasses.replace(config, checkpoint_every_epochs=1),
        CHOSEN: config,
        END: dataclasses.replace(config, checkpoint_every_epochs=config.epochs),
    }
    measure(config)  # compiles
    figures = pairing.alternate(
        {name: lambda config=config: measure(config) for name, config in ways.items()},
        options.pairs,
    )
    known = environment.describe()
    settings = dataclasses.asdict(config) | {"pairs": options.pairs}
    for name in config.OF_THE_MACHINE:
        del settings[name]
    results.publish(
        Path(options.out or results.default_path("checkpoint_cost", job.model, known["platform"])),
        "checkpoint_cost",
        f"Throughput with checkpoints: {job.model} on {config.dataset}",
        settings,
        {"jaxact": known},
        table(figures),
        figures=figures,
    )


COMMAND = shared.command(
    "checkpoint_cost", __doc__, run_epochs=Option(4, "epochs of a run", least=2)
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(checkpoint_cost))
