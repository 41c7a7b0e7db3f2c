"""python -m benchmarks.studies.growth [--runs=1,12,120,1002] [--epochs=20] [--out=FILE]

The cost of a comparison beside training, as it grows: planning it anew and from a folder that has
all runs, keeping its records while they are made, `study.json`, tables, figures and report. Runs
are planted, with records of the size of real ones, so that nothing is trained.
"""

if __name__ == "__main__":  # before the imports that would fail
    from jaxact.runs.process import start

    start.begin("jinja2", "matplotlib")

import dataclasses
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks import results
from jaxact.command import Command, Option, Options
from jaxact.comparison import study as studies
from jaxact.comparison.engines import making
from jaxact.comparison.engines.engine import Ended, Engine, Work
from jaxact.comparison.live import StudyView
from jaxact.comparison.output import figures, files, report
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.plan import Plan
from jaxact.comparison.study import DONE, Study
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.runs.process import environment
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.records import record_files

LAYERS = ("activation_1", "activation_2", "activation_3")


class Planting(Engine):
    """An engine that plants records in place of training.

    Attributes:
      seconds: that planting itself took.
    """

    def __init__(self, described: dict[str, Any]):
        self._environment = described
        self.seconds = 0.0

    def runs(self, work: Work) -> Iterator[tuple[Config, Ended]]:
        """The runs as they end; see `jaxact.comparison.engines.engine.Engine`."""
        for config in work.configs:
            begin = time.perf_counter()
            plant(config, work.folder(config), self._environment)
            self.seconds += time.perf_counter() - begin
            with work.view.begin_run(config)(config.epochs, 10, 0):
                yield config, Ended(DONE)


def plant(config: Config, folder: Path, described: dict[str, Any]) -> None:
    """Writes the records of a run whose figures follow its activation and its seed."""
    place = PAPER_ACTIVATIONS.index(config.activation)
    random = np.random.default_rng((place, config.seed))
    folder.mkdir(parents=True)
    rows, health = [], []
    for epoch in range(1, config.epochs + 1):
        accuracy = 0.99 - 0.9 * math.exp(-epoch / (2 + 0.1 * place)) - 0.002 * random.random()
        seconds = epoch * (1.0 + 0.05 * place)
        rows.append(
            {
                **{"epoch": epoch, "step": 10 * epoch},
                **dict.fromkeys(("train_loss", "test_loss"), 1 - accuracy),
                **dict.fromkeys(("train_accuracy", "test_accuracy"), accuracy),
                **{"train_seconds": seconds, "eval_seconds": 0.1, "compile_seconds": 1.0},
                **{"wall_seconds": seconds + 1.1, "images_per_second": 1280.0},
            }
        )
        layer = {"dead": 0.1, "saturated": 0.1, "mean": 0.0, "deviation": 1.0, "gradient_norm": 0.1}
        health.append({"epoch": epoch, "layers": [{"layer": n, **layer} for n in LAYERS]})
    last = rows[-1]
    reached = next((r for r in rows if r["test_accuracy"] >= config.target_accuracy), None)
    latency = dict.fromkeys(("mean", "p50", "p90", "p95", "p99", "host_p50"), 0.1 + 0.01 * place)
    summary = {
        **{"dataset": config.dataset, "model": config.model, "activation": config.activation},
        **{"seed": config.seed, "parameters": 21840, "epochs": config.epochs},
        "target_accuracy": config.target_accuracy,
        "reached_target": reached is not None,
        "epoch_to_target": reached and reached["epoch"],
        "seconds_to_target": reached and reached["train_seconds"],
        **{name: last[name] for name in ("train_seconds", "compile_seconds", "wall_seconds")},
        **{name: last[name] for name in ("test_accuracy", "images_per_second")},
        "error_percent": 100 * (1 - last["test_accuracy"]),
        "test_examples": 360,
        "latency_ms": {**latency, "samples": 1000, "dispatch_floor_p50": 0.05},
    }
    record_files.write_json(folder / record_files.CONFIG, dataclasses.asdict(config))
    record_files.write_json(folder / record_files.ENVIRONMENT, described)
    record_files.write_rows(folder / record_files.METRICS, rows)
    record_files.write_rows(folder / record_files.HEALTH, health)
    record_files.write_json(folder / record_files.SUMMARY, summary)


def plan_of(runs: int, epochs: int) -> Plan:
    """The plan of so many runs: of one activation, or of the paper's six in equal parts."""
    names = PAPER_ACTIVATIONS[: min(runs, len(PAPER_ACTIVATIONS))]
    if runs % len(names):
        raise ConfigError(f"--runs: {runs} is neither below 6 nor six times a number of seeds")
    config = Config(dataset="digits", epochs=epochs, target_accuracy=0.95, activation=names[0])
    rate = config.learning_rate
    return Plan(config, ("digits",), (rate,), names, runs // len(names), names[0])


def measure(runs: int, epochs: int) -> dict[str, Any]:
    """The seconds of each step of a comparison of so many runs, and the bytes of its file."""
    seconds: dict[str, float] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        begin = time.perf_counter()
        value = call()
        seconds[name] = time.perf_counter() - begin
        return value

    described = environment.describe()
    with tempfile.TemporaryDirectory() as folder:
        workdir, plan = Path(folder) / "study", plan_of(runs, epochs)
        study: Study = timed("plan", lambda: studies.begin(workdir, plan))
        engine = Planting(described)
        study = timed(
            "keep records",
            lambda: making.make_runs(study, workdir, StopRequest(), engine, (), quiet),
        )
        seconds["keep records"] -= engine.seconds
        timed("save once", lambda: study.save(workdir))
        timed("load", lambda: studies.load(workdir))
        timed("plan again", lambda: studies.begin(workdir, plan))
        timed("tables", lambda: files.write_tables(study, workdir))
        timed("figures", lambda: figures.draw_all(study, workdir / files.FIGURES, False))
        timed("report", lambda: report.write_report(study, workdir))
        size = (workdir / studies.STUDY).stat().st_size
    return {"runs": runs, **seconds, "study.json, MiB": size / 2**20}


def quiet(study: Study) -> StudyView:
    """A view that shows nothing."""
    return StudyView(study, Console(quiet=True))


def growth(options: Options) -> None:
    """Measures as the options say, writes the JSON and prints the table."""
    try:
        counts = [int(word) for word in options.runs.split(",")]
    except ValueError as error:
        raise ConfigError(
            f"--runs={options.runs} must be whole numbers, separated by commas"
        ) from error
    if min(counts) < 1:
        raise ConfigError(f"--runs={options.runs} must be 1 or more each")
    plans = [plan_of(count, options.epochs) for count in counts]
    measure(plans[0].seeds * len(plans[0].activations), options.epochs)  # imports, first use
    table = [measure(count, options.epochs) for count in counts]
    known = environment.describe()
    results.publish(
        Path(options.out or results.default_path("growth", known["platform"])),
        "growth",
        "Seconds beside training, by the runs of a comparison",
        {"runs": counts, "epochs": options.epochs},
        {"jaxact": known},
        table,
    )


COMMAND = Command(
    "python -m benchmarks.studies.growth",
    __doc__ or "",
    {
        "runs": Option("1,12,120,1002", "of the comparisons, separated by commas"),
        "epochs": Option(20, "of each run", least=1),
        "out": Option(None, "JSON file; one in benchmarks/results, if not given", Path),
    },
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(growth))
