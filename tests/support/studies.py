"""Made-up studies for tests of what is drawn and tabulated from one: no training, no chance.

    study = synthetic_study(activations=3, seeds=5, epochs=8)
    study = synthetic_study(("relu", "tanh"), diverged={("relu", 1)}, never_reach={"tanh"})

`write_study` also lays its runs out in a folder as a comparison leaves them.
"""

import dataclasses
import json
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxact import activations as registry
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING, Plan, Run, Study
from jaxact.config import Config
from jaxact.runs.records import record_files

LAYERS = ("activation_1", "activation_2", "activation_3")
TARGET = 0.95
ENVIRONMENT = {
    "jaxact": "0.0",
    "python": "3.11.0",
    "jax": "0.10.0",
    "platform": "cpu",
    "device_kind": "cpu",
    "device_count": 1,
    "cpu_model": "Made-up processor",
    "cpu_count": 2,
    "git_commit": "0" * 40,
}

Which = Collection[tuple[str, int]]  # (activation, seed)


def specs(count: int) -> tuple[str, ...]:
    """So many different specs: the paper's six, other registered ones, then leaky ReLUs."""
    others = [
        name
        for name in registry.names()
        if name not in PAPER_ACTIVATIONS and registry.get(name).elementwise
    ]
    more = [f"leaky_relu(negative_slope={(k + 1) / 100 + 0.1:g})" for k in range(count)]
    return (*PAPER_ACTIVATIONS, *others, *more)[:count]


def synthetic_study(
    activations: int | Sequence[str] = 6,
    seeds: int = 3,
    epochs: int = 10,
    *,
    datasets: Sequence[str] = ("mnist",),
    learning_rates: Sequence[float] = (1e-3,),
    never_reach: Collection[str] = ("tanh",),
    diverged: Which = (),
    failed: Which = (),
    missing: Which = (),
    health: bool = True,
    latency: bool = True,
    eval_split: str = "test",
    baseline: str | None = None,
    target: float = TARGET,
) -> Study:
    """A study whose runs follow smooth curves; the same arguments give the same numbers.

    Accuracy rises from 0.1 towards 0.999 (0.94 for `never_reach`), the earlier the earlier the
    activation stands in the list; TARGET is 0.95. Seeds move all activations alike (they are
    paired) and each a little.

    Args:
      activations: how many (see `specs`), or the specs themselves, which need not be registered.
      seeds, epochs, datasets, learning_rates: of the plan. The config is the small CNN's.
      never_reach: specs whose runs never reach the target.
      diverged: runs that diverged after half of the epochs (none of 1), on every workload.
      failed, missing: runs of these states, without metrics.
      health: whether runs have health rows (layers LAYERS).
      latency: whether latency was measured.
      eval_split: "validation" leaves test figures for the last epoch alone, as training does.
      baseline: default: the first activation.
      target: an accuracy; with 0.98 a study of MNIST is by the paper's protocol.
    """
    names = specs(activations) if isinstance(activations, int) else tuple(activations)
    plan = Plan(
        config=Config(
            epochs=epochs,
            target_accuracy=target,
            eval_split=eval_split,
            latency_samples=1000 if latency else 0,
        ),
        datasets=tuple(datasets),
        learning_rates=tuple(learning_rates),
        activations=names,
        seeds=seeds,
        baseline=baseline or names[0],
    )
    runs = []
    for config in plan.runs():
        which = (config.activation, config.seed)
        identity: dict[str, Any] = {
            "dataset": config.dataset,
            "learning_rate": config.learning_rate,
            "activation": config.activation,
            "seed": config.seed,
        }
        if which in missing:
            runs.append(Run(**identity))
        elif which in failed:
            runs.append(Run(**identity, status=FAILED, note="OSError: the disk was full"))
        else:
            ended = which not in diverged
            length = epochs if ended else epochs // 2
            rows = _metrics(plan, config, length, config.activation in never_reach)
            note = f"the loss became NaN or infinite at epoch {length + 1}, step 7"
            runs.append(
                Run(
                    **identity,
                    status=DONE if ended else DIVERGED,
                    note="" if ended else note,
                    summary=_summary(plan, config, rows) if ended else {},
                    metrics=rows,
                    health=_health(plan, config, length) if health else (),
                    environment=ENVIRONMENT,
                )
            )
    return Study(plan, tuple(runs))


def swept_study(
    own_rates: Mapping[str, float | None],
    seeds: int = 5,
    rates: Sequence[float] = (1e-3, 1e-2),
    **options: Any,
) -> Study:
    """A study whose first seed has chosen a rate for each activation; None: not yet.

    Args:
      options: of `synthetic_study`.
    """
    study = synthetic_study(
        tuple(own_rates), seeds + 1, learning_rates=rates, eval_split="validation", **options
    )
    chosen = tuple(
        (place, spec, rate)
        for place in range(len(study.plan.datasets))
        for spec, rate in own_rates.items()
        if rate is not None
    )
    plan = dataclasses.replace(study.plan, seeds=seeds, rate_seeds=1, own_rates=chosen)
    identity = lambda run: (run.dataset, run.learning_rate, run.activation, run.seed)  # noqa: E731
    runs = {identity(run): run for run in study.runs}
    return Study(plan, tuple(runs[identity(config)] for config in plan.runs()))


