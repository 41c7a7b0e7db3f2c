"""Trains one network with one activation and leaves its records."""

import contextlib
import dataclasses
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from jaxact.config import Config
from jaxact.errors import Interrupted, NonFiniteLossError
from jaxact.training import determinism, diagnosis, environment, health, records
from jaxact.training.checkpoint import Checkpoints, Snapshot
from jaxact.training.clock import Clock
from jaxact.training.compilation import CacheUse
from jaxact.training.pace import Pace, choose as choose_pace
from jaxact.training.progress import Follow, ProgressView, RunView
from jaxact.training.setup import Setup, initial_state, prepare
from jaxact.training.signals import StopRequest, stop_on_signals
from jaxact.training.state import Totals, TrainState
from jaxact.training.steps import Examples
from jaxact.training.summary import summarize
from jaxact.training.tensorboard import Events


@dataclasses.dataclass(frozen=True)
class Run:
    """The impure things of a run: its folder, its clock, its checkpoints, and who may stop it."""

    workdir: Path
    clock: Clock
    checkpoints: Checkpoints
    stop: StopRequest
    follow: Follow = ProgressView


def fit(
    config: Config,
    workdir: Path,
    started: float | None = None,
    follow: Follow = ProgressView,
    stop: StopRequest | None = None,
) -> dict[str, Any]:
    """Trains as `config` says, or goes on where an earlier process of the same run stopped.

    Args:
      config: from `jaxact.config.check`.
      workdir: gets the run's files (see `jaxact.training.records`); made only once the
        configuration, the data and the model are right.
      started: `time.perf_counter()` when the wall clock began; now, if None.
      follow: makes what shows the training; a bar or lines on stderr, if not given.
      stop: asked between dispatches whether to stop; SIGTERM and SIGINT ask, if None.

    Returns:
      The summary, as in `summary.json`.

    Raises:
      ConfigError, DataError: before anything is written.
      WorkdirError: the workdir is in use, or cannot be written, or its checkpoints are damaged.
      NonFiniteLossError: the last checkpoint is kept.
      Interrupted: by SIGTERM or SIGINT, after a checkpoint was saved.
    """
    cache_use = CacheUse()
    clock = Clock(started=time.perf_counter() if started is None else started)
    fields = dataclasses.asdict(config)
    records.check_workdir(workdir, fields)
    determinism.ensure(config.deterministic)
    setup = prepare(config)
    records.check_data(workdir, setup.data_record)
    described = environment.describe(config.deterministic)
    how_to_go_on = f"nothing is lost: to go on, give the same command with --workdir={workdir}"
    with (
        records.opened_workdir(workdir, fields, described, setup.data_record),
        stop_on_signals() if stop is None else contextlib.nullcontext(stop) as request,
        Checkpoints(workdir / records.CHECKPOINTS) as checkpoints,
    ):
        run = Run(workdir, clock, checkpoints, request, follow)
        with request.nothing_to_save(how_to_go_on):
            snapshot = begin(setup, run)
            done = finished_summary(setup, run, snapshot)
        if done:
            return done
        snapshot = train(setup, run, snapshot)
        with request.nothing_to_save(how_to_go_on):
            summary = summarize(setup, clock, snapshot) | {"compilation_cache": str(cache_use)}
        records.write_json(workdir / records.SUMMARY, summary)
    return summary


def begin(setup: Setup, run: Run) -> Snapshot:
    """The newest checkpoint of the workdir, or the state before the first step."""
    progress = {"rows": [], "health": [], "epochs": setup.config.epochs}
    snapshot = Snapshot(initial_state(setup, run.clock), Totals.zero(), progress)
    if run.checkpoints.newest_step() is not None:
        snapshot = run.checkpoints.restore(like=snapshot)
        snapshot.progress.setdefault("health", [])  # of a run begun before there was any
        run.clock.go_on_from(snapshot.progress["clock"])
    # The files may hold epochs after the checkpoint, which are about to be trained again.
    for name, key in ((records.METRICS, "rows"), (records.HEALTH, "health")):
        if snapshot.progress[key] or (run.workdir / name).exists():
            records.write_rows(run.workdir / name, snapshot.progress[key])
    return snapshot


