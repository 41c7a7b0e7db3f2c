"""The cost of a run before it is made: a few steps of its own program, carried on to all epochs.

Nothing is written but compiled programs, where they are kept: the run then finds them.
"""

import dataclasses
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import jax

from jaxact.compilation.clock import Clock
from jaxact.config import Config
from jaxact.inference import latency
from jaxact.runs import cadence, dispatch
from jaxact.runs.ahead import compile_program
from jaxact.runs.loading import evaluation
from jaxact.runs.process import memory
from jaxact.runs.records import checkpoint
from jaxact.runs.setup import Setup, initial_state, prepare
from jaxact.runs.stages import stages
from jaxact.training import data_parallel, program
from jaxact.training.state import Totals, TrainState

STEPS_SECONDS = 1.0  # of training that are measured, and two dispatches at least
CALLS = 10  # classifications of one image that are timed
# What cannot be measured without writing: the records of a run, and of an epoch.
RUN_FILES_SECONDS, EPOCH_FILES_SECONDS = 0.3, 0.005
RUN_FILES_BYTES, EPOCH_FILES_BYTES = 2**15, 2**12
PACKED = 0.9  # of a checkpoint's bytes, as they lie on disk
START_SECONDS = 3.0  # imports, and the first use of the device
# The range of what a second measured now may be later: clocks that fall, other work, a warm cache.
LOW, HIGH = 0.8, 1.4


@dataclasses.dataclass(frozen=True)
class Span:
    """Seconds to be expected, and the range that they may well be in."""

    low: float = 0.0
    likely: float = 0.0
    high: float = 0.0

    @classmethod
    def about(cls, seconds: float) -> "Span":
        """The span of seconds that were measured once."""
        return cls(LOW * seconds, seconds, HIGH * seconds)

    def __add__(self, other: "Span") -> "Span":
        return Span(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def __mul__(self, times: float) -> "Span":
        return Span(times * self.low, times * self.likely, times * self.high)


@dataclasses.dataclass(frozen=True)
class Cost:
    """The expected cost of a configuration's runs, whatever their seed.

    Attributes:
      step: a step of training.
      epoch_end: evaluation, examination of layers, and records after each epoch.
      end: latency, checkpoint and records of a run.
      compilation: of all programs by the next process, which finds what this one has kept.
      cold_compilation: of all programs, where none is kept.
      steps_per_epoch: whole batches in the training images.
      patience_epochs: of early stopping.
      program_bytes: the most that the training program holds; None where the device does not tell.
      checkpoint_bytes: the size of one.
    """

    step: Span
    epoch_end: Span
    end: Span
    compilation: Span
    cold_compilation: Span
    steps_per_epoch: int
    patience_epochs: int | None
    program_bytes: int | None
    checkpoint_bytes: int

    def seconds(self, epochs: int) -> Span:
        """The seconds of so many epochs to the end of a run, compilation not included."""
        all_epochs = (self.step * self.steps_per_epoch + self.epoch_end) * epochs
        fewest = epochs if self.patience_epochs is None else min(epochs, self.patience_epochs + 1)
        trained = Span(
            all_epochs.low * fewest / max(epochs, 1),
            all_epochs.likely,
            (1 + cadence.SHARE) * all_epochs.high,  # with checkpoints on the way
        )
        return trained + self.end

    def disk_bytes(self, epochs: int) -> tuple[int, int]:
        """The least and the most that a run leaves: one checkpoint packed, or all that are kept."""
        records = RUN_FILES_BYTES + epochs * EPOCH_FILES_BYTES
        size = self.checkpoint_bytes
        return records + int(PACKED * size), records + checkpoint.KEPT * size


def measure(config: Config) -> Cost:
    """The cost of runs of a configuration, from its own programs at work for some seconds.

    Raises:
      ConfigError, DataError: no run can be made.
      OutOfMemoryError: of the device.
    """
    clock = Clock()
    with memory.explained(config):
        setup = prepare(config, may_stream=True)
        cold, again = compilation(setup)
        state, step = some_steps(setup, clock)
        evaluations = {name: evaluation_seconds(setup, state, name) for name in setup.evaluations}
        setup.close()
        health_seconds = examination_seconds(setup, state)
        latency_seconds = classification_seconds(setup, state)
    best = state.evaluated if config.early_stopping_epochs is not None else None
    size = checkpoint.size_bytes((state, Totals.zero(), best))
    saving_seconds = cadence.ASSUMED_SECONDS + size / cadence.ASSUMED_BYTES_PER_SECOND
    each_epoch = evaluations.pop(config.eval_split) + health_seconds + EPOCH_FILES_SECONDS
    at_end = sum(evaluations.values()) + latency_seconds + saving_seconds + RUN_FILES_SECONDS
    return Cost(
        step=step,
        epoch_end=Span.about(each_epoch),
        end=Span.about(at_end),
        compilation=again,
        cold_compilation=cold,
        steps_per_epoch=setup.steps_per_epoch,
        patience_epochs=config.early_stopping_epochs,
        program_bytes=setup.program.train.memory_bytes(setup.fed),
        checkpoint_bytes=size,
    )


def compilation(setup: Setup) -> tuple[Span, Span]:
    """The compilation of all that a run calls: now, and by the next process if it is kept."""
    cold = _seconds(lambda: compile_program(setup, threading.Event()))
    if not jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue]
        return Span.about(cold), Span.about(cold)
    anew = program.assemble(setup.recipe, setup.program.optimizer)
    again = _seconds(
        lambda: compile_program(dataclasses.replace(setup, program=anew), threading.Event())
    )
    return Span.about(cold), Span.about(again)