def write_study(study: Study, workdir: Path) -> Path:
    """Writes `study.json` and every run's files where `read_run` looks for them."""
    workdir.mkdir(parents=True, exist_ok=True)
    for run, config in zip(study.runs, study.plan.runs(), strict=True):
        if run.status == MISSING:
            continue
        folder = workdir / study.plan.folder(config)
        folder.mkdir(parents=True)
        for name, rows in ((record_files.METRICS, run.metrics), (record_files.HEALTH, run.health)):
            if rows:
                text = "".join(json.dumps(row) + "\n" for row in rows)
                (folder / name).write_text(text, encoding="utf-8")
        for name, record in (
            (record_files.SUMMARY, run.summary),
            (record_files.ENVIRONMENT, run.environment),
        ):
            if record:
                record_files.write_json(folder / name, record)
    study.save(workdir)
    return workdir


def _random(plan: Plan, config: Config, stream: int) -> tuple[np.random.Generator, int]:
    """A run's own random numbers, and the position of its activation."""
    position = plan.activations.index(config.activation)
    key = (
        stream,
        plan.datasets.index(config.dataset),
        plan.learning_rates.index(config.learning_rate),
        position,
        config.seed,
    )
    return np.random.default_rng(key), position


def _metrics(plan: Plan, config: Config, length: int, never: bool) -> tuple[dict[str, Any], ...]:
    random, position = _random(plan, config, 0)
    shared = np.random.default_rng((1, config.seed)).normal(0, 0.003)
    ceiling = 0.94 if never else 0.999
    pace = (1 + 0.08 * position + 0.3 * plan.datasets.index(config.dataset)) * 1.5
    pace *= 1 + 10 * abs(shared)
    seconds = 0.0
    rows = []
    for epoch in range(1, length + 1):
        accuracy = ceiling - (ceiling - 0.1) * math.exp(-epoch / pace)
        accuracy = float(min(accuracy + min(shared, 0) + random.normal(0, 0.001), ceiling))
        seconds += float(2.0 + 0.02 * position + random.uniform(0, 0.05))
        row: dict[str, Any] = {
            "epoch": epoch,
            "step": 100 * epoch,
            "train_loss": 2.0 * (1.02 - accuracy),
            "train_accuracy": max(accuracy - 0.01, 0.0),
        }
        shown = {f"{config.eval_split}_loss", f"{config.eval_split}_accuracy"}
        for split in dict.fromkeys((config.eval_split, "test")):
            row |= {f"{split}_loss": 2.2 * (1.01 - accuracy), f"{split}_accuracy": accuracy}
        if epoch < config.epochs:
            row |= {name: None for name in ("test_loss", "test_accuracy") if name not in shown}
        row |= {
            "train_seconds": seconds,
            "eval_seconds": 0.2 * epoch,
            "compile_seconds": 1.5,
            "wall_seconds": seconds + 0.2 * epoch + 2.0,
            "images_per_second": 100 * config.batch_size * epoch / seconds,
        }
        rows.append(row)
    return tuple(rows)


def _summary(plan: Plan, config: Config, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    random, position = _random(plan, config, 2)
    score = f"{config.eval_split}_accuracy"
    reached = next((row for row in rows if row[score] >= config.target_accuracy), None)
    mean = 0.1 + 0.004 * position + float(random.uniform(0, 0.002))
    last = rows[-1]
    return {
        "dataset": config.dataset,
        "model": config.model,
        "activation": config.activation,
        "seed": config.seed,
        "parameters": 21840,
        "epochs": config.epochs,
        "eval_split": config.eval_split,
        "target_accuracy": config.target_accuracy,
        "reached_target": reached is not None,
        "epoch_to_target": reached and reached["epoch"],
        "seconds_to_target": reached and reached["train_seconds"],
        **{f"{name}_seconds": last[f"{name}_seconds"] for name in ("train", "eval", "compile")},
        "wall_seconds": last["wall_seconds"],
        "test_loss": last["test_loss"],
        "test_accuracy": last["test_accuracy"],
        "error_percent": 100 * (1 - last["test_accuracy"]),
        "images_per_second": last["step"] * config.batch_size / last["train_seconds"],
        "peak_memory_bytes": 250_000_000,
        "latency_ms": {
            "mean": mean,
            "p50": 0.98 * mean,
            "p90": 1.1 * mean,
            "p95": 1.2 * mean,
            "p99": 1.5 * mean,
            "samples": config.latency_samples,
            "host_p50": 1.3 * mean,
            "dispatch_floor_p50": 0.05,
        }
        if config.latency_samples
        else None,
        "compilation_cache": "cold",
    }


def _health(plan: Plan, config: Config, length: int) -> tuple[dict[str, Any], ...]:
    random, position = _random(plan, config, 3)
    rows = []
    for epoch in range(1, length + 1):
        layers = [
            {
                "layer": name,
                "dead": min(0.02 * depth * position + 0.01 * epoch, 1.0),
                "saturated": min(0.05 * position / (depth + 1) + 0.005 * epoch, 1.0),
                "mean": float(random.normal(0.1 * depth, 0.01)),
                "deviation": 1.0 + 0.1 * depth,
                "gradient_norm": 10.0 ** -(depth + 0.1 * epoch),
            }
            for depth, name in enumerate(LAYERS)
        ]
        rows.append({"epoch": epoch, "layers": layers})
    return tuple(rows)
