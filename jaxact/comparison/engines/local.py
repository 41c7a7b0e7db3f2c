"""Makes the runs of a comparison that are not there yet, one after another."""

import contextlib
import traceback
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from jaxact.activations import fingerprint
from jaxact.comparison.live import StudyView
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING, Run, Study, read_run
from jaxact.config import Config
from jaxact.errors import ConfigError, Interrupted, JaxactError, NonFiniteLossError
from jaxact.runs import fit
from jaxact.runs.ahead import Ahead, default_threads
from jaxact.runs.process import environment
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.records import lock, record_files, surroundings, workdirs
from jaxact.runs.setup import prepare

FAILURES = "failures.log"


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
    compile_ahead: int | None = None,
    remake: Collection[str] = (),
    follow: Callable[[Study], StudyView] = StudyView,
    make: Callable[..., Study] | None = None,
) -> Study:
    """The study with every missing run made, `study.json` written before the first and after each.

    A run that ends in an error is a miss that says why, and the others go on. Returns early, some
    runs still missing, once `stop` is asked for.

    Args:
      compile_ahead: programs of runs to come that are compiled at once while a run trains; None:
        as many as go well with the device.
      remake: the activations whose runs are replaced, as `begin` had it.
      follow: makes what shows the progress.
      make: makes the missing runs, as `make_missing` does, which is taken if None.

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
        threads = default_threads() if compile_ahead is None else compile_ahead
        ahead = stack.enter_context(Ahead(threads))
        return (make or make_missing)(study, workdir, stop, ahead, follow)


def make_missing(
    study: Study,
    workdir: Path,
    stop: StopRequest,
    ahead: Ahead,
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
    with follow(study) as view:
        for place, config in enumerate(todo):
            if stop:
                break
            compile_next(todo[place + 1 :], config, ahead)
            run = make_run(study, workdir, config, view, stop, ahead)
            study = study.with_run(run)
            study.save(workdir)
            if run.status != MISSING:
                view.end_run(study, run)
    return study


def compile_next(later: Sequence[Config], config: Config, ahead: Ahead) -> None:
    """Has the programs of later runs on the same data compiled, in their order."""
    programs: dict[tuple[str, float], Config] = {}  # the first run that needs each
    for run in later if ahead.works else ():
        if run.dataset == config.dataset:
            programs.setdefault((run.activation, run.learning_rate), run)
    for run in programs.values():
        with contextlib.suppress(Exception):  # the run itself tells what is wrong
            ahead.add(prepare(run, may_stream=True))


def make_run(
    study: Study,
    workdir: Path,
    config: Config,
    view: StudyView,
    stop: StopRequest,
    ahead: Ahead,
) -> Run:
    """Makes a run, or goes on with one that was stopped, and reads what it left."""
    status, note = DONE, ""
    try:
        check_function(study, config.activation)
        fit.fit(
            config,
            workdir / study.plan.folder(config),
            follow=view.begin_run(config),
            stop=stop,
            ahead=ahead,
        )
    except Interrupted:
        status = MISSING
    except NonFiniteLossError as error:
        status, note = DIVERGED, str(error).split(";")[0]
    except Exception as error:
        status, note = FAILED, one_line(error)
        with open(workdir / FAILURES, "a", encoding="utf-8") as file:
            file.write(f"{study.plan.label(config)}\n{traceback.format_exc()}\n")
    return read_run(workdir, study.plan, config, note, status)


def check_function(study: Study, spec: str) -> None:
    """Refuses a function that was redefined while its study was being made, as a notebook can."""
    stored, now = study.functions.get(spec), workdirs.function_record(spec).get(workdirs.FUNCTION)
    if stored and now and fingerprint.change(stored, now):
        raise ConfigError(
            f"{spec} was redefined while the comparison was being made: its other runs are of what "
            "it was; compare again"
        )


def one_line(error: Exception) -> str:
    """An error in a line: a message of jaxact's own as it is, another after its kind."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    if isinstance(error, JaxactError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
