"""python -m benchmarks.verdicts [--studies=2000] [--seeds=5,8,12,20] [--tables=alarms,power,...]

How often the verdicts of a comparison are false, and how often they are found: by simulated studies
in which six activations are equal, or differ by so much as makes a verdict false, or one of them is
better by 0.3 points. `coverage`: how many intervals of a mean hold it.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from rich.console import Console
from rich.progress import track

from benchmarks import results, simulated_studies as simulated
from jaxact import statistics
from jaxact.command import Command, Option, Options
from jaxact.errors import ConfigError
from jaxact.presentation.tables import Row
from jaxact.runs.process import environment
from jaxact.statistics import estimates

TABLES = ("alarms", "power", "until", "coverage")
MOST_SEEDS = 30
NEAR = {"all equal": simulated.NONE, "one better by 0.3 points": simulated.PLANTED}


def share(count: int, trials: int) -> str:
    """`4.2 % (3.4-5.2)`, with the exact 95 % interval of a share."""
    low, high = scipy.stats.binomtest(count, trials).proportion_ci()
    return f"{100 * count / trials:.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def alarms(seeds: list[int], studies: int) -> list[Row]:
    """A row a kind of verdict: the share of studies in which it is false, by seeds."""
    return [
        {
            "verdict": kind,
            **{f"{n} seeds": share(simulated.alarms(kind, n, studies), studies) for n in seeds},
        }
        for kind in _followed(simulated.ALARMS, "false verdicts")
    ]


def power(seeds: list[int], studies: int) -> list[Row]:
    found = {n: simulated.found(n, studies) for n in _followed(seeds, "power")}
    return [
        {
            "verdict": "better by 0.3 points, one of six: found",
            **{f"{n} seeds": share(count, studies) for n, count in found.items()},
        }
    ]


def until(studies: int) -> list[Row]:
    """The seeds that `--until=decided` takes for all five comparisons with the baseline."""
    table = []
    for name, errors in _followed(NEAR.items(), "--until"):
        outcomes = simulated.looks(studies, errors, MOST_SEEDS)
        seeds = [n for n, _ in outcomes]
        table.append(
            {
                "studies": name,
                "seeds, median (quartiles)": list(statistics.quartiles(seeds)),
                f"decided with at most {MOST_SEEDS}": share(sum(d for _, d in outcomes), studies),
            }
        )
    return table


def coverage(studies: int) -> list[Row]:
    """The share of intervals of normal means that hold it, beside the names that they are given."""
    table = []
    for n in _followed([5, 6, 8, 10, 12, 15, 20, 30], "coverage"):
        random = np.random.default_rng(n)
        held = 0
        for _ in range(studies):
            interval = statistics.mean(random.normal(0, 1, n))
            held += interval.low <= 0 <= interval.high
        called = {of: statistics.interval_words(n, of) for of in ("mean", "median")}
        table.append({"seeds": n, "of means": share(held, studies), **called})
    return table


def measure(options: Options) -> None:
    """Simulates as the options say, writes the JSON and prints the tables."""
    try:
        seeds = [int(word) for word in options.seeds.split(",")]
    except ValueError:
        raise ConfigError(f"--seeds={options.seeds} must be whole numbers, by commas") from None
    wanted = options.tables.split(",")
    if unknown := set(wanted) - set(TABLES):
        raise ConfigError(f"--tables={options.tables}: {min(unknown)!r} is none of {TABLES}")
    made: dict[str, list[Row]] = {}
    if "coverage" in wanted:
        made["coverage"] = coverage(options.studies)
    estimates.RESAMPLES = 0  # no verdict rests on an interval
    by_table: Mapping[str, Any] = {
        "alarms": lambda: alarms(seeds, options.studies),
        "power": lambda: power(seeds, options.studies),
        "until": lambda: until(options.studies),
    }
    made |= {name: table() for name, table in by_table.items() if name in wanted}
    for name, table in made.items():
        results.publish(
            results.default_path("verdicts", name) if options.out is None else Path(options.out),
            "verdicts",
            f"Verdicts: {name}, {options.studies} studies",
            {"studies": options.studies, "seeds": seeds},
            {"jaxact": environment.describe(deterministic=False)},
            table,
        )


def _followed(items: Any, what: str) -> Any:
    return track(list(items), what, console=Console(stderr=True))


COMMAND = Command(
    "python -m benchmarks.verdicts",
    str(__doc__).partition("\n")[2].strip(),
    {
        "studies": Option(2000, "simulated, of each kind", least=1),
        "seeds": Option("5,8,12,20", "of a study, by commas"),
        "tables": Option(",".join(TABLES), f"of {', '.join(TABLES)}, by commas"),
        "out": Option(None, "the JSON file, of one table", str),
    },
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(measure))
