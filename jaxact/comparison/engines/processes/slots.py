"""The slots of this machine: cores, or a GPU, of its own for each of the runs made at once."""

import importlib.util
import json
import os
import subprocess
import sys

import jax

from jaxact.comparison.engines.processes.worker_process import Slot
from jaxact.errors import ConfigError
from jaxact.runs.process import cores, determinism

VISIBLE = "CUDA_VISIBLE_DEVICES"
CUDA_PLUGINS = ("jax_cuda12_plugin", "jax_cuda13_plugin")
LOOK_SECONDS = 120.0  # for JAX to say which devices it has
_LOOK = "import json, jax; print(json.dumps([device.platform for device in jax.local_devices()]))"


def slots(parallel: int, cpus_per_run: int | None, gpus_per_run: int | None) -> list[Slot]:
    """So many slots; where there are GPUs, each with as many as a run is to have.

    Where they have GPUs, this process computes on the CPU from then on, so as to hold none: call it
    before JAX starts.

    Args:
      cpus_per_run: cores of each; None: all that can be used here are shared out.
      gpus_per_run: GPUs of each; None: one, where there are any.

    Raises:
      ConfigError: there is not enough for each to have its own, or this process holds a GPU.
    """
    size = cpus_per_run or max(len(cores.usable()) // parallel, 1)
    of_cores = cores.disjoint(parallel, size)
    found = gpus() if gpus_per_run != 0 else []
    if not found:
        if gpus_per_run:
            raise ConfigError(
                f"--gpus_per_run={gpus_per_run}: JAX finds no GPU here; leave it out to compute on "
                "the CPU"
            )
        return [Slot(own, {"JAX_PLATFORMS": "cpu"}) for own in of_cores]
    each = gpus_per_run or 1
    if parallel * each > len(found):
        most = len(found) // each
        raise ConfigError(
            f"--parallel={parallel} needs {parallel * each} GPUs, and there "
            f"{'is' if len(found) == 1 else 'are'} {len(found)}: give at most "
            f"--parallel={max(most, 1)}, or --gpus_per_run=0 to compute on cores"
        )
    if determinism.backend_is_up() and jax.default_backend() != "cpu":
        raise ConfigError(
            f"--parallel={parallel} gives each run a GPU of its own, and this process holds one: "
            "start it anew, and compare before anything is computed in it"
        )
    jax.config.update("jax_platforms", "cpu")
    shares = [found[place * each :][:each] for place in range(parallel)]
    return [
        Slot(own, {VISIBLE: ",".join(names)}) for own, names in zip(of_cores, shares, strict=True)
    ]


def gpus() -> list[str]:
    """The NVIDIA GPUs that JAX can compute on, asked in a process of its own, so as to hold none.

    By their names in CUDA_VISIBLE_DEVICES. None where JAX is told to use the CPU, or has no plugin.
    """
    platforms = jax.config.jax_platforms or os.environ.get("JAX_PLATFORMS", "")
    has_plugin = any(importlib.util.find_spec(name) for name in CUDA_PLUGINS)
    if platforms.split(",")[0] == "cpu" or not has_plugin:
        return []
    try:
        done = subprocess.run(
            [sys.executable, "-c", _LOOK],
            env={**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"},
            capture_output=True,
            text=True,
            timeout=LOOK_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(
            "JAX cannot be asked which GPUs it has "
            f"({(getattr(error, 'stderr', '') or str(error)).strip().splitlines()[-1]}); "
            "--gpus_per_run=0 computes on cores"
        ) from error
    count = json.loads(done.stdout.splitlines()[-1]).count("gpu")
    visible = [name for name in os.environ.get(VISIBLE, "").split(",") if name]
    return visible[:count] or [str(place) for place in range(count)]
