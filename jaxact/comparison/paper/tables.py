"""The paper's measurements: its Tables 3 and 4, and the six activations it compares.

"Impact of activation functions in convolution neural networks": one run a cell, Adam, batch 128, on
a Ryzen 5 1600 with a GTX 1060 6 GB. The learning rate and the augmentation are not stated.
"""

import datetime
from collections.abc import Mapping
from typing import NamedTuple

PAPER_ACTIVATIONS = ("relu", "tanh", "selu", "prelu", "elu", "leaky_relu")


class PaperRow(NamedTuple):
    """A row of Table 3 or 4.

    Attributes:
      train_seconds: total training time.
      latency_ms: to classify one sample.
      epoch_to_target: the first epoch whose test accuracy is at the target; None: never.
      seconds_to_target: training time to there; None: never.
      error_percent: the final error rate.
    """

    train_seconds: float
    latency_ms: float
    epoch_to_target: int | None
    seconds_to_target: float | None
    error_percent: float


class PaperTable(NamedTuple):
    """A table of the paper; `rows` by the specs of its activations."""

    title: str
    dataset: str
    model: str
    epochs: int
    target_accuracy: float
    rows: Mapping[str, PaperRow]


def seconds(text: str) -> float:
    """A time as the paper prints it, `h:mm:ss`, in seconds."""
    hours, minutes, rest = map(int, text.split(":"))
    return datetime.timedelta(hours=hours, minutes=minutes, seconds=rest).total_seconds()


def _row(
    total: str, latency_ms: float, epoch: int | None, to_target: str | None, error_percent: float
) -> PaperRow:
    at_target = None if to_target is None else seconds(to_target)
    return PaperRow(seconds(total), latency_ms, epoch, at_target, error_percent)


TABLE_3 = PaperTable(
    title="Table 3",
    dataset="mnist",
    model="small_cnn",
    epochs=10,
    target_accuracy=0.98,
    rows={
        "relu": _row("0:01:48", 0.14975, 9, "0:01:38", 1.73),
        "tanh": _row("0:01:50", 0.15276, None, None, 2.09),
        "selu": _row("0:01:48", 0.14916, 7, "0:01:16", 1.62),
        "prelu": _row("0:01:51", 0.14734, 5, "0:00:56", 1.41),
        "elu": _row("0:01:48", 0.14927, 8, "0:01:26", 1.63),
        "leaky_relu": _row("0:01:48", 0.14856, 7, "0:01:16", 1.50),
    },
)

TABLE_4 = PaperTable(
    title="Table 4",
    dataset="cifar10",
    model="vgg11",
    epochs=50,
    target_accuracy=0.87,
    rows={
        "relu": _row("0:47:38", 0.324384, 15, "0:14:28", 9.91),
        "tanh": _row("0:48:30", 0.3282, 35, "0:33:47", 12.58),
        "selu": _row("0:48:35", 0.325202, 23, "0:22:16", 12.07),
        "prelu": _row("0:49:25", 0.327518, 21, "0:20:42", 10.77),
        "elu": _row("0:47:53", 0.323012, 21, "0:20:11", 11.07),
        "leaky_relu": _row("0:48:16", 0.32579, 14, "0:13:39", 9.57),
    },
)

TABLES = (TABLE_3, TABLE_4)


def table_of(dataset: str, model: str) -> PaperTable | None:
    """The paper's table of a data set and its model, or None if it has none."""
    return next(
        (table for table in TABLES if (table.dataset, table.model) == (dataset, model)), None
    )
