"""A run at one moment, and its arrays by name: the content of a checkpoint."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.data import Preprocessing
from jaxact.training.state import Totals, TrainState

Names = Mapping[str, Any]  # nested: a name to an array, or to more names


# The parts of a checkpoint, by name, beside the collections of variables.
STATE = ("step", "params", "opt_state", "average")
BESIDE = ("totals", "best", "preprocessing")


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """All that a resumed run needs to go on as if it had not stopped, and all that predicts.

    Attributes:
      state: of training.
      totals: of the epoch at hand; zero at an epoch's end.
      progress: JSON values: the clock's readings, and the rows of metrics and health so far.
      best: with early stopping, the variables of the epoch with the lowest validation loss so far
        (before the first has ended, the initial ones); None without.
      preprocessing: what normalises images; None: not of interest to who restores it.
    """

    state: TrainState
    totals: Totals
    progress: dict[str, Any]
    best: Any = None
    preprocessing: Preprocessing | None = None

    @property
    def chosen(self) -> TrainState:
        """The state with the parameters that the run ends in: the best epoch's, or the last."""
        return self.state if self.best is None else self.state.evaluating(self.best)

    @property
    def arrays(self) -> dict[str, Any]:
        """All of it but `progress`, by what a checkpoint calls its parts."""
        state = {name: getattr(self.state, name) for name in STATE}
        beside = {name: getattr(self, name) for name in BESIDE}
        return state | self.state.collections | beside


def snapshot_of(names: Names, progress: dict[str, Any], like: Snapshot) -> Snapshot:
    """The snapshot of which a checkpoint holds the arrays, with `like`'s structure and dtypes.

    Raises:
      ValueError: as `restored`.
    """
    arrays = restored(names, like.arrays)
    beside, state = ({name: arrays.pop(name) for name in part} for part in (BESIDE, STATE))
    return Snapshot(TrainState(**state, collections=arrays), progress=progress, **beside)


def named(tree: Any) -> dict[str, Any]:
    """The leaves of a tree in nested dicts, by the keys, fields and places that lead to them.

    What holds no leaf is left out, as an optax state without numbers.

    >>> named({"params": {"kernel": 1.0}, "opt_state": (Preprocessing(2.0, 3.0), {})})
    {'opt_state': {'0': {'mean': 2.0, 'std': 3.0}}, 'params': {'kernel': 1.0}}
    """
    result: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        *folders, name = map(_name, path)
        place = result
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = leaf
    return result


def without_key_types(leaf: Array) -> Array:
    """An array as a file can hold it: of random keys, which some optimizers have, the numbers."""
    is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return jax.random.key_data(leaf) if is_key else leaf


def restored(names: Names, like: Any) -> Any:
    """The tree of which `names` are the `named` leaves, on the devices of `like`.

    Args:
      names: may hold more beside the parts of `like`, not within them.
      like: a dict of what has the structure, shapes, dtypes and devices wanted.

    Raises:
      ValueError: a name is missing, there is one too many, or a shape or dtype is another.
    """
    wanted = named(like)
    parts = {part: names[part] for part in wanted if part in names}
    there, needed = (
        {_text(path) for path, _ in jax.tree_util.tree_flatten_with_path(tree)[0]}
        for tree in (parts, wanted)
    )
    if odd := sorted(there ^ needed):
        raise ValueError(f"{odd[0]} is {'unknown' if odd[0] in there else 'missing'}")

    def leaf(path: tuple[Any, ...], old: Array) -> Array:
        value: Any = names
        for key in path:
            value = value[_name(key)]
        kept = jax.eval_shape(without_key_types, old)
        if (value.shape, value.dtype) != (kept.shape, kept.dtype):
            text = f"{value.dtype}{list(value.shape)}, not {kept.dtype}{list(kept.shape)}"
            raise ValueError(f"{_text(path)} is {text}")
        if kept.dtype != old.dtype:
            value = jax.random.wrap_key_data(value, impl=jax.random.key_impl(old))
        # A copy: what is donated to a step must not be the memory of someone else's array.
        return jax.device_put(jnp.array(value), old.sharding)

    return jax.tree_util.tree_map_with_path(leaf, like)


def _name(key: Any) -> str:
    """The name of a step on the way to a leaf: a dict's key, a field, or a place in a row."""
    for attribute in ("key", "name", "idx"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    raise TypeError(f"{key!r} has no name")


def _text(path: tuple[Any, ...]) -> str:
    return "/".join(map(_name, path))
