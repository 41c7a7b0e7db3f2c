"""The surroundings of a run: versions, devices, settings."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import psutil

import jaxact
from jaxact.runs.process import cores, determinism, devices, huge_pages, shared_machine

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint")


def describe(deterministic: bool = False, count: int | None = None) -> dict[str, Any]:
    """The content of `environment.json`; of a run in several processes, as the first has it.

    Args:
      deterministic: as the configuration has it.
      count: of devices, likewise; None: the one that JAX uses by itself.

    Raises:
      ConfigError: JAXACT_SHARED_MACHINE is neither yes nor no, or there are fewer devices.
    """
    used = devices.used(count)
    device = used[0]
    versions = {name.split("-")[0]: _version(name) for name in PACKAGES}
    return {
        "jaxact": jaxact.__version__,
        "python": platform.python_version(),
        **versions,
        "platform": device.platform,
        "device_kind": device.device_kind,
        "device_count": len(used),
        "devices": [str(device) for device in used],
        "process_count": jax.process_count(),
        "cpu_model": cpu_model(),
        "cpu_count": os.cpu_count(),
        "usable_cpus": usable_cpus(),
        "cores": cores.in_words(cores.usable()),
        "host": platform.node(),
        shared_machine.FIELD: shared_machine.is_shared(),
        shared_machine.AT_ONCE: [],
        "operating_system": f"{platform.system()} {platform.machine()}",
        "huge_pages": "glibc.malloc.hugetlb=1" in os.environ.get(huge_pages.VARIABLE, ""),
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
        "deterministic": determinism.describe(deterministic),
        "matmul_precision": _jax_option("jax_default_matmul_precision") or "default",
        "enable_x64": _jax_option("jax_enable_x64"),
        "prng_implementation": _jax_option("jax_default_prng_impl"),
        "prng_partitionable": _jax_option("jax_threefry_partitionable"),
        **git_state(),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _jax_option(name: str) -> Any:
    return getattr(jax.config, name, None)


def usable_cpus() -> int:
    """The number of processors that this process may use."""
    return len(cores.usable())


def cpu_model() -> str:
    """The processor's name, as its maker has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def in_words(environment: Mapping[str, Any]) -> str:
    """The machine of an `environment.json` in a few words."""
    cpu = f"{environment['cpu_model']}, {environment['cpu_count']} CPUs"
    on_cpu = environment["platform"] == "cpu"
    return cpu if on_cpu else f"{environment['device_kind']} ({cpu})"


def git_state() -> dict[str, Any]:
    """The commit that jaxact runs from, and whether files differ; null outside a checkout."""
    root = Path(__file__).parents[3]

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    unknown = {"git_commit": None, "git_dirty": None}
    if not (root / ".git").exists():
        return unknown
    try:
        changes = git("status", "--porcelain", "--untracked-files=no")
        return {"git_commit": git("rev-parse", "HEAD"), "git_dirty": bool(changes)}
    except (OSError, subprocess.CalledProcessError):
        return unknown


def peak_memory_bytes() -> int:
    """The most memory held at once so far: the accelerator's, or on a CPU this process's."""
    stats = devices.used()[0].memory_stats()
    if stats and "peak_bytes_in_use" in stats:
        return stats["peak_bytes_in_use"]
    try:
        import resource
    except ModuleNotFoundError:  # no POSIX system
        return psutil.Process().memory_info().rss
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes
