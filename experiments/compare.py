"""python -m experiments.compare --config=configs/mnist.py [--activations=SPEC,SPEC,...] [--seeds=N]

Trains one network with each activation, seed by seed, and prints how they compare. Runs are paired:
run k of every activation has the same initial weights, order of images and augmentation. Finished
runs are not made again, so a comparison that was stopped goes on when the same command is given.
"""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags
from rich.console import Console

from experiments import tables
from jaxact import activations, command_line, data
from jaxact.config import Config, check
from jaxact.errors import ConfigError, NonFiniteLossError
from jaxact.training import loop, records

PAPER_ACTIVATIONS = ("relu", "tanh", "selu", "prelu", "elu", "leaky_relu")

CONFIG = command_line.define_config()
ACTIVATIONS = flags.DEFINE_string(
    "activations", ",".join(PAPER_ACTIVATIONS), "Specs, separated by commas."
)
SEEDS = flags.DEFINE_integer("seeds", 3, "Runs of each activation.", lower_bound=1)
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the comparison. Default: runs/compare-DATASET-MODEL."
)


def split_specs(text: str) -> list[str]:
    """Specs separated by commas; commas within brackets belong to a spec.

    Raises:
      ConfigError: a spec is wrong or stands twice.
    """
    specs = [part.strip() for part in re.split(r",(?![^()]*\))", text) if part.strip()]
    try:
        canonical = [activations.get(spec).spec for spec in specs]
    except ValueError as error:
        raise ConfigError(f"--activations={text}: {error}") from error
    if not canonical or len(set(canonical)) < len(canonical):
        raise ConfigError(f"--activations={text} must name one activation or more, each once")
    return canonical


def folder_name(spec: str) -> str:
    """A spec as the name of a folder: itself, with what file systems dislike replaced."""
    return re.sub(r"[^\w.=(),+-]", "_", spec)


def run_all(config: Config, specs: Sequence[str], seeds: int, workdir: Path) -> list[dict]:
    """Makes every run that is not there yet, seed by seed, and returns their summaries.

    A run whose loss becomes NaN or infinite is a miss, and the others go on.
    """
    console = Console(stderr=True, highlight=False)
    summaries = []
    for seed in range(seeds):
        for spec in specs:
            run = dataclasses.replace(config, activation=spec, seed=seed)
            folder = workdir / folder_name(spec) / f"seed{seed}"
            console.print(f"{spec}, seed {seed}:", markup=False)
            try:
                summaries.append(loop.fit(run, folder))
            except NonFiniteLossError as error:
                console.print(f"missed: {error}", markup=False)
                summaries.append(tables.missed(run))
    return summaries


def compare() -> None:
    """Compares as the flags say, prints the table and writes it."""
    config = check(CONFIG.value)
    specs = split_specs(ACTIVATIONS.value)
    dataset = data.title(config.dataset)
    workdir = Path(WORKDIR.value or f"runs/compare-{dataset}-{config.model}")
    summaries = run_all(config, specs, SEEDS.value, workdir)
    rows = tables.aggregate(summaries)
    seeds = "1 seed" if SEEDS.value == 1 else f"{SEEDS.value} seeds: medians, mean error"
    title = f"{config.model} on {dataset}, {config.epochs} epochs, {seeds}"
    Console(highlight=False).print(tables.as_rich(rows, title))
    records.write_text(workdir / "table.md", tables.as_markdown(rows))
    records.write_text(workdir / "table.csv", tables.as_csv(rows))
    print(f"table: {workdir / 'table.md'} and {workdir / 'table.csv'}; runs: {workdir}")


def main(argv: Sequence[str]) -> int:
    del argv
    return command_line.exit_code(compare)


if __name__ == "__main__":
    app.run(main, flags_parser=command_line.parse)
