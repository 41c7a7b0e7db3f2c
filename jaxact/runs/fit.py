"""Trains one network with one activation and leaves its records."""

import contextlib
import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from jaxact.activations import own
from jaxact.compilation.clock import Clock
from jaxact.compilation.compiler import CacheUse
from jaxact.config import Config
from jaxact.data import Preprocessing
from jaxact.errors import Interrupted, NonFiniteLossError
from jaxact.runs import diagnosis, dispatch
from jaxact.runs.ahead import Ahead
from jaxact.runs.cadence import Cadence
from jaxact.runs.epoch_end import (
    classes_of_images,
    evaluate,
    examine,
    make_row,
    write_events,
)
from jaxact.runs.process import determinism, environment, hosts, memory
from jaxact.runs.process.signals import StopRequest, stop_on_signals
from jaxact.runs.progress import Follow, NoView, ProgressView, RunView
from jaxact.runs.records import of_processes, record_files, surroundings, workdirs
from jaxact.runs.records.checkpoint import Checkpoints, size_bytes
from jaxact.runs.records.events import Events
from jaxact.runs.records.snapshot import Snapshot
from jaxact.runs.setup import Setup, initial_state, prepare
from jaxact.runs.stages import Stage, stages
from jaxact.runs.summary import summarize
from jaxact.training import early_stopping, health
from jaxact.training.state import TrainState


@dataclasses.dataclass(frozen=True)
class Run:
    """The impure things of a run: its folder, its clock, its checkpoints, and who may stop it."""

    workdir: Path
    clock: Clock
    checkpoints: Checkpoints
    stop: StopRequest
    follow: Follow = ProgressView
    own_records: Path | None = None

    @property
    def records(self) -> Path:
        """The folder in which this process writes records, see `records.of_processes`."""
        return self.workdir if self.own_records is None else self.own_records


