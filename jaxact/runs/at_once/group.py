"""Runs of one recipe whose seeds differ, trained at once: one program, a lane and records each.

The lanes go through `jaxact.runs.stages` as one run does, and each is recorded as
`jaxact.runs.fit` records a run. They share the device, so that no second is one lane's own: the
clocks in their records are those of all together, and what a run has alone is null.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.compilation.clock import Clock
from jaxact.compilation.compiler import CacheUse
from jaxact.config import Config
from jaxact.errors import (
    ConfigError,
    Interrupted,
    NonFiniteLossError,
    OutOfMemoryError,
    WorkdirError,
)
from jaxact.runs import dispatch, fit, setup as setups
from jaxact.runs.at_once.lane import Lane, Once, on_host
from jaxact.runs.cadence import Cadence
from jaxact.runs.fit import Run
from jaxact.runs.process import determinism, environment, memory, shared_machine
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.progress import Follow, RunView
from jaxact.runs.records import record_files, surroundings, workdirs
from jaxact.runs.records.checkpoint import KEPT, Checkpoints, size_bytes
from jaxact.runs.setup import Setup
from jaxact.runs.stages import Stage, stages
from jaxact.training import at_once
from jaxact.training.state import Totals
from jaxact.training.steps import Keys

_HOW_TO_GO_ON = "nothing is lost: to go on, give the same command"


class Ended(NamedTuple):
    """The end of a lane.

    Attributes:
      place: of its configuration.
      error: why it ended before its last epoch; None: it did not, and its summary is written.
    """

    place: int
    error: NonFiniteLossError | None = None


def prepare(configs: Sequence[Config]) -> Setup:
    """The setup of all lanes: data and model of one, the programs and the keys of all.

    Args:
      configs: that differ in the seed alone.

    Raises:
      ConfigError, DataError: as `jaxact.runs.setup.prepare`.
    """
    return _together(setups.prepare(configs[0]), configs)


def _together(alone: Setup, configs: Sequence[Config]) -> Setup:
    if alone.data.streamed is not None:
        raise ConfigError(
            f"--seeds_at_once={len(configs)} needs images that the device holds, which all seeds "
            "share: these are streamed; leave it out, or give --config.loading=device"
        )
    keys = at_once.stacked(*(Keys.from_seed(config.seed) for config in configs))
    return dataclasses.replace(alone, program=at_once.at_once(alone.program), keys=keys)


def common_step(steps: Sequence[Sequence[int]]) -> int | None:
    """The last step from which all lanes can go on; None if there is none.

    A killed process may have saved some of them and not the others, which have the one before.

    Args:
      steps: of each lane's checkpoints; with fewer than are kept, it can begin again.

    >>> common_step([[10, 20], [10, 20]]), common_step([[10, 20], [10]]), common_step([[10], []])
    (20, 10, 0)
    """
    can_go_on = [{*own} | ({0} if len(own) < KEPT else set()) for own in steps]
    return max(set.intersection(*can_go_on), default=None)


def train(
    configs: Sequence[Config],
    folders: Sequence[Path | None],
    stop: StopRequest,
    follow: Follow,
) -> Iterator[Ended]:
    """Trains all lanes, or goes on where an earlier process stopped, and tells of each that ends.

    Args:
      configs: that differ in the seed alone, from `jaxact.config.check`.
      folders: a workdir for each, as `jaxact.runs.fit.fit` leaves one, marked in
        `environment.json`. None: the run has ended; its lane is computed and not recorded, so that
        the others are what they are beside it, bit for bit.
      stop: asked between dispatches whether to stop.
      follow: makes what shows the training; its rows are means over the lanes.

    Raises:
      ConfigError, DataError, WorkdirError, Interrupted: as `jaxact.runs.fit.fit`.
      OutOfMemoryError: of the device; says what to lower.
    """
    config, clock, cache_use = configs[0], Clock(), CacheUse()
    determinism.ensure(config.deterministic)
    described = environment.describe(config.deterministic)
    described[shared_machine.AT_ONCE] = [one.seed for one in configs]
    with _explained(config, len(configs)), contextlib.ExitStack() as stack:
        alone = setups.prepare(config)
        group = _together(alone, configs)
        runs = {
            place: Run(folder, clock, _opened(stack, alone, one, folder, described), stop)
            for place, (one, folder) in enumerate(zip(configs, folders, strict=True))
            if folder is not None
        }
        with stop.nothing_to_save(_HOW_TO_GO_ON):
            lanes = _begun(alone, group, configs, runs)
        for lane in lanes:
            stack.callback(lane.close)
        step = int(lanes[0].snapshot.state.step)
        changes = [surroundings.write(run.workdir, described, step) for run in runs.values()]
        with follow(config.epochs, group.steps_per_epoch, step) as view:
            fit.announce(alone, lanes[0].run, view, lanes[0].snapshot, max(changes))
            for lane, error in _train(group, lanes, view, stop):
                if error is None:
                    lane.summarize(str(cache_use))
                yield Ended(lane.place, error)


def _begun(
    alone: Setup, group: Setup, configs: Sequence[Config], runs: Mapping[int, Run]
) -> list[Lane]:
    """The lanes of runs, by their places, where all of them can go on."""
    step, clock = _first_step([*runs.values()]), next(iter(runs.values())).clock
    initial = setups.initial_state(group, clock)
    programs = {name: Once(getattr(group.program, name)) for name in ("evaluate", "health")}
    lanes = []
    for place, run in runs.items():
        setup = dataclasses.replace(alone, config=configs[place])
        # A clock goes on from the readings of one of them, which all have.
        own = run if not lanes else dataclasses.replace(run, clock=Clock())
        snapshot = fit.begin(setup, own, at_once.lane_of_state(initial, place), step)
        lanes.append(Lane(place, setup, group, programs, run, snapshot))
    return lanes


def _opened(
    stack: contextlib.ExitStack,
    setup: Setup,
    config: Config,
    folder: Path,
    described: Mapping[str, Any],
) -> Checkpoints:
    """The checkpoints of a lane, whose folder is this process's until the stack is left."""
    fields = dataclasses.asdict(config) | workdirs.function_record(config.activation)
    fields |= setup.records
    workdirs.check_workdir(folder, fields)
    surroundings.check(folder, described, config.epochs)
    stack.enter_context(workdirs.opened_workdir(folder, fields, setup.data.record))
    return stack.enter_context(Checkpoints(folder / record_files.CHECKPOINTS))


