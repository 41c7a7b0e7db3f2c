"""Data parallelism: each batch divided among devices, all else on every one of them.

XLA divides the work, from one constraint: the images of a batch, just gathered, lie along the axis
`DATA` of a mesh. Parameters, data set and order are whole on every device, so each takes its share
of the batch from its own memory. A sum over the batch becomes one over devices: of the loss, of
gradients, of BatchNorm's statistics, which are those of the whole batch. The program is that of one
device but for the order of these sums; so are its draws, which belong to places in the batch.

Source: Xu et al. 2021, "GSPMD" (arXiv:2105.04663).
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

DATA = "data"  # the mesh's only axis


def mesh_of(devices: Sequence[Any]) -> Mesh:
    """The devices in a row, along `DATA`."""
    return jax.make_mesh((len(devices),), (DATA,), (AxisType.Auto,), devices=devices)


def everywhere(mesh: Mesh | None) -> NamedSharding | None:
    """The placement of what is whole on every device; None without a mesh."""
    return None if mesh is None else NamedSharding(mesh, PartitionSpec())


def divided(images: Any, mesh: Mesh | None) -> Any:
    """The constraint: arrays `[batch, ...]`, or a tree of them, lie divided along their batch."""
    if mesh is None:
        return images
    return jax.lax.with_sharding_constraint(images, NamedSharding(mesh, PartitionSpec(DATA)))


def replicated(tree: Any, mesh: Mesh | None) -> Any:
    """A tree of arrays on every device of a mesh; without one, on the default device.

    Each process puts what it holds on its own devices, without asking the others: all must hold
    the same.
    """
    placement = everywhere(mesh)
    if mesh is None or placement is None:
        return jax.device_put(tree)

    def put(array: Any) -> jax.Array:
        if isinstance(array, jax.Array) and array.sharding == placement:
            return array
        parts = [jax.device_put(array, device) for device in mesh.local_devices]
        return jax.make_array_from_single_device_arrays(np.shape(array), placement, parts)

    return jax.tree.map(put, tree)


def local(tree: Any) -> Any:
    """A tree of arrays that are whole on every device, as arrays of one device of this process."""
    return jax.tree.map(
        lambda leaf: leaf.addressable_data(0) if isinstance(leaf, jax.Array) else leaf, tree
    )
