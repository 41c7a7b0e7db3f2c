"""The one record that a run ends in."""

from typing import Any

from jaxact import models
from jaxact.inference import latency
from jaxact.training import environment
from jaxact.training.checkpoint import Snapshot
from jaxact.training.clock import Clock
from jaxact.training.setup import Setup


def summarize(setup: Setup, clock: Clock, snapshot: Snapshot) -> dict[str, Any]:
    """The run in one record, as in `summary.json`; the latency is measured here."""
    config, rows = setup.config, snapshot.progress["rows"]
    score = f"{config.eval_split}_accuracy"
    reached = next((row for row in rows if row[score] >= config.target_accuracy), None)
    examples = rows[-1]["step"] * config.batch_size

    latency_ms = None
    if config.latency_samples:
        latency_ms = latency.measure(
            setup.program.classifier,
            setup.program.fold(snapshot.state, *setup.train.preprocessing),
            setup.test_images,
            config.latency_samples,
        )
    return {
        "dataset": config.dataset,
        "model": config.model,
        "activation": setup.activation.spec,
        "seed": config.seed,
        "parameters": models.count_parameters(snapshot.state.params),
        "epochs": config.epochs,
        "eval_split": config.eval_split,
        "target_accuracy": config.target_accuracy,
        "reached_target": reached is not None,
        "epoch_to_target": reached and reached["epoch"],
        "seconds_to_target": reached and reached["train_seconds"],
        **clock.readings(),
        "test_loss": rows[-1]["test_loss"],
        "test_accuracy": rows[-1]["test_accuracy"],
        "error_percent": 100 * (1 - rows[-1]["test_accuracy"]),
        "images_per_second": examples / clock.train_seconds,
        "peak_memory_bytes": environment.peak_memory_bytes(),
        "train_memory_bytes": setup.program.train.memory_bytes(),
        "latency_ms": latency_ms,
    }
