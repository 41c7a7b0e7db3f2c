"""Whether a run goes on in the surroundings that it began in: its `environment.json`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jaxact.errors import ConfigError
from jaxact.runs.process import devices, shared_machine
from jaxact.runs.records import record_files, workdirs

# What changes results and is the user's to set: field of `environment.json` to how it is set.
HELD = {
    "enable_x64": "JAX_ENABLE_X64",
    "prng_implementation": "JAX_DEFAULT_PRNG_IMPL",
    "prng_partitionable": "JAX_THREEFRY_PARTITIONABLE",
    "matmul_precision": "JAX_DEFAULT_MATMUL_PRECISION",
    "XLA_FLAGS": "XLA_FLAGS",
}
# What may change the last digits and belongs to the machine, or to what is installed.
NOTED = (
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "device_kind",
    "device_count",
    "process_count",
    "cpu_model",
    "usable_cpus",
    shared_machine.AT_ONCE,
)
# Of XLA_FLAGS: what is dumped, and how many virtual devices there are, as "device_count" tells.
_HARMLESS_FLAGS = ("--xla_dump", devices.VIRTUAL)

Change = tuple[str, Any, Any]  # field, its value there, its value now


def changes(
    stored: Mapping[str, Any], now: Mapping[str, Any], fields: Iterable[str]
) -> list[Change]:
    """The fields that differ; one that an older record lacks is taken to be equal."""
    return [
        (name, stored[name], now[name])
        for name in fields
        if name in stored and _plain(name, stored[name]) != _plain(name, now[name])
    ]


def _plain(name: str, value: Any) -> Any:
    """A value for comparison: the order of flags, and harmless ones, do not count."""
    if name != "XLA_FLAGS":
        return value
    return sorted(flag for flag in value.split() if not flag.startswith(_HARMLESS_FLAGS))


def check(workdir: Path, now: Mapping[str, Any], epochs: int) -> None:
    """Refuses to go on with a run under settings that make it another one.

    Args:
      workdir: passed `jaxact.runs.records.workdirs.check_workdir`.
      now: as in `environment.json`.
      epochs: that the run is to have; one that has them is over, and is not asked.

    Raises:
      ConfigError: a setting of `HELD` is not the one that the run began under.
    """
    summary, path = workdir / record_files.SUMMARY, workdir / record_files.ENVIRONMENT
    if not path.exists() or not workdirs.has_trained(workdir):
        return
    if summary.exists() and record_files.read_json(summary).get("epochs") == epochs:
        return
    refuse_others(workdir, record_files.read_json(path), now)


def refuse_others(workdir: Path, stored: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises ConfigError if a setting of `HELD` is not what it was for the runs of a folder."""
    if changed := changes(stored, now, HELD):
        raise ConfigError(
            f"--workdir={workdir} was trained under {in_words(changed)}: set "
            f"{', '.join(HELD[name] for name, *_ in changed)} as it was, or choose another folder"
        )


def write(workdir: Path, now: Mapping[str, Any], step: int) -> str:
    """Writes `environment.json` of a run that is about to train.

    Where it goes on elsewhere than it began, "resumed" lists the steps at which it did, with what
    was different before. A run that was once made beside other work, or others, stays marked: its
    clocks count on from there.

    Args:
      now: the surroundings.
      step: from which the run goes on; 0: it begins.

    Returns:
      What is different now, in words; "": nothing that may change results.
    """
    path = workdir / record_files.ENVIRONMENT
    stored = record_files.read_json(path) if step and path.exists() else {}
    changed = changes(stored, now, (*HELD, *NOTED))
    resumed = list(stored.get("resumed", []))
    if changed:
        resumed.append({"step": step, "before": {name: old for name, old, _ in changed}})
    if shared_machine.is_marked(stored):
        now = {**now, shared_machine.FIELD: True}
    if shared_machine.is_at_once(stored) and not shared_machine.is_at_once(now):
        now = {**now, shared_machine.AT_ONCE: stored[shared_machine.AT_ONCE]}
    if (most := shared_machine.runs_at_once(stored)) > shared_machine.runs_at_once(now):
        now = {**now, shared_machine.RUNS_AT_ONCE: most}
    record_files.write_json(path, {**now, "resumed": resumed} if resumed else now)
    return in_words(changed)


def in_words(changed: Iterable[Change]) -> str:
    return ", ".join(f"{name} {old!r} (now {new!r})" for name, old, new in changed)


def is_marked(workdir: Path) -> bool:
    """Whether the run of a workdir was made beside other work, as far as its records tell."""
    path = workdir / record_files.ENVIRONMENT
    return path.exists() and shared_machine.is_beside(record_files.read_json(path))
