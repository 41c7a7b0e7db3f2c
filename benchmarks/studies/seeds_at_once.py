"""python -m benchmarks.studies.seeds_at_once [--model=small_cnn] [--counts=2,4,8,16] [...]

The throughput of several runs that one program trains (`--seeds_at_once` of a comparison), over
that of one run alone: above 1, seeds at once are quicker than one after another. On an accelerator
in both forms that their convolutions can have, products of patches and convolutions of groups;
`jaxact.models.convolution.lowering.each_its_kernel` takes the first for narrow ones. All in one
process, in turn.
"""

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
from rich.console import Console
from rich.progress import track

from benchmarks import results, shared
from benchmarks.contenders import jaxact_worker
from benchmarks.contenders.protocol import Job, seconds_a_unit
from benchmarks.timing import pairing
from jaxact.command import Command, Option, Options
from jaxact.errors import ConfigError
from jaxact.runs.process import devices, environment, huge_pages
from jaxact.statistics import quartiles
from jaxact.training import at_once
from jaxact.training.steps import Keys

ALONE = "alone"
FORMS = {"patches": True, "groups": False}  # of convolutions: whether by patches
ON_CPU = {"as a CPU's": True}  # where one form is for all

TAKEN = ("model", "activation", "batch_size", "precision", "examples", "pairs", "seconds", "out")


def counts(options: Options) -> list[int]:
    """The runs that are trained at once, in the order of the table.

    Raises:
      ConfigError: one is no whole number from 2.
    """
    try:
        found = [int(word) for word in options.counts.split(",")]
    except ValueError:
        found = [0]
    if min(found) < 2:
        raise ConfigError(f"--counts={options.counts} must be whole numbers from 2, by commas")
    return found


def trained(job: Job, count: int, by_patches: bool = True) -> jaxact_worker.Training:
    """One run in training, or several at once."""
    config, compiled = jaxact_worker.network(job)
    if count == 1:
        return jaxact_worker.in_training(job, config, compiled, Keys.from_seed(config.seed))
    keys = at_once.stacked(*map(Keys.from_seed, range(count)))
    return jaxact_worker.in_training(job, config, at_once.at_once(compiled, by_patches), keys)


def measure(job: Job, several: list[int], pairs: int) -> dict[str, dict[str, Any]]:
    """One run alone and each number of them in each form: name to count, details and seconds.

    Each is measured beside one alone, in turn, and let go of before the next takes memory.
    """
    forms = ON_CPU if jax.default_backend() == "cpu" else FORMS
    wanted = [(count, form) for count in several for form in forms]
    alone, found = trained(job, 1), {}

    def timer(training: jaxact_worker.Training) -> Any:
        return lambda: {"seconds": seconds_a_unit(training.run, job.seconds)}

    for count, form in track(wanted, "measuring", console=Console(stderr=True)):
        together = trained(job, count, forms[form])
        figures = pairing.alternate({ALONE: timer(alone), form: timer(together)}, pairs)
        found[f"{count}, {form}"] = {
            "count": count,
            "details": together.details,
            "seconds": figures[form]["seconds"],
            "alone_seconds": figures[ALONE]["seconds"],
        }
    return found


def rows(found: Mapping[str, Mapping[str, Any]], batch_size: int) -> list[dict[str, Any]]:
    """A row for each number of runs and form; the first is one alone, from all its turns."""
    alone = quartiles([s for known in found.values() for s in known["alone_seconds"]], 1e3)
    table: list[dict[str, Any]] = [
        {
            "seeds at once": ALONE,
            "ms a step": alone,
            "images/s": 1e3 * batch_size / alone.value,
            "throughput / alone": None,
            "compile s": None,
        }
    ]
    for name, known in found.items():
        milliseconds, count = quartiles(known["seconds"], 1e3), known["count"]
        shares = [count * seconds for seconds in known["alone_seconds"]]
        table.append(
            {
                "seeds at once": name,
                "ms a step": milliseconds,
                "images/s": 1e3 * count * batch_size / milliseconds.value,
                "throughput / alone": pairing.ratio(shares, known["seconds"]),
                "compile s": known["details"]["compile_seconds"],
            }
        )
    return table


def seeds_at_once(options: Options) -> None:
    """Measures as the options say, writes the JSON and prints the table."""
    several = counts(options)
    devices.start()
    unused = {name: row.default for name, row in shared.SHARED.items() if name not in TAKEN}
    job = shared.job("train_step", Options(**(unused | vars(options))))
    found = measure(job, several, options.pairs)
    known = environment.describe()
    words = ("seeds_at_once", job.model, job.activation, job.precision, known["platform"])
    results.publish(
        Path(options.out or results.default_path(*words)),
        "seeds_at_once",
        f"Training of several seeds at once: {job.model}, {job.activation}, {job.precision}",
        {**dataclasses.asdict(job), "counts": several, "pairs": options.pairs},
        {"jaxact": known},
        rows(found, job.batch_size),
        figures={
            name: {key: own[key] for key in ("seconds", "alone_seconds")}
            for name, own in found.items()
        },
    )


COMMAND = Command(
    "python -m benchmarks.studies.seeds_at_once",
    __doc__ or "",
    {name: shared.SHARED[name] for name in TAKEN}
    | {"counts": Option("2,4,8,16", "runs at once, by commas")},
)

if __name__ == "__main__":
    huge_pages.restart()
    devices.take_one()
    sys.exit(COMMAND.run(seeds_at_once))
