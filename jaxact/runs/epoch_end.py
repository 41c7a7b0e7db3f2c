"""Measurements at the end of an epoch, and the row that holds them."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxact.compilation.clock import Clock
from jaxact.errors import NonFiniteLossError
from jaxact.runs.loading import evaluation
from jaxact.runs.records.events import Events
from jaxact.runs.setup import Setup
from jaxact.training import health
from jaxact.training.state import Totals, TrainState


class Scores(NamedTuple):
    """An evaluation of a split.

    Attributes:
      figures: loss and accuracy, named after the split.
      classes: the class predicted for each image, in their order, still on the device with blanks.
    """

    figures: dict[str, float]
    classes: jax.Array


class Measured(NamedTuple):
    """The end of an epoch.

    Attributes:
      row: of `metrics.jsonl`; seconds are cumulative.
      classes: those predicted for the test images, where this was the last time that they were
        read; else None.
    """

    row: dict[str, Any]
    classes: np.ndarray | None


def make_row(
    setup: Setup, clock: Clock, state: TrainState, totals: Totals, rows: list[dict[str, Any]]
) -> Measured:
    """Evaluates, and gives what the end of an epoch leaves."""
    config = setup.config
    epoch = len(rows) + 1
    scores: dict[str, float | None] = {}
    classes = None
    for split in setup.evaluations:
        # With a validation split the test set is read once, at the end; with early stopping by
        # the best epoch's parameters, which only the end of the run tells.
        is_end = epoch == config.epochs and config.early_stopping_epochs is None
        if split == config.eval_split or is_end:
            figures, predicted = evaluate(setup, clock, state, split, epoch)
            scores |= figures
            if split == "test" and is_end:
                classes = classes_of_images(setup, predicted)
        else:
            scores |= {f"{split}_loss": None, f"{split}_accuracy": None}
    train_loss, train_accuracy = totals.means()
    seconds = clock.train_seconds - (rows[-1]["train_seconds"] if rows else 0.0)
    row = {
        "epoch": epoch,
        "step": int(state.step),
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        **scores,
        **clock.readings(),
        "images_per_second": None if setup.lanes else int(totals.examples) / seconds,
    }
    return Measured(row, classes)


def classes_of_images(setup: Setup, classes: jax.Array) -> np.ndarray:
    """Predictions on the test batches without those of blanks: `[images]`, as small as they can be.

    Args:
      classes: int32 `[batches, batch]`, as `jaxact.training.steps.evaluate` gives them.
    """
    dtype = np.min_scalar_type(setup.data.num_classes - 1)
    return np.asarray(classes).ravel()[: setup.data.test_examples].astype(dtype)


def evaluate(setup: Setup, clock: Clock, state: TrainState, split: str, epoch: int) -> Scores:
    """Loss, accuracy and predictions on a split.

    Raises:
      NonFiniteLossError: the loss is NaN or infinite.
    """
    batches = setup.evaluations[split]
    measure = evaluation.prepared(setup.program, clock, state, batches)
    with clock.timing("eval_seconds"):
        result = jax.block_until_ready(measure(state, batches))
    loss, accuracy = result.means()
    if not math.isfinite(loss):
        raise NonFiniteLossError(
            f"the {split} loss became NaN or infinite after epoch {epoch}, though the "
            f"training loss is finite ({setup.config.activation}); the checkpoints of "
            "earlier epochs are kept; try a lower --config.learning_rate in a new --workdir"
        )
    return Scores({f"{split}_loss": loss, f"{split}_accuracy": accuracy}, result.classes)


def examine(setup: Setup, clock: Clock, state: TrainState, epoch: int) -> dict[str, Any]:
    """The epoch's row of `health.jsonl`, of a setup with a probe."""
    measure = setup.program.health.prepare(clock, state, setup.probe)
    with clock.timing("health_seconds"):
        return health.as_row(epoch, measure(state, setup.probe))


def write_events(events: Events, step: int, figures: Mapping[str, Any], activation: str) -> None:
    """Adds the figures of an epoch's row to the event file.

    Losses and accuracies stand under the activation as well, "relu/test_loss": one chart for all
    seeds of a function beside the one for all functions.
    """
    scores = {
        f"{activation}/{name}": value
        for name, value in figures.items()
        if name.endswith(("_loss", "_accuracy"))
    }
    for name, value in {**figures, **scores}.items():
        if name not in ("epoch", "step") and value is not None:
            events.add_scalar(name, value, global_step=step)
    events.flush()
