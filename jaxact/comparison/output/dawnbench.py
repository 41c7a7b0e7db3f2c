"""Runs as entries of DAWNBench: a JSON record and a TSV of its epochs each.

The format of github.com/stanford-futuredata/dawn-bench-entries (README.md, "CIFAR10 Training", and
tests/test_submissions.py): `[author]_[model]_[hardware]_[framework].json` beside a `.tsv` of the
same name with the columns `epoch`, `hours` and `top1Accuracy`, in percent.
"""

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jaxact.comparison.analysis import hidden_seconds, machines
from jaxact.comparison.study import DONE, Run, Study
from jaxact.errors import ConfigError
from jaxact.runs.process import shared_machine
from jaxact.runs.records import record_files

FOLDER = "dawnbench"
VERSION = "v1.0"
COLUMNS = ("epoch", "hours", "top1Accuracy")
DATASETS = {"cifar10": "CIFAR10"}  # as DAWNBench spells it; others keep their name
SECONDS_AN_HOUR = 3600


class Author(NamedTuple):
    name: str
    email: str


def author(name: str | None, email: str | None) -> Author:
    """Who hands in the entries.

    Raises:
      ConfigError: one of the two is missing or is no name or address.
    """
    if not name or not name.strip():
        raise ConfigError("--author=NAME is needed for --format=dawnbench")
    if not email or not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        given = "" if email is None else f" (not {email!r})"
        raise ConfigError(f"--author_email=NAME@HOST is needed for --format=dawnbench{given}")
    return Author(name.strip(), email)


def export(study: Study, folder: Path, author: Author, today: str | None = None) -> list[Path]:
    """Writes an entry for each run that is done, at `DATASET/train/`.

    A run made beside other work has none: an entry is its seconds.

    Args:
      study: with the seconds of its runs.
      today: the date of submission, `yyyy-mm-dd`; the current one, if None.

    Returns:
      The JSON files; a TSV lies beside each.
    """
    timestamp = today or datetime.date.today().isoformat()
    paths = []
    for run in study.with_status(DONE):
        if _is_disturbed(run):
            continue
        place = folder / DATASETS.get(run.dataset, study.plan.title(run.dataset)) / "train"
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{file_name(study, run, author)}.json"
        record_files.write_json(path, entry(study, run, author, timestamp))
        record_files.write_text(path.with_suffix(".tsv"), epochs_text(run))
        paths.append(path)
    return paths


def exported(study: Study, folder: Path, author: Author) -> list[str]:
    """Exports, and says what was written, and what was left out."""
    lines = [f"DAWNBench entries: {len(export(study, folder, author))} in {folder}"]
    done = study.with_status(DONE)
    if left_out := sum(map(_is_disturbed, done)):
        lines.append(
            f"no DAWNBench entries: of {left_out} of {len(done)} runs, made on a machine "
            f"with other work ({shared_machine.VARIABLE}), or at once with others"
        )
    return lines


def _is_disturbed(run: Run) -> bool:
    return hidden_seconds.is_marked(run) or machines.is_beside_others(run)


def entry(study: Study, run: Run, author: Author, timestamp: str) -> dict[str, Any]:
    """The JSON record of a run; what is not asked for stands under `misc`."""
    config, environment = study.plan.config, run.environment
    return {
        "version": VERSION,
        "author": author.name,
        "authorEmail": author.email,
        "framework": f"JAX {environment['jax']}",
        "model": f"{config.model}, {run.activation}",
        "hardware": hardware(environment),
        "timestamp": timestamp,
        "misc": {
            "dataset": run.dataset,
            "activation": run.activation,
            "seed": run.seed,
            "parameters": run.summary["parameters"],
            "optimizer": "Adam" if config.optimizer == "adam" else config.optimizer,
            "learningRate": run.learning_rate,
            "learningRateSchedule": config.learning_rate_schedule,
            "batchSize": config.batch_size,
            "epochs": run.summary["epochs"],
            "targetAccuracy": 100 * run.summary["target_accuracy"],
            "hours": "training steps only; compilation and evaluation are not in them",
            "compileHours": run.summary["compile_seconds"] / SECONDS_AN_HOUR,
            "environment": dict(environment),
        },
    }


def epochs_text(run: Run) -> str:
    """The TSV: a line for each epoch whose test accuracy is known."""
    lines = ["\t".join(COLUMNS)]
    for row in run.metrics:
        if row["test_accuracy"] is not None:
            hours = row["train_seconds"] / SECONDS_AN_HOUR
            lines.append(f"{row['epoch']}\t{hours!r}\t{100 * row['test_accuracy']!r}")
    return "".join(f"{line}\n" for line in lines)


def hardware(environment: Mapping[str, Any]) -> str:
    """`1 NVIDIA H200` or `2 CPU (AMD EPYC)`."""
    if environment["platform"] == "cpu":
        return f"{environment['cpu_count']} CPU ({environment['cpu_model']})"
    return f"{environment['device_count']} {environment['device_kind']}"


def file_name(study: Study, run: Run, author: Author) -> str:
    """`[author]_[model]_[hardware]_[framework]`, the model's part naming the run."""
    environment = run.environment
    count, kind = environment["device_count"], environment["device_kind"]
    if environment["platform"] == "cpu":
        count, kind = environment["cpu_count"], "cpu"
    model = f"{study.plan.config.model}-{study.plan.label(run)}"
    return "_".join(map(_slug, (author.name, model, f"{count}{kind}", "jax")))


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.=]+", "-", text).strip("-") or "x"
