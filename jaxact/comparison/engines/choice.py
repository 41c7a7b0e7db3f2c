"""The engine that the options of a comparison ask for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax

from jaxact.command import Option
from jaxact.comparison.engines import lanes
from jaxact.comparison.engines.clusters.on_ray import OnRay
from jaxact.comparison.engines.clusters.on_slurm import CLUSTERS, SLURM as SLURM_CLUSTER, OnSlurm
from jaxact.comparison.engines.engine import Engine
from jaxact.comparison.engines.processes.slots import slots
from jaxact.comparison.engines.processes.workers import Workers
from jaxact.errors import ConfigError
from jaxact.runs.process import determinism
from jaxact.specs import split_list

LOCAL, RAY, SLURM = "local", "ray", "slurm"
OPTIONS = {
    "engine": Option(
        LOCAL,
        "what makes the runs: processes of this machine or tasks and jobs",
        (LOCAL, RAY, SLURM),
    ),
    "parallel": Option(
        None,
        "runs made at once, each with cores, or a GPU, of its own; if not given, on this machine "
        "one after the other, else as many as there is room for",
        int,
        least=1,
    ),
    "cpus_per_run": Option(
        None,
        "cores of each; if not given, on this machine all are shared out, else 1",
        int,
        least=1,
    ),
    "gpus_per_run": Option(
        None, "GPUs of each; if not given, one on a machine that has any, else 0", int, least=0
    ),
    "address": Option(
        None,
        "with --engine=ray: of the cluster, auto or HOST:PORT; one is started on this machine, if "
        "not given",
        str,
    ),
    "storage": Option(
        None,
        "with --engine=ray: a folder that all nodes see, in which runs are made, so that one whose "
        "node dies goes on from its last checkpoint",
        Path,
    ),
    "slurm_cluster": Option(
        None,
        "with --engine=slurm: slurm, if not given; or the same jobs on this machine, for trying",
        CLUSTERS,
    ),
    "slurm_partition": Option(None, "with --engine=slurm: of the jobs", str),
    "slurm_minutes": Option(
        None,
        "with --engine=slurm: the time limit of a job, after which it is queued again; 60, if not "
        "given",
        int,
        least=1,
    ),
    "slurm_parameters": Option(
        None, "with --engine=slurm: more options of sbatch, such as mem=16G,account=lab", str
    ),
    "compile_ahead": Option(
        None,
        "programs of activations to come that are compiled at once, in threads, while one "
        "trains; up to 4 on an accelerator, by the processor's cores, if not given; on a CPU 0",
        int,
        least=0,
    ),
    **lanes.OPTIONS,
}
# The options that an engine has, beside `engine`.
_COMMON = {"parallel", "cpus_per_run", "gpus_per_run"}
_OF_ONE_PROCESS = {"compile_ahead", *lanes.OPTIONS}
TAKEN = {
    LOCAL: _COMMON | _OF_ONE_PROCESS,
    RAY: _COMMON | {"address", "storage"},
    SLURM: _COMMON | {name for name in OPTIONS if name.startswith("slurm_")},
}


def engine_of(options: Mapping[str, Any]) -> Engine:
    """The engine, ready to be used; call it before JAX starts.

    Args:
      options: by the names of `OPTIONS`; others are left alone.

    Raises:
      ConfigError: one does not go with the engine, or there is not what it asks for.
    """
    name = options["engine"]
    given = {key: options[key] for key in OPTIONS if options[key] != OPTIONS[key].default}
    given.pop("engine", None)
    for key, value in given.items():
        if key not in TAKEN[name]:
            engines = " or ".join(f"--engine={other}" for other in TAKEN if key in TAKEN[other])
            raise ConfigError(f"--{key}={value} is of use with {engines} alone: leave it out")
    if name != LOCAL:
        engine = _on_ray(given) if name == RAY else _on_slurm(given)
        if not determinism.backend_is_up():
            jax.config.update("jax_platforms", "cpu")  # to hold no GPU that a run may have
        return engine
    parallel = given.get("parallel", 1)
    if parallel == 1 and not {"cpus_per_run", "gpus_per_run"} & given.keys():
        count, on_cpu = options["seeds_at_once"], options["seeds_at_once_on_cpu"]
        return lanes.engine_of(count, on_cpu, given.get("compile_ahead"))
    if wrong := sorted(_OF_ONE_PROCESS & given.keys()):
        raise ConfigError(
            f"--{wrong[0]}={given[wrong[0]]} is of use where one process makes all runs: leave it "
            f"out, or --parallel={parallel}"
        )
    return Workers(slots(parallel, given.get("cpus_per_run"), given.get("gpus_per_run")))


def _on_ray(given: Mapping[str, Any]) -> OnRay:
    storage = given.get("storage")
    return OnRay(
        given.get("address"),
        given.get("parallel"),
        given.get("cpus_per_run", 1),
        given.get("gpus_per_run", 0),
        None if storage is None else Path(storage),
    )


def _on_slurm(given: Mapping[str, Any]) -> OnSlurm:
    cluster = given.get("slurm_cluster", SLURM_CLUSTER)
    parameters: dict[str, Any] = {}
    if "slurm_partition" in given:
        parameters["slurm_partition"] = given["slurm_partition"]
    if text := given.get("slurm_parameters"):
        pairs = [part.partition("=") for part in split_list(text) if part]
        if wrong := ["".join(pair) for pair in pairs if not (pair[0].strip() and pair[2])]:
            raise ConfigError(
                f"--slurm_parameters={text} must hold NAME=VALUE, separated by commas, as sbatch "
                f"has them, and {wrong[0]!r} is not"
            )
        parameters["slurm_additional_parameters"] = {n.strip(): v for n, _, v in pairs}
    if cluster != SLURM_CLUSTER and parameters:
        raise ConfigError(
            "--slurm_partition and --slurm_parameters are of no use with "
            f"--slurm_cluster={cluster}: leave them out"
        )
    return OnSlurm(
        cluster,
        given.get("parallel"),
        given.get("cpus_per_run", 1),
        given.get("gpus_per_run", 0),
        given.get("slurm_minutes", 60),
        parameters,
    )
