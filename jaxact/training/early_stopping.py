"""When to stop before the last epoch, and which epoch was the best: functions of the rows so far.

Both follow from `metrics.jsonl` alone, so that a resumed run decides as an uninterrupted one does.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def best_epoch(rows: Sequence[Mapping[str, Any]]) -> int:
    """The epoch, from 1, with the lowest validation loss; the first of equal ones.

    Args:
      rows: as in `metrics.jsonl`, one an epoch, at least one.
    """
    return min(rows, key=lambda row: row["validation_loss"])["epoch"]


def is_over(rows: Sequence[Mapping[str, Any]], patience_epochs: int | None) -> bool:
    """Whether so many epochs have passed since the best one; never if the patience is None.

    Source: Goodfellow, Bengio and Courville 2016 (Deep Learning), algorithm 7.1.
    """
    if patience_epochs is None or not rows:
        return False
    return rows[-1]["epoch"] - best_epoch(rows) >= patience_epochs