def fit(
    config: Config,
    workdir: Path,
    started: float | None = None,
    follow: Follow = ProgressView,
    stop: StopRequest | None = None,
    ahead: Ahead | None = None,
    placed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Trains as `config` says, or goes on where an earlier process of the same run stopped.

    Args:
      config: from `jaxact.config.check`.
      workdir: gets the run's files (see `jaxact.runs.records.record_files`); made only once the
        configuration, the data and the model are right. Several processes give the same one.
      started: `time.perf_counter()` when the wall clock began; now, if None.
      follow: makes what shows the training; a bar or lines on stderr, if not given.
      stop: asked between dispatches whether to stop; SIGTERM and SIGINT ask, if None.
      ahead: compiles for other runs meanwhile; the summary tells how long beside this one.
      placed: what `environment.json` holds beside the surroundings of every run: by whom it was
        placed, and with how many others.

    Returns:
      The summary, as in `summary.json`.

    Raises:
      ConfigError, DataError: before anything is written.
      WorkdirError: the workdir is in use, or cannot be written, or its checkpoints are damaged.
      OutOfMemoryError: of the device; the last checkpoint is kept.
      NonFiniteLossError: the last checkpoint is kept.
      Interrupted: by SIGTERM or SIGINT, after a checkpoint was saved.
    """
    cache_use = CacheUse()
    clock = Clock(started=time.perf_counter() if started is None else started)
    fields = dataclasses.asdict(config)
    hosts.join(config.distributed, config.devices)
    with hosts.together():
        workdirs.check_workdir(workdir, fields)
        determinism.ensure(config.deterministic)
        fields |= workdirs.function_record(config.activation)  # JAX's first use
        workdirs.check_workdir(workdir, fields)
        described = environment.describe(config.deterministic, config.devices)
        described |= dict(placed or {})
        with memory.explained(config):
            setup = prepare(config, may_stream=True)
        fields |= setup.records
        beside_seconds = 0.0 if ahead is None else ahead.seconds()
        workdirs.check_data(workdir, setup.data.record)
        surroundings.check(workdir, described, config.epochs)
    how_to_go_on = f"nothing is lost: to go on, give the same command with --workdir={workdir}"
    with (
        memory.explained(config),
        hosts.explained(),
        of_processes.opened(workdir, fields, setup.data.record) as records,
        stop_on_signals() if stop is None else contextlib.nullcontext(stop) as request,
        Checkpoints(workdir / record_files.CHECKPOINTS) as checkpoints,
        contextlib.closing(setup),
    ):
        run = Run(workdir, clock, checkpoints, request, follow, records)
        with hosts.left_by_signals(request, how_to_go_on):
            snapshot = begin(setup, run)
            done = hosts.by_first(lambda: finished_summary(setup, run, snapshot))
        if done:
            return done
        changed = surroundings.write(records, described, int(snapshot.state.step))
        snapshot = train(setup, run, snapshot, changed)
        with hosts.left_by_signals(request, how_to_go_on):
            summary = hosts.by_first(lambda: summarize(setup, clock, snapshot))
            summary["compilation_cache"] = str(cache_use)
            if ahead is not None:
                summary["beside_compilation_seconds"] = ahead.seconds() - beside_seconds
        record_files.write_json(records / record_files.SUMMARY, summary)
    return summary


def begin(
    setup: Setup, run: Run, state: TrainState | None = None, step: int | None = None
) -> Snapshot:
    """The newest checkpoint of the workdir, or the state before the first step.

    Args:
      state: before the first step; made, if None.
      step: of the checkpoint to go on from; 0: from none; None: from the newest.
    """
    progress = {"rows": [], "health": []}
    if state is None:
        state = initial_state(setup, run.clock)
    best = None if setup.config.early_stopping_epochs is None else copied(state.evaluated)
    preprocessing = Preprocessing(*setup.train.preprocessing)
    snapshot = Snapshot(state, setup.no_totals(), progress, best, preprocessing)
    if run.checkpoints.newest_step() is not None and step != 0:
        snapshot = run.checkpoints.restore(like=snapshot, step=step)
        run.clock.go_on_from(snapshot.progress["clock"])
    # The files may hold epochs after the checkpoint, which are about to be trained again.
    for name, key in ((record_files.METRICS, "rows"), (record_files.HEALTH, "health")):
        if snapshot.progress[key] or (run.records / name).exists():
            record_files.write_rows(run.records / name, snapshot.progress[key])
    return snapshot


def finished_summary(setup: Setup, run: Run, snapshot: Snapshot) -> dict[str, Any] | None:
    """The summary of a run that ended in an earlier process; None if something is left to do.

    Raises:
      ConfigError: the run has trained more epochs than the configuration asks for.
    """
    step, path = int(snapshot.state.step), run.workdir / record_files.SUMMARY
    workdirs.check_epochs(step / setup.steps_per_epoch, setup.config.epochs, run.workdir)
    if not is_over(setup, step, snapshot.progress["rows"]) or not path.exists():
        return None
    summary = record_files.read_json(path)
    return summary if summary["epochs"] == setup.config.epochs else None


def is_over(setup: Setup, step: int, rows: list[dict[str, Any]]) -> bool:
    """Whether a run has trained all its epochs, or as many as early stopping lets it."""
    patience_epochs = setup.config.early_stopping_epochs
    return step >= setup.total_steps or early_stopping.is_over(rows, patience_epochs)


def copied(tree: Any) -> Any:
    """A tree of arrays of its own: those of a state are donated to its next step."""
    return jax.tree.map(jnp.copy, tree)


def train(setup: Setup, run: Run, snapshot: Snapshot, changed: str = "") -> Snapshot:
    """Trains to the configuration's last epoch, or until early stopping ends the run.

    Args:
      changed: what is different from where the run began, in words.

    Returns:
      The last snapshot; it is on disk.
    """
    config, state, best = setup.config, snapshot.state, snapshot.best
    rows, health_rows = snapshot.progress["rows"], snapshot.progress["health"]
    begin = int(state.step)
    length = dispatch.choose(config.steps_per_dispatch, setup.steps_per_epoch)
    follow = run.follow if hosts.is_first() else NoView
    cadence = Cadence(config.checkpoint_every_epochs, size_bytes(snapshot.arrays))
    with (
        follow(config.epochs, setup.steps_per_epoch, begin) as view,
        contextlib.closing(
            Events(run.records / record_files.TENSORBOARD, begin, dataclasses.asdict(config))
        ) as events,
    ):
        announce(setup, run, view, snapshot, changed)
        if is_over(setup, begin, rows):
            return snapshot
        for stage in stages(setup, state, run.clock, length, snapshot.totals):
            if not stage.is_finite:
                raise NonFiniteLossError(not_finite(setup, run, view, stage))
            view.after_dispatch(stage.step, stage.totals.means()[0], stage.images_per_second)
            if stage.is_epoch_end:
                record_epoch(setup, run, view, events, stage, rows, health_rows)
                if best is not None and early_stopping.best_epoch(rows) == stage.epoch:
                    best = copied(stage.state.evaluated)
            progress = {
                "rows": rows,
                "health": health_rows,
                "clock": run.clock.readings(),
            }
            totals = setup.no_totals() if stage.is_epoch_end else stage.totals
            snapshot = Snapshot(stage.state, totals, progress, best, snapshot.preprocessing)
            is_last = is_over(setup, stage.step, rows)
            if is_last and best is not None:
                score_best(setup, run, view, events, snapshot)
            if is_last:
                events.end()
            is_due = stage.is_epoch_end and hosts.of_first_is(
                cadence.is_due(stage.epoch, run.checkpoints.seconds)
            )
            is_stopped = hosts.are_asked(run.stop)  # once: what is raised must have been saved
            if is_last or is_due or is_stopped:
                run.checkpoints.save(snapshot)
            if is_stopped:
                run.checkpoints.wait()
                raise Interrupted(
                    f"stopped by {run.stop.name} at step {stage.step} of {setup.total_steps}; a "
                    "checkpoint is saved: to go on, give the same command with "
                    f"--workdir={run.workdir}"
                )
            if is_last:
                break
        run.checkpoints.wait()
    return snapshot


def announce(setup: Setup, run: Run, view: RunView, snapshot: Snapshot, changed: str) -> None:
    """Says what the user should know before training goes on."""
    step = int(snapshot.state.step)
    if note := setup.data.record["note"]:
        view.message(f"data: {note}")
    for note in setup.notes:
        view.message(f"model: {note}")
    for warning in run.checkpoints.warnings:
        view.message(warning)
    if step:
        view.message(f"resumed from step {step} in {run.workdir}; clocks count on from there")
    if changed:
        view.message(
            f"note: the run began under {changed}: its figures may differ from those of a run made "
            "in one place, in the last digits and in seconds"
        )


def record_epoch(
    setup: Setup,
    run: Run,
    view: RunView,
    events: Events,
    stage: Stage,
    rows: list[dict[str, Any]],
    health_rows: list[dict[str, Any]],
) -> None:
    """Measures at the end of an epoch, and adds its row to each record."""
    figures: dict[str, Any] = {}
    if setup.probe is not None:
        health_rows.append(examine(setup, run.clock, stage.state, stage.epoch))
        record_files.append_row(run.records / record_files.HEALTH, health_rows[-1])
        for under in ("", setup.config.activation):
            figures |= health.scalars(health_rows[-1], under)
    row, classes = make_row(setup, run.clock, stage.state, stage.totals, rows)
    rows.append(row)
    if classes is not None:
        record_files.write_classes(run.records / record_files.PREDICTIONS, classes)
    record_files.append_row(run.records / record_files.METRICS, rows[-1])
    write_events(events, stage.step, figures | rows[-1], setup.config.activation)
    view.after_epoch(rows[-1], setup.config.eval_split)


def score_best(setup: Setup, run: Run, view: RunView, events: Events, snapshot: Snapshot) -> None:
    """Reads the test set with the best epoch's parameters, and adds the scores to its row."""
    rows, path = snapshot.progress["rows"], run.records / record_files.METRICS
    row = rows[early_stopping.best_epoch(rows) - 1]
    scores, classes = evaluate(setup, run.clock, snapshot.chosen, "test", row["epoch"])
    predicted = classes_of_images(setup, classes)
    record_files.write_classes(run.records / record_files.PREDICTIONS, predicted)
    row |= scores
    snapshot.progress["clock"] = run.clock.readings()
    record_files.write_rows(path, rows)
    write_events(events, row["step"], scores, setup.config.activation)
    if int(snapshot.state.step) < setup.total_steps:
        view.message(
            f"stopped early: {setup.config.early_stopping_epochs} epochs without a lower "
            f"validation loss than that of epoch {row['epoch']}, whose parameters are kept"
        )


def not_finite(setup: Setup, run: Run, view: RunView, stage: Stage) -> str:
    """The message, with advice, of a loss that became NaN or infinite."""
    config, saved = setup.config, run.checkpoints.newest_step()
    step = int(stage.totals.nonfinite_step)
    view.message(f"the loss became NaN or infinite at step {step}: looking for where it began")
    good = Snapshot(initial_state(setup, run.clock), setup.no_totals(), {})
    if saved is not None:
        good = run.checkpoints.restore(like=good)
    origin = diagnosis.origin(setup, run.clock, good.state, step, run.stop)
    kept = "no checkpoint had been made yet"
    if saved is not None:
        folder = run.workdir / record_files.CHECKPOINTS
        kept = f"the last good checkpoint, of step {saved}, is in {folder}"
    check = f"see whether `python -m jaxact.check '{config.activation}'` passes, or "
    return (
        f"{where_not_finite(config, stage)}; {origin}; {kept}; "
        f"{check * own.is_found_elsewhere(config.activation)}try a lower --config.learning_rate in "
        "a new --workdir"
    )


def where_not_finite(config: Config, stage: Stage) -> str:
    """The epoch and the step in which the loss became NaN or infinite, in words."""
    return (
        f"the loss became NaN or infinite at epoch {stage.epoch}, step "
        f"{int(stage.totals.nonfinite_step)} ({config.activation}, learning_rate "
        f"{config.learning_rate})"
    )
