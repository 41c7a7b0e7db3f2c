"""The engine that makes runs as jobs of SLURM, by submitit: an array, on disks that all nodes see.

A job that is preempted, or comes to its time limit, stops with a checkpoint and is queued again.
submitit's local cluster makes the same jobs on this machine, for trying.
"""

import contextlib
import dataclasses
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jaxact import packages
from jaxact.comparison.engines.attempts import perform
from jaxact.comparison.engines.clusters import claims
from jaxact.comparison.engines.engine import Ended, Engine, Work
from jaxact.comparison.engines.terms import Terms
from jaxact.comparison.engines.waiting import Waiting
from jaxact.comparison.live import FollowedRun
from jaxact.comparison.study import FAILED, MISSING
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.runs.process import cores, environment, shared_machine
from jaxact.runs.process.signals import stop_on_signals
from jaxact.runs.records import record_files

SLURM, ON_THIS_MACHINE = CLUSTERS = ("slurm", "local")
LOGS = "slurm"  # folder within the comparison's
LOOK_SECONDS = {SLURM: 10.0, ON_THIS_MACHINE: 0.5}  # between two looks at jobs and their records
MOST_AT_ONCE = 256  # of an array, if not told
MOST_PREEMPTIONS = 100  # of a job


class OnSlurm(Engine):
    """Makes runs as jobs.

    Args:
      cluster: of `CLUSTERS`.
      parallel: jobs at once; None: as many as SLURM lets, on this machine one.
      cpus_per_run, gpus_per_run: of each.
      minutes: the time limit of a job, after which it is queued again.
      parameters: more of submitit's for the cluster, such as {"slurm_partition": "gpu"}.

    Raises:
      ConfigError: submitit is not installed, there is no such cluster, or it has no such parameter.
    """

    def __init__(
        self,
        cluster: str = SLURM,
        parallel: int | None = None,
        cpus_per_run: int = 1,
        gpus_per_run: int = 0,
        minutes: int = 60,
        parameters: Mapping[str, Any] | None = None,
    ):
        with packages.needed_for("--engine=slurm"):
            import submitit  # pyright: ignore[reportMissingImports]
        self._submitit = submitit
        self._cluster = cluster
        self._is_here = cluster == ON_THIS_MACHINE
        self._parallel = parallel or (1 if self._is_here else MOST_AT_ONCE)
        self._cpus = cpus_per_run
        if self._is_here:
            cores.disjoint(self._parallel, cpus_per_run)  # raises where there are too few
            if gpus_per_run:
                raise ConfigError(
                    f"--gpus_per_run={gpus_per_run} is of no use with --slurm_cluster=local: "
                    "--engine=local gives each run a GPU of its own"
                )
        self._parameters: dict[str, Any] = {"timeout_min": minutes, "name": "jaxact"}
        if not self._is_here:
            self._parameters |= {
                "cpus_per_task": cpus_per_run,
                "gpus_per_node": gpus_per_run or None,
                "slurm_array_parallelism": self._parallel,
                **(parameters or {}),
            }

    def runs(self, work: Work) -> Iterator[tuple[Config, Ended]]:
        """The runs as they end; see `jaxact.comparison.engines.engine.Engine`."""
        with Jobs(self._executor(work.workdir / LOGS), work, self._is_here, self._cpus) as jobs:
            yield from jobs.runs(
                self._parallel if self._is_here else len(work.configs), LOOK_SECONDS[self._cluster]
            )

    def _executor(self, folder: Path) -> Any:
        try:
            executor = self._submitit.AutoExecutor(
                folder, cluster=self._cluster, slurm_max_num_timeout=MOST_PREEMPTIONS
            )
            executor.update_parameters(**self._parameters)
        except (RuntimeError, ValueError, NameError, AssertionError) as error:
            text = str(error).strip().splitlines()[0]
            raise ConfigError(
                f"--engine=slurm: {text}; on a machine without SLURM, --slurm_cluster=local tries "
                "the same jobs here"
            ) from error
        return executor


