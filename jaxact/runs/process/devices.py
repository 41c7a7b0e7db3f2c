"""The devices that a process computes on, out of those that it could see."""

from typing import Any

import jax
import jax.numpy as jnp

OPTIONS = ("jax_cuda_visible_devices", "jax_rocm_visible_devices")


def take_one() -> None:
    """Leaves the machine's other GPUs alone; call it before JAX's first use.

    JAX takes three quarters of the memory of every GPU that it sees, and a run computes on one: the
    first, or the first of those that CUDA_VISIBLE_DEVICES (of ROCm, HIP_VISIBLE_DEVICES) names.
    What the user has told JAX itself, by JAX_CUDA_VISIBLE_DEVICES, stays.
    """
    for option in OPTIONS:
        if jax.config.read(option) == "all":
            jax.config.update(option, "0")


def used() -> list[Any]:
    """The devices that arrays are put on unless one says where: one."""
    return sorted(jnp.zeros(()).devices(), key=lambda device: device.id)