def finished_summary(setup: Setup, run: Run, snapshot: Snapshot) -> dict[str, Any] | None:
    """The summary of a run that ended in an earlier process; None if something is left to do.

    Raises:
      ConfigError: the run has trained more epochs than the configuration asks for.
    """
    epochs_done = int(snapshot.state.step) / setup.steps_per_epoch
    records.check_epochs(epochs_done, setup.config.epochs, run.workdir)
    path = run.workdir / records.SUMMARY
    if int(snapshot.state.step) < setup.total_steps or not path.exists():
        return None
    summary = records.read_json(path)
    return summary if summary["epochs"] == setup.config.epochs else None


def train(setup: Setup, run: Run, snapshot: Snapshot) -> Snapshot:
    """Trains to the configuration's last epoch; the snapshot returned is on disk."""
    clock, config = run.clock, setup.config
    state, totals = snapshot.state, snapshot.totals
    rows, health_rows = snapshot.progress["rows"], snapshot.progress["health"]
    step = int(state.step)
    pace = choose_pace(config.steps_per_dispatch, setup.steps_per_epoch)
    with (
        run.follow(config.epochs, setup.steps_per_epoch, step) as view,
        contextlib.closing(Events(run.workdir / records.TENSORBOARD, purge_step=step)) as events,
    ):
        if note := setup.data_record["note"]:
            view.message(f"data: {note}")
        for warning in run.checkpoints.warnings:
            view.message(warning)
        if step:
            view.message(f"resumed from step {step} in {run.workdir}; clocks count on from there")
            if snapshot.progress["epochs"] != config.epochs and not setup.has_constant_rate:
                view.message(
                    f"warning: {config.learning_rate_schedule} was planned for "
                    f"{snapshot.progress['epochs']} epochs: what follows is not what a run of "
                    f"{config.epochs} from its start gives"
                )
        while step < setup.total_steps:
            epoch = step // setup.steps_per_epoch + 1
            state, totals, step = train_epoch(setup, run, view, pace, state, totals, step)
            if step == epoch * setup.steps_per_epoch:
                figures: dict[str, Any] = {}
                if setup.probe is not None:
                    health_rows.append(examine(setup, run, state, setup.probe, epoch))
                    figures = health.scalars(health_rows[-1])
                rows.append(end_epoch(setup, clock, state, totals, rows))
                totals = Totals.zero()
                records.append_row(run.workdir / records.METRICS, rows[-1])
                write_events(events, step, figures | rows[-1])
                view.after_epoch(rows[-1], config.eval_split)
            progress = {
                "rows": rows,
                "health": health_rows,
                "clock": clock.readings(),
                "epochs": config.epochs,
            }
            snapshot = Snapshot(state, totals, progress)
            is_due = epoch % config.checkpoint_every_epochs == 0 or step == setup.total_steps
            is_stopped = bool(run.stop)  # asked once: what is raised must have been saved
            if is_due or is_stopped:
                run.checkpoints.save(snapshot)
            if is_stopped:
                run.checkpoints.wait()
                raise Interrupted(
                    f"stopped by {run.stop.name} at step {step} of {setup.total_steps}; a "
                    "checkpoint is saved: to go on, give the same command with "
                    f"--workdir={run.workdir}"
                )
        run.checkpoints.wait()
    return snapshot