class Jobs(contextlib.AbstractContextManager["Jobs"]):
    """The jobs of a comparison while it is made; leaving the context ends them.

    Args:
      executor: submitit's.
      is_here: whether jobs are processes of this machine.
      cpus: cores of each.
    """

    def __init__(self, executor: Any, work: Work, is_here: bool, cpus: int):
        self._executor, self._work, self._is_here, self._cpus = executor, work, is_here, cpus
        self._terms = Terms.of(work.study)
        self._waiting = Waiting(work)
        self._at_hand: dict[str, tuple[Any, Config]] = {}  # by the run's label
        self._shown: dict[str, Shown] = {}

    def __exit__(self, *exception: object) -> None:
        for job, _ in self._at_hand.values():
            self._end(job)

    def runs(self, at_once: int, look_seconds: float) -> Iterator[tuple[Config, Ended]]:
        """The runs as they end, so many jobs being submitted at once.

        Args:
          look_seconds: between two looks at the jobs and their records.
        """
        is_told = False
        while self._waiting or self._at_hand:
            if self._work.stop and not is_told:
                is_told = True
                self._waiting.clear()
                for job, _ in self._at_hand.values():
                    self._end(job)
            room = at_once - len(self._at_hand)
            self._submit([self._waiting.popleft() for _ in range(min(room, len(self._waiting)))])
            for label, (job, config) in [*self._at_hand.items()]:
                self._shown[label].look()
                if job.done():
                    del self._at_hand[label]
                    yield from self._ended(job, config)
            if self._at_hand:
                time.sleep(look_seconds)

    def _submit(self, configs: list[Config]) -> None:
        """Submits runs, as one array where there are several."""
        study = self._work.study
        made = []
        together = self._executor.batch() if len(configs) > 1 else contextlib.nullcontext()
        with _importable(), _without_interrupts(self._is_here), together:
            for config in configs:
                job = {
                    "config": dataclasses.asdict(config),
                    "folder": str(self._work.folder(config).absolute()),
                    "function": study.functions.get(config.activation),
                }
                run = SlurmRun(job, self._terms, self._cpus if self._is_here else 0)
                made.append(self._executor.submit(run))
        for job, config in zip(made, configs, strict=True):
            label = study.plan.label(config)
            self._waiting.count(config)
            self._at_hand[label] = job, config
            self._shown[label] = Shown(self._work, config)

    def _ended(self, job: Any, config: Config) -> Iterator[tuple[Config, Ended]]:
        """Takes what a job left; its run is tried again if it died, once, or was preempted."""
        try:
            ended = Ended(*job.result())
        except Exception as error:  # submitit's own, and whatever else a job may leave
            lines = str(error).strip().splitlines() or [""]
            ended = Ended(FAILED, f"its job {job.job_id} ended without a result", "\n".join(lines))
            yield from self._waiting.after_death(config, ended)
            return
        if ended.status == MISSING and not self._work.stop:  # by someone else
            self._waiting.put_back(config)
            return
        yield config, ended

    def _end(self, job: Any) -> None:
        """Has a job stop its run with a checkpoint."""
        with contextlib.suppress(OSError):  # it has just ended
            if self._is_here:
                os.kill(int(job.job_id), signal.SIGTERM)
            else:
                job.cancel(check=False)


class Shown:
    """The progress of a job's run, as the records in its folder tell it."""

    def __init__(self, work: Work, config: Config):
        self._work, self._config = work, config
        self._path = work.folder(config) / record_files.METRICS
        self._followed: FollowedRun | None = None
        self._epochs = 0

    def look(self) -> None:
        """Shows the epochs that have ended since the last look."""
        if not self._path.exists():
            return
        rows = record_files.read_rows(self._path)
        if self._followed is None and rows:
            self._followed = self._work.view.begin_run(self._config)
            first = rows[0]
            self._followed(self._config.epochs, first["step"] // first["epoch"], 0)
        for row in rows[self._epochs :]:
            if (followed := self._followed) is not None:
                followed.after_dispatch(row["step"], row["train_loss"], row["images_per_second"])
                followed.after_epoch(row, self._config.eval_split)
        self._epochs = len(rows)


@dataclasses.dataclass
class SlurmRun:
    """A run as submitit calls it, in a job.

    Attributes:
      job: as `jaxact.comparison.engines.attempts.perform` takes it.
      terms: for the process.
      claims: cores that it takes for itself; 0: those that SLURM gave it.
    """

    job: dict[str, Any]
    terms: Terms
    claims: int

    def __call__(self) -> tuple[str, ...]:
        """The end of the run, as `Ended` has it; a job that is preempted does not return."""
        with contextlib.ExitStack() as stack:
            if own := stack.enter_context(claims.claimed(self.claims)) if self.claims else []:
                cores.keep_to(own)
            self.terms.take()
            machine, usable = os.cpu_count() or 1, environment.usable_cpus()
            job = {**self.job, "placed": {shared_machine.RUNS_AT_ONCE: machine // usable}}
            queue_again = signal.getsignal(signal.SIGUSR2)  # submitit's
            numbers = (signal.SIGUSR2, signal.SIGTERM)
            stop = stack.enter_context(stop_on_signals(numbers, ends_on_second=False))
            ended = perform(job, self.terms, lambda event, values: None, stop)
        if ended.status == MISSING and stop.signal == signal.SIGUSR2 and callable(queue_again):
            queue_again(signal.SIGUSR2, None)
        return tuple(ended)

    def checkpoint(self) -> Any:
        """The submission in place of this one when the job is queued again: the same."""
        import submitit  # pyright: ignore[reportMissingImports]

        return submitit.helpers.DelayedSubmission(self)


@contextlib.contextmanager
def _importable() -> Iterator[None]:
    """A block in which processes that are started find the modules that this one finds."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@contextlib.contextmanager
def _without_interrupts(is_wanted: bool) -> Iterator[None]:
    """A block in which processes are started that Ctrl-C does not reach.

    Theirs is the request that this process passes on.
    """
    if not is_wanted or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
