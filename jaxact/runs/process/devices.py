"""The devices that a process computes on, out of those that it could see."""

import os
from typing import Any

import jax
import jax.numpy as jnp

from jaxact.errors import ConfigError

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


def start() -> None:
    """Starts JAX.

    Raises:
      ConfigError: it cannot, on the platform that the user has named or at all; says how to go on.
    """
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:
        names = ("JAX_PLATFORMS", "JAX_PLATFORM_NAME")
        asked = [f"{name}={os.environ[name]}" for name in names if os.environ.get(name)]
        reason = (
            " ".join(str(error).split(" (set JAX_PLATFORMS")[0].split())[:200]
            or "no plugin of JAX for it is installed"
        )
        raise ConfigError(
            f"{' '.join(asked) or 'JAX'} cannot be started on this machine ({reason}); "
            + ("unset it to compute on what is here" if asked else "see JAX's installation guide")
            + ", or JAX_PLATFORMS=cpu for the CPU; for an NVIDIA GPU, install requirements-cuda.txt"
        ) from error


def used() -> list[Any]:
    """The devices that arrays are put on unless one says where: one."""
    return sorted(jnp.zeros(()).devices(), key=lambda device: device.id)
