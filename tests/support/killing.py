"""Runs that are killed at random moments and started again, and what they must end in."""

import dataclasses
import itertools
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import psutil

from jaxact.runs.records import record_files
from tests.support.commands import Commands, Ended
from tests.support.tiny import FIELDS, words

CLOCKS = ("train_seconds", "eval_seconds", "compile_seconds", "wall_seconds")
TIMES = {*CLOCKS, "health_seconds", "images_per_second"}

SMALL = FIELDS | {"checkpoint_every_epochs": 1}  # so that kills fall between them
# Dropout, BatchNorm, a learnable activation and a schedule are what a resumed run could get wrong.
WITH_DROPOUT = SMALL | {
    "epochs": 12,
    "steps_per_dispatch": 2,
    "activation": "prelu",
    "learning_rate_schedule": "one_cycle",
    "augmentation": "crop_flip",
    "eval_split": "validation",
    "early_stopping_epochs": 12,  # never stops, but keeps the best epoch's parameters
}
CASES: dict[str, dict[str, Any]] = {
    "thin_cnn": WITH_DROPOUT | {"epochs": 6, "early_stopping_epochs": 6},
    "small_cnn": WITH_DROPOUT | {"model": "small_cnn"},
    "vgg11": SMALL
    | {
        "model": "vgg11",
        "epochs": 2,
        "train_examples": 16,
        "test_examples": 8,
        "batch_size": 8,
        "steps_per_dispatch": 1,
        "activation": "prelu",
        "learning_rate_schedule": "cosine",
        "weight_decay": 0.01,
    },
}


def run(
    commands: Commands, workdir: Path, fields: dict[str, Any], kill_after: float | None = None
) -> Ended:
    """Runs `python -m jaxact.main` to its end, or kills it after so many seconds."""
    arguments = f"--workdir={workdir}", *words(**fields)
    return commands.run("jaxact.main", *arguments, kill_after=kill_after)


@dataclasses.dataclass
class Tally:
    """What was counted over killed runs.

    Attributes:
      kills: by how far the run was: "before its first checkpoint", "between checkpoints" or
        "after its last checkpoint".
      runs: killed at least once, and ended.
    """

    kills: dict[str, int] = dataclasses.field(default_factory=dict)
    runs: int = 0

    @property
    def all_kills(self) -> int:
        return sum(self.kills.values())


def kill_and_resume(
    commands: Commands, fields: dict[str, Any], folder: Path, kills: int, seed: int
) -> Tally:
    """Kills runs at random moments until there were `kills`, and compares each with a whole one.

    Raises:
      AssertionError: a run ended in anything but what the whole one did.
    """
    tally, moments = Tally(), random.Random(seed)
    whole = folder / "whole"
    first = run(commands, whole, fields)  # compiles
    assert first.returncode == 0, first.stderr
    lifetime = run(commands, folder / "again", fields)
    assert_same(whole, folder / "again")
    for number in itertools.count():
        workdir = folder / f"killed{number}"
        while tally.all_kills < kills:
            ended = run(commands, workdir, fields, moments.uniform(0, lifetime.seconds))
            if ended.returncode == 0:
                break
            assert ended.returncode == -signal.SIGKILL, ended.stderr
            where = progress_of(workdir, fields["epochs"])
            tally.kills[where] = tally.kills.get(where, 0) + 1
        ended = run(commands, workdir, fields)
        assert ended.returncode == 0, ended.stderr
        assert_same(whole, workdir)
        tally.runs += 1
        if tally.all_kills >= kills:
            return tally
    raise AssertionError


def progress_of(workdir: Path, epochs: int) -> str:
    """How far a killed run was; what it left must be readable, too."""
    for name in (record_files.CONFIG, record_files.ENVIRONMENT, record_files.SUMMARY):
        if (workdir / name).exists():
            record_files.read_json(workdir / name)
    rows = list(rows_of(workdir))
    assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))
    if not checkpoints_of(workdir):
        return "before its first checkpoint"
    return "after its last checkpoint" if len(rows) == epochs else "between checkpoints"


def assert_same(whole: Path, other: Path) -> None:
    """That two workdirs hold the same run: metrics, parameters bit for bit, clocks that go on."""
    assert not list((other / record_files.CHECKPOINTS).glob("damaged-*"))
    without_times = [
        [{k: v for k, v in row.items() if k not in TIMES} for row in rows_of(workdir)]
        for workdir in (whole, other)
    ]
    assert without_times[0] == without_times[1]
    for name in CLOCKS:
        readings = [row[name] for row in rows_of(other)]
        assert readings == sorted(readings)
    states = [final_state(workdir) for workdir in (whole, other)]
    assert jax.tree.structure(states[0]) == jax.tree.structure(states[1])
    jax.tree.map(assert_same_bits, *states)
    first, second = (
        record_files.read_json(workdir / record_files.SUMMARY) for workdir in (whole, other)
    )
    for name in ("epochs", "test_accuracy", "test_loss", "epoch_to_target"):
        assert first[name] == second[name]


def assert_same_bits(first: Any, second: Any) -> None:
    first, second = np.asarray(first), np.asarray(second)
    assert (first.dtype, first.shape) == (second.dtype, second.shape)
    assert first.tobytes() == second.tobytes()


def readers(process: int | None = None) -> list[psutil.Process]:
    """The processes that read images for a process; for this one, if none is given."""
    children = psutil.Process(process).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def rows_of(workdir: Path) -> Iterator[dict[str, Any]]:
    path = workdir / record_files.METRICS
    yield from record_files.read_rows(path) if path.exists() else ()


def checkpoints_of(workdir: Path) -> list[int]:
    folder = workdir / record_files.CHECKPOINTS
    return sorted(int(p.name) for p in folder.glob("*") if p.name.isdecimal())


def final_state(workdir: Path) -> Any:
    """The arrays of the last checkpoint."""
    newest = workdir / record_files.CHECKPOINTS / str(checkpoints_of(workdir)[-1])
    with ocp.StandardCheckpointer() as checkpointer:
        return checkpointer.restore(newest.resolve() / "state")
