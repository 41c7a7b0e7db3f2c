"""Measurements at the end of an epoch, and the row that holds them."""

import math
from collections.abc import Mapping
from typing import Any

import jax

from jaxact.compilation.clock import Clock
from jaxact.errors import NonFiniteLossError
from jaxact.runs.records.events import Events
from jaxact.runs.setup import Setup
from jaxact.training import health
from jaxact.training.state import Totals, TrainState


def make_row(
    setup: Setup, clock: Clock, state: TrainState, totals: Totals, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """Evaluates and gives the epoch's row of `metrics.jsonl`; seconds are cumulative."""
    config = setup.config
    epoch = len(rows) + 1
    scores: dict[str, float | None] = {}
    for split in setup.evaluations:
        # With a validation split the test set is read once, at the end; with early stopping by
        # the best epoch's parameters, which only the end of the run tells.
        is_end = epoch == config.epochs and config.early_stopping_epochs is None
        if split == config.eval_split or is_end:
            scores |= evaluate(setup, clock, state, split, epoch)
        else:
            scores |= {f"{split}_loss": None, f"{split}_accuracy": None}
    train_loss, train_accuracy = totals.means()
    seconds = clock.train_seconds - (rows[-1]["train_seconds"] if rows else 0.0)
    return {
        "epoch": epoch,
        "step": int(state.step),
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        **scores,
        **clock.readings(),
        "images_per_second": int(totals.examples) / seconds,
    }


def evaluate(
    setup: Setup, clock: Clock, state: TrainState, split: str, epoch: int
) -> dict[str, float]:
    """Loss and accuracy on a split, named after it.

    Raises:
      NonFiniteLossError: the loss is NaN or infinite.
    """
    batches = setup.evaluations[split]
    measure = setup.program.evaluate.prepare(clock, state, batches)
    with clock.timing("eval_seconds"):
        result = jax.block_until_ready(measure(state, batches))
    loss, accuracy = result.means()
    if not math.isfinite(loss):
        raise NonFiniteLossError(
            f"the {split} loss became NaN or infinite after epoch {epoch}, though the "
            f"training loss is finite ({setup.config.activation}); the checkpoints of "
            "earlier epochs are kept; try a lower --config.learning_rate in a new --workdir"
        )
    return {f"{split}_loss": loss, f"{split}_accuracy": accuracy}


def examine(setup: Setup, clock: Clock, state: TrainState, epoch: int) -> dict[str, Any]:
    """The epoch's row of `health.jsonl`, of a setup with a probe."""
    measure = setup.program.health.prepare(clock, state, setup.probe)
    with clock.timing("health_seconds"):
        return health.as_row(epoch, measure(state, setup.probe))


def write_events(events: Events, step: int, figures: Mapping[str, Any]) -> None:
    for name, value in figures.items():
        if name not in ("epoch", "step") and value is not None:
            events.add_scalar(name, value, global_step=step)
    events.flush()