def some_steps(setup: Setup, clock: Clock) -> tuple[TrainState, Span]:
    """Trains for about a second; gives the state, and the seconds of a step.

    The first dispatch warms up, unless there is no other; short ones tell less than long ones.
    """
    length = dispatch.choose(setup.config.steps_per_dispatch, setup.steps_per_epoch)
    times: list[tuple[int, float]] = []  # the steps of each dispatch, and the seconds of one
    state, step, before = initial_state(setup, clock), 0, 0.0
    for stage in stages(setup, state, clock, length):
        count, seconds = stage.step - step, clock.train_seconds - before
        times.append((count, seconds / count))
        state, step, before = stage.state, stage.step, clock.train_seconds
        if len(times) > 1 and clock.train_seconds >= STEPS_SECONDS:
            break
    warm = times[1:] or times
    longest = max(count for count, _ in warm)
    told = [seconds for count, seconds in warm if 2 * count > longest]
    likely = statistics.median(told)
    return state, Span(min(LOW * likely, *told), likely, max(HIGH * likely, statistics.fmean(told)))


def evaluation_seconds(setup: Setup, state: TrainState, split: str) -> float:
    """The seconds of an evaluation of a split."""
    batches = setup.evaluations[split]
    evaluate = evaluation.compiled(setup.program, state, batches)
    return _warm_seconds(lambda: evaluate(state, batches))


def examination_seconds(setup: Setup, state: TrainState) -> float:
    """The seconds in which activation layers are examined once; 0 if they are not."""
    if setup.probe is None:
        return 0.0
    examine = setup.program.health.compile(state, setup.probe)
    return _warm_seconds(lambda: examine(state, setup.probe))


def classification_seconds(setup: Setup, state: TrainState) -> float:
    """The seconds in which the latency of a run is measured; 0 if it is not.

    From the median of some classifications: a sample is one to the logits and one to the class, and
    each image is classified in one dispatch of all of them, too.
    """
    samples = setup.config.latency_samples
    if not samples:
        return 0.0
    images = setup.data.test_images[: latency.IMAGES]
    state, fitted = data_parallel.local((state, setup.train.preprocessing))
    variables = setup.program.fold(state, images[:1], *fitted)
    classify = setup.program.classifier.logits
    call = lambda: jax.block_until_ready(classify(variables, images[:1]))  # noqa: E731
    call()
    one = statistics.median(_seconds(call) for _ in range(CALLS))
    return one * (2 * (latency.WARMUPS + samples) + samples + 2 * len(images))


def _seconds(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - begin


def _warm_seconds(call: Callable[[], Any]) -> float:
    """The seconds of a call that is not the first, unless that takes long."""
    first = _seconds(call)
    return first if first > STEPS_SECONDS else _seconds(call)
