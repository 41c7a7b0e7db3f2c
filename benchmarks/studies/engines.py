"""python -m benchmarks.studies.engines [--config=configs/mnist.py] [--parallel=2] [--pairs=1] ...

The seconds of a whole comparison made by one process, and by several at once with cores of their
own: the command `experiments.compare` from its start to its report, in turn. The first of each is
not counted: it compiles for the others.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.contenders.workers import ROOT
from benchmarks.timing import pairing
from jaxact.command import Command, Option, Options
from jaxact.comparison import study as studies
from jaxact.comparison.study import DONE
from jaxact.errors import JaxactError
from jaxact.runs.process import environment
from jaxact.statistics import quartiles

ALONE = "one after the other"


class ComparisonFailed(JaxactError):
    """A comparison that was to be timed has ended in an error."""


def measure(words: list[str], folder: Path) -> dict[str, float]:
    """Makes a comparison in a new folder, and gives its seconds and those of its runs' training.

    Raises:
      ComparisonFailed: it ended in an error, or lacks runs.
    """
    command = [sys.executable, "-m", "experiments.compare", f"--workdir={folder}", *words]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise ComparisonFailed(f"{' '.join(words)}: {done.stderr.strip().splitlines()[-1]}")
    runs = studies.load(folder).runs
    if any(run.status != DONE for run in runs):
        raise ComparisonFailed(f"{' '.join(words)}: not all runs are done")
    return {
        "seconds": seconds,
        "train_seconds": sum(run.summary["train_seconds"] for run in runs) / len(runs),
    }


def engines(options: Options) -> None:
    """Measures as the options say, writes the JSON and prints the table."""
    words = [
        f"--config={options.config}",
        f"--seeds={options.seeds}",
        f"--config.epochs={options.epochs}",
        f"--config.latency_samples={options.latency_samples}",
    ]
    at_once = f"{options.parallel} at once"
    ways = {ALONE: [], at_once: [f"--parallel={options.parallel}"]}
    with tempfile.TemporaryDirectory(dir=options.folder or None) as place:
        count = iter(range(sys.maxsize))

        def timed(more: list[str]) -> dict[str, float]:
            return measure([*words, *more], Path(place) / str(next(count)))

        for more in ways.values():
            timed(more)
        figures = pairing.alternate(
            {name: lambda more=more: timed(more) for name, more in ways.items()}, options.pairs
        )
    table: list[dict[str, Any]] = [
        {
            "runs": name,
            "s of the comparison": quartiles(known["seconds"]),
            "s of training a run": quartiles(known["train_seconds"]),
            f"it / {ALONE}": None
            if name == ALONE
            else pairing.ratio(known["seconds"], figures[ALONE]["seconds"]),
        }
        for name, known in figures.items()
    ]
    known = environment.describe()
    settings = {n: getattr(options, n) for n in ("config", "seeds", "epochs", "parallel", "pairs")}
    title = Path(options.config).stem
    results.publish(
        Path(options.out or results.default_path("engines", title, known["platform"])),
        "engines",
        f"A comparison of {6 * options.seeds} runs, {title}: {os.cpu_count()} CPUs",
        settings,
        {"jaxact": known},
        table,
        figures=figures,
    )


COMMAND = Command(
    "python -m benchmarks.studies.engines",
    __doc__ or "",
    {
        "config": Option("configs/mnist.py", "of the comparison, of the paper's six activations"),
        "seeds": Option(2, "runs of each", least=1),
        "epochs": Option(2, "of each run", least=1),
        "latency_samples": Option(0, "of each run", least=0),
        "parallel": Option(2, "runs made at once", least=2),
        "pairs": Option(3, "comparisons of each, in turn", least=1),
        "folder": Option(None, "for the comparisons; the system's, if not given", Path),
        "out": Option(None, "JSON file; one in benchmarks/results, if not given", Path),
    },
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(engines))
