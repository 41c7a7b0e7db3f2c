"""Experiments performed and drawn as their commands do, without files; runs that are planted."""

import dataclasses
import importlib
import json
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from matplotlib.figure import Figure

from experiments.common import outcomes, published
from experiments.common.outcomes import Outcome
from jaxact.config import Config
from jaxact.errors import Interrupted, NonFiniteLossError
from jaxact.presentation import columns
from jaxact.runs import fit
from jaxact.runs.records import record_files


def perform(experiment: ModuleType, *words: str) -> Outcome:
    """The outcome of a command's words, as JSON would hold it."""
    outcome = experiment.perform(experiment.COMMAND.parse(words))
    told = {name: getattr(outcome, name) for name in ("settings", "rows", "details")}
    return outcome._replace(**json.loads(json.dumps(columns.finite(told), allow_nan=False)))


def drawn(experiment: ModuleType, outcome: Outcome) -> dict[str, Figure]:
    """The figures of an outcome, from what a published `result.json` holds, laid out once."""
    figures = importlib.import_module(experiment.__name__.replace(".experiment", ".figures"))
    content = outcomes.content_of(outcome, {"command": experiment.__name__, "seconds": 1.0})
    made = figures.draw(json.loads(json.dumps(published.rounded(content, 6), allow_nan=False)))
    for figure in made.values():
        figure.draw_without_rendering()
    return made


class Planted:
    """Stands for `jaxact.runs.fit.fit` in a comparison: ends as planted, records alone written.

    Args:
      error: of a configuration, in percent, on validation and test images; nan: the run diverges.
      epoch_to_target: of a configuration; None: it is missed.
      stop_after: calls after which the process gets SIGTERM.
      environment: of every run.

    Attributes:
      calls: the configurations that were trained.
    """

    def __init__(
        self,
        monkeypatch: Any,
        error: Callable[[Config], float],
        epoch_to_target: Callable[[Config], int | None] = lambda config: 1,
        *,
        stop_after: int = -1,
        environment: dict[str, Any] | None = None,
    ):
        self.error, self.epoch_to_target = error, epoch_to_target
        self.stop_after, self.environment = stop_after, environment or {}
        self.calls: list[Config] = []
        monkeypatch.setattr(fit, "fit", self)

    def __call__(self, config: Config, workdir: Path, **_: Any) -> None:
        if len(self.calls) == self.stop_after:
            os.kill(os.getpid(), signal.SIGTERM)
            raise Interrupted("stopped")
        self.calls.append(config)
        error, reached = self.error(config), self.epoch_to_target(config)
        if math.isnan(error):
            raise NonFiniteLossError("the loss became NaN or infinite at step 3; advice")
        workdir.mkdir(parents=True)
        fields = dataclasses.asdict(config)
        rows = [
            {
                "epoch": epoch,
                "train_seconds": epoch / config.batch_size,
                "validation_accuracy": 1 - error / 100,
                "validation_loss": error / 10 + 1 / epoch,
                "test_accuracy": None if epoch < config.epochs else 1 - error / 100,
            }
            for epoch in range(1, config.epochs + 1)
        ]
        summary = {
            "epochs": config.epochs,
            "target_accuracy": config.target_accuracy,
            "reached_target": reached is not None,
            "epoch_to_target": reached,
            "seconds_to_target": None if reached is None else reached / config.batch_size,
            "train_seconds": config.epochs / config.batch_size,
            "compile_seconds": 0.0,
            "wall_seconds": 2.0,
            "test_accuracy": 1 - error / 100,
            "error_percent": error,
            "parameters": 21840,
            "images_per_second": 1000.0,
            "latency_ms": None,
        }
        record_files.write_json(workdir / record_files.CONFIG, fields)
        record_files.write_json(workdir / record_files.ENVIRONMENT, self.environment)
        record_files.write_rows(workdir / record_files.METRICS, rows)
        record_files.write_json(workdir / record_files.SUMMARY, summary)
