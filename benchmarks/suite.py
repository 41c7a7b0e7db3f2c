"""python -m benchmarks.suite [--minutes=10] [--peer=torch --peer_python=PYTHON] [--out_dir=DIR]

All there is to know of a machine in one command that ends in time: the training step and the
latency of one sample, of both networks, in the precisions that the device has, and the accuracy of
the activations. The most telling comes first; what the minutes are not enough for is left out, and
said. Each measurement is one of the other programs in a process of its own, and leaves the file
that it leaves by itself. With time enough they measure as long as by themselves. On an accelerator
what time is left goes to the ledger, the errors over every float: another suite goes on with it.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from benchmarks import results
from benchmarks.contenders.workers import ROOT, WorkerError, contenders
from benchmarks.shared import SHARED
from benchmarks.timing import deadline
from benchmarks.timing.deadline import Clock
from benchmarks.timing.suite_plan import Device, Step, pace, plan, summary
from jaxact.command import Command, Option, Options
from jaxact.compilation.clock import process_age_seconds
from jaxact.errors import ConfigError, Interrupted, JaxactError
from jaxact.presentation.tables import as_rich
from jaxact.runs.process.signals import NUMBERS, StopRequest, stop_on_signals

# Kept for the end: a step and its workers are ended, the table is printed.
RESERVE_SECONDS = 2 * deadline.GRACE_SECONDS + 2
DEVICE_SECONDS = 60.0  # for JAX to say which device it has
LOOK = (
    "import json, jax; device = jax.devices()[0]; "
    "print(json.dumps([device.platform, device.device_kind, "
    "getattr(device, 'compute_capability', None)]))"
)


class StepsFailed(JaxactError):
    """Some measurements failed, or there is none."""


class Outcome(NamedTuple):
    """A step and what became of it.

    Attributes:
      step: the step.
      words: "measured", or why not.
      seconds: it took; None: it was not begun.
      note: why it failed.
    """

    step: Step
    words: str
    seconds: float | None = None
    note: str = ""


MEASURED, FAILED = "measured", "failed"


def look_for_device(limit_seconds: float) -> Device:
    """The device that JAX computes on, asked in another process: one that holds a GPU takes memory.

    Raises:
      WorkerError: JAX finds none.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", LOOK],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=limit_seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise WorkerError(
            f"JAX did not say within {limit_seconds:.0f} s on what it runs"
        ) from error
    if done.returncode:
        raise WorkerError(f"JAX finds no device: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return Device(*json.loads(done.stdout.strip().splitlines()[-1]))


def make_folder(path: Path) -> Path:
    """The folder for the files, made; raises ConfigError if nothing can be written there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ConfigError(
            f"--out_dir={path} cannot be written ({error.strerror}); choose another"
        ) from error
    return path.resolve()


def check_time(steps: Sequence[Step], left_seconds: float, minutes: float) -> None:
    """Raises ConfigError if not even the quickest step can be expected to end in time."""
    least = min(step.seconds for step in steps)
    if left_seconds < least:
        needed = minutes + (least - left_seconds) / 60
        raise ConfigError(
            f"--minutes={minutes:g} is too short: the quickest measurement takes about "
            f"{least:.0f} s; give at least --minutes={needed + 0.05:.1f}"
        )


def perform(
    steps: Sequence[Step],
    end: float,
    stop: StopRequest,
    clock: Clock = time.monotonic,
) -> list[Outcome]:
    """Takes the steps one after the other, each for as long as there is time.

    Args:
      steps: the most important first.
      end: of the time, by `clock`; a step that still runs then is ended.
      stop: once it is asked for, the step that runs is ended and no other begins.
      clock: seconds.
    """
    outcomes: list[Outcome] = []
    for number, step in enumerate(steps, 1):
        begun = [outcome for outcome in outcomes if outcome.seconds is not None]
        expected = step.seconds * pace(
            [outcome.seconds or 0.0 for outcome in begun if outcome.words != FAILED],
            [outcome.step.seconds for outcome in begun if outcome.words != FAILED],
        )
        left = end - clock()
        if stop or left < expected:
            why = f"not begun: stopped by {stop.name}"
            too_short = f"not begun: takes about {expected:.0f} s, {max(left, 0):.0f} s were left"
            outcomes.append(Outcome(step, why if stop else too_short))
            continue
        tell(f"[{number}/{len(steps)}] {step.what}: about {expected:.0f} of {left:.0f} s")
        outcome = take(step, left, stop, clock)
        outcomes.append(outcome)
        if outcome.words != MEASURED:
            tell(f"{step.what}: {outcome.words}{': ' if outcome.note else ''}{outcome.note}")
    return outcomes


def take(step: Step, limit_seconds: float, stop: StopRequest, clock: Clock) -> Outcome:
    """Takes one step."""
    ended = deadline.run([sys.executable, *step.arguments], limit_seconds, stop, clock)
    if ended.code == 0:
        return Outcome(step, MEASURED, ended.seconds)
    if ended.code is None:
        why = f"stopped by {stop.name}" if stop else "the time was over"
        return Outcome(step, f"cut off: {why}", ended.seconds)
    note = ended.last_words.removeprefix("jaxact: ") or f"exit code {ended.code}"
    return Outcome(step, FAILED, ended.seconds, note)


def tell(text: str) -> None:
    """Progress, on stderr; what the steps print before and after is in order with it."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


def row(outcome: Outcome, platform: str) -> dict[str, Any]:
    """The outcome's row of the last table."""
    cells = {
        "measurement": outcome.step.what,
        "outcome": outcome.words,
        "s": outcome.seconds,
        "jaxact": None,
    }
    if has_results(outcome):
        cells |= summary(outcome.step, platform)
    return cells


def has_results(outcome: Outcome) -> bool:
    """Whether a step left its file, or a folder in which some are: those that were whole."""
    folder = outcome.step.file
    return outcome.words == MEASURED or (outcome.seconds is not None and folder.is_dir())


def report(outcomes: Sequence[Outcome], device: Device, minutes: float, folder: Path) -> None:
    """Prints what was measured, what was not and why, and where the files are."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = results.FILE_WIDTH
    title = f"{device.kind or device.platform}, {minutes:g} min"
    console.print(as_rich([row(outcome, device.platform) for outcome in outcomes], title))
    for outcome in outcomes:
        if outcome.note:
            print(f"{outcome.step.what} failed: {outcome.note}")
    names = [outcome.step.file.name for outcome in outcomes if has_results(outcome)]
    print(f"files: {', '.join(names) or 'none'} in {folder}")


def suite(options: Options) -> None:
    """Measures what the options allow, prints what that was, and writes its files.

    Raises:
      ConfigError, WorkerError: before anything is measured.
      Interrupted: by a signal; what is there has been reported.
      StepsFailed: after all else.
    """
    minutes = options.minutes
    end = time.monotonic() - process_age_seconds() + 60 * minutes - RESERVE_SECONDS
    contenders(options.peer, "relu", options.peer_python)  # raises if one cannot be run
    folder = make_folder(Path(options.out_dir or results.FOLDER))
    device = look_for_device(DEVICE_SECONDS)
    steps = plan(device, minutes, options.peer, options.peer_python, folder)
    check_time(steps, end - time.monotonic(), minutes)
    with stop_on_signals((*NUMBERS, signal.SIGHUP), ends_on_second=False) as stop:
        outcomes = perform(steps, end, stop)
        report(outcomes, device, minutes, folder)
    failed = [outcome for outcome in outcomes if outcome.words == FAILED]
    measured = [outcome for outcome in outcomes if outcome.words == MEASURED]
    if stop:
        raise Interrupted(f"stopped by {stop.name}; what was measured is in {folder}")
    if failed:
        raise StepsFailed(f"{len(failed)} of {len(outcomes)} measurements failed, as listed above")
    if not measured:
        raise StepsFailed("nothing was measured in time; give more --minutes, or no --peer")


COMMAND = Command(
    "python -m benchmarks.suite",
    __doc__ or "",
    {
        "minutes": Option(10.0, "the whole ends within them", least=0),
        "peer": SHARED["peer"],
        "peer_python": SHARED["peer_python"],
        "out_dir": Option(None, "for the files; benchmarks/results, if not given", Path),
    },
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(suite))
