"""Checkpoints of a run; the only module that knows Orbax."""

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy

from jaxact.training.state import Totals, TrainState

KEPT = 2  # the newest, and the one before it in case the newest is damaged


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """All that a resumed run needs to go on as if it had not stopped.

    Attributes:
      state: of training.
      totals: of the epoch at hand; zero at an epoch's end.
      progress: JSON values: the clock's readings, and the rows of metrics and health so far.
    """

    state: TrainState
    totals: Totals
    progress: dict[str, Any]


class Checkpoints(contextlib.AbstractContextManager["Checkpoints"]):
    """The `checkpoints/` folder of a run, each checkpoint named by its step.

    Saving goes on in the background; leaving the context waits for it.
    """

    def __init__(self, directory: Path):
        self._manager = ocp.CheckpointManager(
            directory.resolve(),
            options=ocp.CheckpointManagerOptions(
                preservation_policy=preservation_policy.LatestN(KEPT),
                cleanup_tmp_directories=True,
            ),
            item_handlers={
                "state": ocp.StandardCheckpointHandler(),
                "progress": ocp.JsonCheckpointHandler(),
            },
        )

    def __exit__(self, *exception: object) -> None:
        self._manager.wait_until_finished()
        self._manager.close()

    def newest_step(self) -> int | None:
        """The step of the newest checkpoint, or None if there is none."""
        return self._manager.latest_step()

    def save(self, snapshot: Snapshot) -> None:
        """Saves a snapshot under its step; its arrays are copied first and may be donated after."""
        tree = jax.tree.map(lambda leaf: np.array(leaf, copy=True), _as_tree(snapshot))
        self._manager.save(
            int(snapshot.state.step),
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(tree), progress=ocp.args.JsonSave(snapshot.progress)
            ),
        )

    def restore(self, like: Snapshot) -> Snapshot:
        """The newest checkpoint, with the structure, shapes and dtypes of `like`."""
        step = self.newest_step()
        restored = self._manager.restore(
            step,
            args=ocp.args.Composite(
                state=ocp.args.StandardRestore(
                    jax.tree.map(ocp.tree.to_shape_dtype_struct, _as_tree(like))
                ),
                progress=ocp.args.JsonRestore(),
            ),
        )
        leaves = jax.tree.leaves(restored["state"])
        state, totals = jax.tree.unflatten(jax.tree.structure((like.state, like.totals)), leaves)
        return Snapshot(state, totals, restored["progress"])


def _as_tree(snapshot: Snapshot) -> list[Any]:
    # Leaves alone: Orbax then needs no knowledge of our classes or of optax's.
    return jax.tree.leaves((snapshot.state, snapshot.totals))
