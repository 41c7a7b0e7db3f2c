"""python -m benchmarks.start_up: seconds from the command to a trained and recorded step.

Runs `python -m jaxact.main` for one step, with an empty compilation cache (cold) and with the one
that this left (warm), and waits for the first line of `metrics.jsonl`. That is all that a start
holds: Python's imports, reading and checking the data, compilation, one step, and an evaluation of
one batch. VGG-11 reads CIFAR-10 if it is there, all else is scikit-learn's digits.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import results, shared
from benchmarks.contenders.workers import ROOT, WorkerError
from benchmarks.timing import pairing
from jaxact import data
from jaxact.command import Options
from jaxact.runs.process import environment
from jaxact.runs.records import record_files
from jaxact.statistics import quartiles

POLL_SECONDS = 0.01
DATASETS = {"vgg11": "cifar10"}
ONE_STEP = {
    "epochs": 1,
    "train_examples": 128,
    "test_examples": 128,
    "batch_size": 128,
    "latency_samples": 0,
    "health_examples": 0,
}


def dataset_of(model: str) -> str:
    """The data set that a model's own configuration names, if its files are here."""
    wanted = DATASETS.get(model, "digits")
    return wanted if (data.default_data_dir() / wanted).is_dir() else "digits"


def seconds_to_first_row(model: str, activation: str, cache: Path) -> dict[str, float]:
    """Starts one run, and ends it when its first epoch is on disk.

    Raises:
      WorkerError: the run ended without it.
    """
    fields = ONE_STEP | {"model": model, "activation": activation, "dataset": dataset_of(model)}
    with tempfile.TemporaryDirectory() as folder:
        workdir = Path(folder, "run")
        command = [sys.executable, "-m", "jaxact.main", f"--workdir={workdir}"]
        command += [f"--config.{name}={value}" for name, value in fields.items()]
        begin = time.perf_counter()
        process = subprocess.Popen(
            [*command, f"--compilation_cache={cache}"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not (workdir / record_files.METRICS).exists() and process.poll() is None:
            time.sleep(POLL_SECONDS)
        seconds = time.perf_counter() - begin
        _, messages = process.communicate()
        if process.returncode:
            raise WorkerError(f"a run ended with {process.returncode}: {messages.strip()[-300:]}")
        row = record_files.read_rows(workdir / record_files.METRICS)[0]
    return {"seconds": seconds, "compile_seconds": row["compile_seconds"]}


def measure(options: Options) -> dict[str, dict[str, list[Any]]]:
    """Cold and warm starts in turn; each cold one makes the cache of the warm one after it."""
    model, activation = options.model, options.activation
    turns = []
    for _ in range(options.pairs):
        with tempfile.TemporaryDirectory() as cache:
            start = {
                name: lambda: seconds_to_first_row(model, activation, Path(cache))
                for name in ("cold", "warm")
            }
            turns.append(pairing.alternate(start, 1))
    return pairing.joined(turns)


def start_up(options: Options) -> None:
    """Measures as the options say, writes the JSON and prints the table."""
    job = shared.job("start_up", options)
    figures = measure(options)
    rows = [
        {
            "start": name,
            "s to the first epoch's record": quartiles(own["seconds"]),
            "of it compiling": quartiles(own["compile_seconds"]),
        }
        for name, own in figures.items()
    ]
    known = environment.describe()
    path = options.out or results.default_path("start_up", job.model, known["platform"])
    results.publish(
        Path(path),
        "start_up",
        f"Start of a run of one step: {job.model} on {dataset_of(job.model)}, {job.activation}",
        {"model": job.model, "activation": job.activation, "pairs": options.pairs},
        {"jaxact": known},
        rows,
        figures=figures,
    )


COMMAND = shared.command("start_up", __doc__)

if __name__ == "__main__":
    sys.exit(COMMAND.run(start_up))