def train_epoch(
    setup: Setup,
    run: Run,
    view: RunView,
    pace: Pace,
    state: TrainState,
    totals: Totals,
    step: int,
) -> tuple[TrainState, Totals, int]:
    """Dispatches steps to the end of the epoch at hand, or until the run is asked to stop."""
    clock, keys, program = run.clock, setup.keys, setup.program
    epoch = step // setup.steps_per_epoch
    end = (epoch + 1) * setup.steps_per_epoch

    order_arguments = (keys.order, jnp.int32(epoch), setup.train.labels)
    draw_order = program.order.prepare(clock, *order_arguments)
    with clock.timing("train_seconds"):
        order = draw_order(*order_arguments).block_until_ready()

    while step < end:
        count = min(pace.steps, end - step)
        arguments = (order, setup.train, keys)
        steps = jnp.int32(count)
        dispatch = program.train.prepare(clock, steps, state, totals, *arguments)
        before_seconds = clock.train_seconds
        with clock.timing("train_seconds"):
            state, totals = jax.block_until_ready(dispatch(steps, state, totals, *arguments))
        step += count
        if (bad_step := int(totals.nonfinite_step)) >= 0:
            raise NonFiniteLossError(not_finite(setup, run, view, epoch + 1, bad_step))
        seconds = clock.train_seconds - before_seconds
        pace.after(count, seconds)
        images = count * setup.config.batch_size
        view.after_dispatch(step, totals.means()[0], images / seconds)
        if run.stop:
            break
    return state, totals, step


def not_finite(setup: Setup, run: Run, view: RunView, epoch: int, step: int) -> str:
    """What to say, and advise, when the loss became NaN or infinite."""
    config, saved = setup.config, run.checkpoints.newest_step()
    view.message(f"the loss became NaN or infinite at step {step}: looking for where it began")
    good = Snapshot(initial_state(setup, run.clock), Totals.zero(), {})
    if saved is not None:
        good = run.checkpoints.restore(like=good)
    origin = diagnosis.origin(setup, run.clock, good.state, step, run.stop)
    kept = (
        "no checkpoint had been made yet"
        if saved is None
        else f"the last good checkpoint, of step {saved}, is in {run.workdir / records.CHECKPOINTS}"
    )
    return (
        f"the loss became NaN or infinite at epoch {epoch}, step {step} ({config.activation}, "
        f"learning_rate {config.learning_rate}); {origin}; {kept}; see "
        f"whether `python -m jaxact.check '{config.activation}'` passes, or "
        "try a lower --config.learning_rate in a new --workdir"
    )


def examine(
    setup: Setup, run: Run, state: TrainState, probe: Examples, epoch: int
) -> dict[str, Any]:
    """Writes the epoch's row of `health.jsonl`, and gives it."""
    measure = setup.program.health.prepare(run.clock, state, probe)
    with run.clock.timing("health_seconds"):
        row = health.as_row(epoch, measure(state, probe))
        records.append_row(run.workdir / records.HEALTH, row)
    return row


def end_epoch(
    setup: Setup, clock: Clock, state: TrainState, totals: Totals, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """Evaluates and gives the epoch's row of `metrics.jsonl`; seconds are cumulative."""
    epoch = len(rows) + 1
    scores: dict[str, float | None] = {}
    for split, batches in setup.evaluations.items():
        # With a validation split the test set is read once, at the end.
        if split == setup.config.eval_split or epoch == setup.config.epochs:
            evaluate = setup.program.evaluate.prepare(clock, state, batches)
            with clock.timing("eval_seconds"):
                result = jax.block_until_ready(evaluate(state, batches))
            loss, accuracy = result.means()
            if not math.isfinite(loss):
                raise NonFiniteLossError(
                    f"the {split} loss became NaN or infinite after epoch {epoch}, though the "
                    f"training loss is finite ({setup.config.activation}); the checkpoints of "
                    "earlier epochs are kept; try a lower --config.learning_rate in a new --workdir"
                )
        else:
            loss, accuracy = None, None
        scores |= {f"{split}_loss": loss, f"{split}_accuracy": accuracy}
    train_loss, train_accuracy = totals.means()
    seconds = clock.train_seconds - (rows[-1]["train_seconds"] if rows else 0.0)
    return {
        "epoch": epoch,
        "step": int(state.step),
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        **scores,
        **clock.readings(),
        "images_per_second": int(totals.examples) / seconds,
    }


def write_events(events: Events, step: int, figures: Mapping[str, Any]) -> None:
    for name, value in figures.items():
        if name not in ("epoch", "step") and value is not None:
            events.add_scalar(name, value, global_step=step)
    events.flush()
