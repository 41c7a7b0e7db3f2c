"""The engine that makes runs as tasks of a Ray cluster, whose nodes need share no disk.

A task has a process of its own. It trains in a folder of its node, and gives the run's files back
through Ray's object store; where a run is resumed, its files travel there the same way. With a
storage folder, which all nodes see, it trains in there: a node that dies then costs its run the
epoch at hand, without one all that it has made in this command.
"""

import contextlib
import dataclasses
import hashlib
import logging
import os
import pickle
import re
import shutil
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxact import packages
from jaxact.comparison.engines import reporting
from jaxact.comparison.engines.clusters import files, ray_task, sources
from jaxact.comparison.engines.engine import Ended, Engine, Work
from jaxact.comparison.engines.terms import Terms
from jaxact.comparison.engines.waiting import Waiting
from jaxact.comparison.live import FollowedRun
from jaxact.comparison.study import FAILED
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.runs.process import cores, environment
from jaxact.runs.process.signals import NUMBERS

CONNECT_SECONDS = 10.0
LOOK_SECONDS = 0.5  # between two looks at what tasks have told


class OnRay(Engine):
    """Makes runs as tasks of a Ray cluster.

    Args:
      address: of the cluster, such as "auto" or "10.0.0.1:6379"; None: one is started on this
        machine, and ended with the comparison.
      parallel: runs made at once; None: as many as the cluster has room for.
      cpus_per_run, gpus_per_run: of each.
      storage: a folder that all nodes see, in which runs are made; None: in one of the node's own.

    Raises:
      ConfigError: Ray is not installed.
    """

    def __init__(
        self,
        address: str | None = None,
        parallel: int | None = None,
        cpus_per_run: int = 1,
        gpus_per_run: int = 0,
        storage: Path | None = None,
    ):
        with packages.needed_for("--engine=ray"):
            import ray  # pyright: ignore[reportMissingImports]
        self._ray = ray
        self._address, self._parallel, self._storage = address, parallel, storage
        self._needs = {"num_cpus": cpus_per_run, "num_gpus": gpus_per_run}
        self._kept = contextlib.ExitStack()

    def runs(self, work: Work) -> Iterator[tuple[Config, Ended]]:
        """The runs as they end; see `jaxact.comparison.engines.engine.Engine`."""
        self._kept.enter_context(self._connected())
        with Tasks(self._ray, self._needs, self._storage, work) as tasks:
            yield from tasks.runs(self._parallel or len(work.configs))

    def close(self) -> None:
        """Leaves the cluster, and ends one that was started for the comparison."""
        self._kept.close()

    @contextlib.contextmanager
    def _connected(self) -> Iterator[None]:
        """A block within the cluster; signals stay this program's.

        Raises:
          ConfigError: there is no such cluster, or it has no room for a run.
        """
        ray = self._ray
        if ray.is_initialized():  # by the program that compares, or for work before
            yield
            return
        _check_reachable(self._address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        options: dict[str, Any] = {"address": self._address or "local"}
        if self._address is None:
            options |= {"num_cpus": len(cores.usable()), "include_dashboard": False}
            os.environ.setdefault("RAY_worker_niceness", "0")  # as other engines' runs
        handlers = {number: signal.getsignal(number) for number in NUMBERS}
        try:
            ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ConfigError(
                f"--address={self._address}: no Ray cluster can be used there ({lines[0]}); start "
                "one (`ray start --head`), or leave it out to start one on this machine"
            ) from error
        try:
            if threading.current_thread() is threading.main_thread():
                for number, handler in handlers.items():
                    signal.signal(number, handler)
            self._check_room()
            yield
        finally:
            ray.shutdown()

    def _check_room(self) -> None:
        """Raises ConfigError where no node has what a run is to have: it would wait for ever."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        wanted = {"CPU": self._needs["num_cpus"], "GPU": self._needs["num_gpus"]}
        if not any(all(node.get(k, 0) >= v for k, v in wanted.items()) for node in nodes):
            most = {name: max((node.get(name, 0) for node in nodes), default=0) for name in wanted}
            raise ConfigError(
                f"--cpus_per_run={wanted['CPU']} and --gpus_per_run={wanted['GPU']}: no node of "
                f"the Ray cluster has as much (at most {most['CPU']:g} and {most['GPU']:g})"
            )


def _check_reachable(address: str | None) -> None:
    """Refuses an address HOST:PORT where nobody listens: Ray would try for minutes."""
    match = re.fullmatch(r"(?:ray://)?([^/]+):(\d+)", address or "")
    if match is None:
        return
    try:
        socket.create_connection((match[1], int(match[2])), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"--address={address}: no Ray cluster can be used there ({error}); start one (`ray "
            "start --head`), or leave it out to start one on this machine"
        ) from error


class Tasks(contextlib.AbstractContextManager["Tasks"]):
    """The tasks of a comparison while it is made; leaving the context ends them."""

    def __init__(self, ray: Any, needs: Mapping[str, int], storage: Path | None, work: Work):
        self._ray, self._work = ray, work
        self._storage = None if storage is None else storage.absolute() / _name_of(work)
        self._needs = needs
        # one process a run: another's JAX has the cores that it started with
        ray.cloudpickle.register_pickle_by_value(ray_task)
        self._start = ray.remote(max_calls=1, max_retries=0, **needs)(ray_task.start)
        self._board = ray.remote(num_cpus=0)(ray_task.Board).remote()
        self._sources, self._terms = ray.put(sources.of(work.study.plan)), Terms.of(work.study)
        self._commit = environment.git_state()  # of the sources, which travel without it
        self._waiting = Waiting(work)
        self._at_hand: dict[Any, Config] = {}
        self._followed: dict[str, FollowedRun] = {}

    def __exit__(self, *exception: object) -> None:
        for task in self._at_hand:
            self._ray.cancel(task, force=True)

    def runs(self, parallel: int) -> Iterator[tuple[Config, Ended]]:
        """The runs as they end, so many tasks being submitted at once."""
        is_told = False
        while self._waiting or self._at_hand:
            if self._work.stop and not is_told:
                is_told = True
                self._waiting.clear()
                self._ray.get(self._board.stop.remote())
                for task, config in self._at_hand.items():
                    if self._work.study.plan.label(config) not in self._followed:
                        self._ray.cancel(task)  # it waits for a place, as far as is known
                continue
            while self._waiting and len(self._at_hand) < parallel:
                self._submit(self._waiting.popleft())
            done, _ = self._ray.wait([*self._at_hand], timeout=LOOK_SECONDS)
            self._show()
            for task in done:
                yield from self._ended(task, self._at_hand.pop(task))

    def _submit(self, config: Config) -> None:
        study, label = self._work.study, self._work.study.plan.label(config)
        self._waiting.count(config)
        job = {
            "config": dataclasses.asdict(config),
            "function": study.functions.get(config.activation),
            "placed": self._commit,
        }
        if config.data_dir == Config().data_dir:  # where a node has its own
            del job["config"]["data_dir"]
        storage = None if self._storage is None else self._storage / study.plan.folder(config)
        content = files.read(self._work.folder(config))
        packed = pickle.dumps((label, job, self._terms, content, storage, self._needs))
        self._at_hand[self._start.remote(self._sources, packed, self._board)] = config

    def _show(self) -> None:
        configs = {self._work.study.plan.label(config): config for config in self._at_hand.values()}
        for label, event, values in self._ray.get(self._board.collect.remote()):
            if label not in self._followed and label in configs:
                self._followed[label] = self._work.view.begin_run(configs[label])
            if label in self._followed:
                reporting.show(self._followed[label], event, values)

    def _ended(self, task: Any, config: Config) -> Iterator[tuple[Config, Ended]]:
        """Takes what a task gave; its run is tried again if its process or node died, once."""
        label = self._work.study.plan.label(config)
        self._followed.pop(label, None)
        try:
            ended, content = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            lines = str(error).strip().splitlines()
            ended = Ended(FAILED, f"{type(error).__name__}: {lines[0]}", str(error))
            yield from self._waiting.after_death(config, ended)
            return
        if content:  # it got as far as a folder
            files.replace(self._work.folder(config), content)
        if self._storage is not None:
            shutil.rmtree(self._storage / self._work.study.plan.folder(config), ignore_errors=True)
        yield config, Ended(*ended)


def _name_of(work: Work) -> str:
    """The folder of a comparison in a storage that others may use too."""
    where = f"{os.uname().nodename}:{work.workdir.absolute()}"
    return f"{work.workdir.absolute().name}-{hashlib.sha256(where.encode()).hexdigest()[:8]}"