def _first_step(runs: Sequence[Run]) -> int:
    """The step from which all lanes go on; raises WorkdirError if there is none."""
    whole = [run.checkpoints.whole_steps() for run in runs]
    is_lost = any(run.checkpoints.steps() and not own for run, own in zip(runs, whole, strict=True))
    step = None if is_lost else common_step(whole)
    if step is None:
        raise WorkdirError(
            f"the runs of {', '.join(str(run.workdir) for run in runs)} have no checkpoint of the "
            "same step that is whole: go on without --seeds_at_once, one after another"
        )
    return step


@contextlib.contextmanager
def _explained(config: Config, count: int) -> Iterator[None]:
    try:
        with memory.explained(config):
            yield
    except OutOfMemoryError as error:
        raise OutOfMemoryError(f"--seeds_at_once={count} may be too many: {error}") from error


def _train(
    group: Setup, lanes: Sequence[Lane], view: RunView, stop: StopRequest
) -> Iterator[tuple[Lane, NonFiniteLossError | None]]:
    """Trains until the last lane has ended, and gives each as it ends."""
    config, begin = group.config, int(lanes[0].snapshot.state.step)
    live = [lane for lane in lanes if not lane.is_over(begin)]
    yield from ((lane, None) for lane in lanes if lane not in live)
    if not live:
        return
    # In the place of a run that has ended another is computed, and not recorded.
    own = {lane.place: lane.snapshot for lane in lanes}
    snapshots = [own.get(place, live[0].snapshot) for place in range(*group.lanes)]
    state = at_once.stacked_states(*(snapshot.state for snapshot in snapshots))
    totals = at_once.stacked(*(snapshot.totals for snapshot in snapshots))
    best = at_once.stacked(*(snapshot.best for snapshot in snapshots))
    length = dispatch.choose(config.steps_per_dispatch, group.steps_per_epoch)
    size = sum(size_bytes(lane.snapshot.arrays) for lane in live)
    cadence = Cadence(config.checkpoint_every_epochs, size)
    for stage in stages(group, state, lanes[0].run.clock, length, totals):
        # One whose loss is not finite is told of before the others are saved further on.
        for lane, error in _looked_at(live, stage, view):
            live.remove(lane)
            yield lane, error
        if best is not None and stage.is_epoch_end:
            best = at_once.where(_best_yet(live, group), stage.state.evaluated, best)
        over = [lane for lane in live if lane.is_over(stage.step)]
        saving_seconds = sum(lane.run.checkpoints.seconds for lane in lanes)
        is_due = stage.is_epoch_end and cadence.is_due(stage.epoch, saving_seconds)
        is_stopped = bool(stop)  # asked once: what is raised must have been saved
        if over or is_due or is_stopped:
            for lane in over if best is not None else ():
                lane.score_best(stage, best, view)
            _save(live, stage, best, has_to_wait=bool(over) or is_stopped)
        if is_stopped:
            raise Interrupted(
                f"stopped by {stop.name} at step {stage.step} of {group.total_steps}; checkpoints "
                "are saved: to go on, give the same command"
            )
        for lane in over:
            live.remove(lane)
            yield lane, None
        if not live:
            return


def _looked_at(
    live: Sequence[Lane], stage: Stage, view: RunView
) -> list[tuple[Lane, NonFiniteLossError]]:
    """Has the lanes record a stage; those whose loss is not finite, and what to say of them."""
    totals, broken = jax.device_get(stage.totals), []
    for lane in live:
        try:
            lane.look(stage, at_once.lane(totals, lane.place), view)
        except NonFiniteLossError as error:
            broken.append((lane, error))
    names = {lane.place for lane, _ in broken}
    if sound := [lane for lane in live if lane.place not in names]:
        losses = [at_once.lane(totals, lane.place).means()[0] for lane in sound]
        speed = stage.images_per_second * len(totals.loss)
        view.after_dispatch(stage.step, float(np.mean(losses)), speed)
        if stage.is_epoch_end:
            split = sound[0].setup.config.eval_split
            accuracies = [lane.rows[-1][f"{split}_accuracy"] for lane in sound]
            means = {"epoch": stage.epoch, f"{split}_accuracy": float(np.mean(accuracies))}
            view.after_epoch(means, split)
    return broken


def _best_yet(live: Sequence[Lane], group: Setup) -> jax.Array:
    """The lanes whose last epoch is their best: bool `[lanes]`."""
    places = {lane.place for lane in live if lane.is_best_yet}
    return jnp.array([place in places for place in range(*group.lanes)])


def _save(live: Sequence[Lane], stage: Stage, best: Any, has_to_wait: bool) -> None:
    """Saves every lane; all of them have the checkpoint before this one when the first is saved."""
    for lane in live:
        lane.run.checkpoints.wait()
    totals = Totals.zero(stage.totals.loss.shape) if stage.is_epoch_end else stage.totals
    held = on_host((stage.state, totals, best))
    for lane in live:
        lane.save(*held)
    for lane in live if has_to_wait else ():
        lane.run.checkpoints.wait()
