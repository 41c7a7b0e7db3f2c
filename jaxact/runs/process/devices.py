"""The devices that a process computes on, out of those that it could see."""

import os
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from jaxact.errors import ConfigError
from jaxact.training import data_parallel

OPTIONS = ("jax_cuda_visible_devices", "jax_rocm_visible_devices")
VIRTUAL = "--xla_force_host_platform_device_count"  # of CPUs: a flag of XLA_FLAGS
_taken: dict[str, str] = {}  # what this module has told JAX


def take_one() -> None:
    """Leaves the machine's other GPUs alone; call it before JAX's first use.

    JAX takes three quarters of the memory of every GPU that it sees, and a run computes on one,
    unless it says otherwise: the first, or the first of those that CUDA_VISIBLE_DEVICES (of ROCm,
    HIP_VISIBLE_DEVICES) names. What the user has told JAX itself, by JAX_CUDA_VISIBLE_DEVICES,
    stays.
    """
    take(1)


def take(count: int | None) -> None:
    """Has JAX see so many GPUs, the first ones; those that `take_one` had left are given back.

    Args:
      count: None: as many as there are.
    """
    visible = "all" if count is None else ",".join(map(str, range(count)))
    for option in OPTIONS:
        if jax.config.read(option) in ("all", _taken.get(option)):
            jax.config.update(option, visible)
            _taken[option] = visible


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


def used(count: int | None = None) -> list[Any]:
    """The devices that a run of so many computes on; None: where JAX puts arrays by itself, one."""
    chosen = None if count is None else mesh(count)
    return [*jnp.zeros(()).devices()] if chosen is None else [*chosen.devices.flat]


def mesh(count: int) -> Mesh | None:
    """The devices of a run in a row, as many of each process; None for one device of one process.

    Args:
      count: of all processes together.

    Raises:
      ConfigError: there are fewer, or they cannot be shared evenly among the processes.
    """
    processes = jax.process_count()
    if count == processes == 1:
        return None
    if count % processes:
        raise ConfigError(
            f"config.devices={count} must be a multiple of {processes}, the number of processes, "
            "each of which has as many"
        )
    each = count // processes
    there = [
        [device for device in jax.devices() if device.process_index == index]
        for index in range(processes)
    ]
    fewest = min(map(len, there))
    if fewest < each:
        raise ConfigError(f"config.devices={count}: {_too_few(fewest, each, processes)}")
    return data_parallel.mesh_of([device for own in there for device in own[:each]])


def _too_few(there: int, each: int, processes: int) -> str:
    """The devices that are there instead, and the way to go on."""
    platform = jax.default_backend()
    whose = "a process sees" if processes > 1 else "JAX sees"
    devices = f"{there} device{'s' * (there != 1)}"
    virtual = f"XLA_FLAGS={VIRTUAL}={each}"
    if platform == "cpu":
        return f"{whose} {devices} ({platform}); for virtual ones, to try it, set {virtual}"
    return (
        f"{whose} {devices} ({platform}); ask for fewer, look at CUDA_VISIBLE_DEVICES, or, to try "
        f"it on virtual ones, set JAX_PLATFORMS=cpu {virtual}"
    )
