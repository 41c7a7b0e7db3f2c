"""The making of a comparison's runs, whatever engine makes them: checks, folders, study.json."""

import contextlib
import time
from collections.abc import Callable, Collection, Generator
from pathlib import Path
from typing import cast

from jaxact.comparison.engines.engine import Engine, Work
from jaxact.comparison.engines.in_process import InProcess
from jaxact.comparison.live import StudyView
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING, Study, read_run
from jaxact.config import Config
from jaxact.errors import ConfigError, JaxactError
from jaxact.runs.process import environment
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.records import lock, record_files, surroundings, workdirs
from jaxact.runs.setup import prepare

FAILURES = "failures.log"
SPARING = 10.0  # times what the last writing of `study.json` took, between two


def check_before_training(study: Study, workdir: Path, remake: Collection[str]) -> None:
    """Prepares the first missing run of each data set, and of each function of one's own on it.

    What is wrong with all runs, or with a function in this network, ends the comparison here.

    Raises:
      ConfigError: no run can be made.
      DataError: the data cannot be had, or have changed since other runs were trained on them.
    """
    if study.with_status(MISSING):
        config = study.plan.config
        described = environment.describe(config.deterministic, config.devices)
        for config, run in zip(study.plan.runs(), study.runs, strict=True):
            if run.status == DONE:
                surroundings.refuse_others(workdir, run.environment, described)
            if config.activation not in remake:
                surroundings.check(workdir / study.plan.folder(config), described, config.epochs)
    prepared: set[tuple[str, str | None]] = set()
    for config, run in zip(study.plan.runs(), study.runs, strict=True):
        kinds: set[tuple[str, str | None]] = {(config.dataset, None)}
        if config.activation in study.functions:
            kinds.add((config.dataset, config.activation))
        if kinds <= prepared or (
            run.status != MISSING and not is_elsewhere(study, workdir, config)
        ):
            continue
        prepared |= kinds
        try:
            setup = prepare(config, may_stream=True)
        except JaxactError:
            raise
        except Exception:  # an activation's own, perhaps: its runs will tell, others are made
            continue
        for other in study.plan.runs():
            if other.dataset == config.dataset and other.activation not in remake:
                folder = workdir / study.plan.folder(other)
                workdirs.check_data(folder, setup.data.record)
                workdirs.check_fingerprints(folder, {**vars(config), **setup.records})


def is_elsewhere(study: Study, workdir: Path, config: Config) -> bool:
    """Whether a run was made on data of another path, which are to be the same."""
    path = workdir / study.plan.folder(config) / record_files.CONFIG
    return path.exists() and record_files.read_json(path).get("dataset") != config.dataset


def make_runs(
    study: Study,
    workdir: Path,
    stop: StopRequest,
    engine: Engine | None = None,
    remake: Collection[str] = (),
    follow: Callable[[Study], StudyView] = StudyView,
) -> Study:
    """The study with every missing run made, `study.json` written before, meanwhile and after.

    A run that ends in an error is a miss that says why, and the others go on. Returns early, some
    runs still missing, once `stop` is asked for.

    Args:
      engine: makes the runs; None: this process, one after the other.
      remake: the activations whose runs are replaced, as `begin` had it.
      follow: makes what shows the progress.

    Raises:
      ConfigError, DataError: no run can be made; nothing has been written.
      WorkdirError: another process makes this comparison.
    """
    check_before_training(study, workdir, remake)
    with contextlib.ExitStack() as stack:
        try:
            workdir.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lock.held(workdir))
            study.save(workdir)
            for config in study.plan.runs():
                if config.activation in remake:
                    workdirs.discard(workdir / study.plan.folder(config))
        except OSError as error:
            raise ConfigError(
                f"--workdir={workdir} cannot be written ({error.strerror}); choose another"
            ) from error
        return make_missing(study, workdir, stop, engine or InProcess(), follow)


def make_missing(
    study: Study,
    workdir: Path,
    stop: StopRequest,
    engine: Engine,
    follow: Callable[[Study], StudyView] = StudyView,
) -> Study:
    """The study with its missing runs made, once it is known that they can be."""
    todo = [
        config
        for config, run in zip(study.plan.runs(), study.runs, strict=True)
        if run.status == MISSING
    ]
    if not todo:
        return study
    with follow(study) as view, Saved(study, workdir) as saved:
        work = Work(study, workdir, todo, view, stop)
        with contextlib.closing(cast(Generator, engine.runs(work))) as ended_runs:
            for config, ended in ended_runs:
                if ended.traceback:
                    with open(workdir / FAILURES, "a", encoding="utf-8") as file:
                        file.write(f"{study.plan.label(config)}\n{ended.traceback}\n")
                run = read_run(workdir, study.plan, config, ended.note, ended.status)
                study = study.with_run(run)
                saved.update(study, is_only_here=run.status in (DIVERGED, FAILED))
                if run.status != MISSING:
                    view.end_run(study, run)
    return study


class Saved(contextlib.AbstractContextManager["Saved"]):
    """Writes `study.json` as the study grows, and at the end of the block, however it ends.

    The file is written whole, which takes the longer the more runs there are. What is done lies in
    the runs' folders too, so the file may be behind: it is written as often as takes a small share
    of the time.
    """

    def __init__(self, study: Study, workdir: Path, now: Callable[[], float] = time.monotonic):
        self._study, self._workdir, self._now = study, workdir, now
        self._is_behind = False
        self._due = now()

    def __exit__(self, *exception: object) -> None:
        if self._is_behind:
            self._write()

    def update(self, study: Study, is_only_here: bool) -> None:
        """Takes the study as it is now.

        Args:
          is_only_here: whether it has what no other file does, and is written at once.
        """
        self._study, self._is_behind = study, True
        if is_only_here or self._now() >= self._due:
            self._write()

    def _write(self) -> None:
        begin = self._now()
        self._study.save(self._workdir)
        end = self._now()
        self._is_behind, self._due = False, end + SPARING * (end - begin)
