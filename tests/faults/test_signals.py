"""SIGTERM and SIGINT, whatever a run is doing: exit code 75, and the same command goes on."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from jaxact.compilation import ahead_of_time
from jaxact.config import Config
from jaxact.errors import Interrupted
from jaxact.inference import latency
from jaxact.runs import fit
from jaxact.runs.process import signals
from jaxact.runs.records import checksums, record_files
from tests.support import killing
from tests.support.paths import ROOT

TINY = dataclasses.replace(Config(), **killing.SMALL | {"latency_samples": 5})


@contextlib.contextmanager
def signal_when(monkeypatch, place, name, number):
    """Sends the process a signal when a function is first called."""
    original, sent = getattr(place, name), []

    def call(*arguments, **options):
        if not sent:
            sent.append(number)
            os.kill(os.getpid(), number)
        return original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(place, name, call)
        yield
    assert sent


MOMENTS: dict[str, tuple[Any, str]] = {
    "restoring": (fit, "begin"),
    "compiling": (ahead_of_time.AheadOfTime, "prepare"),
    "evaluating": (fit, "make_row"),
    "saving": (checksums, "seal"),
    "measuring the latency": (latency, "measure"),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A run that no signal met."""
    workdir = tmp_path_factory.mktemp("whole") / "run"
    fit.fit(TINY, workdir)
    return workdir


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_at_any_moment_is_answered_and_the_run_goes_on(
    whole, tmp_path, monkeypatch, moment
):
    with (
        signal_when(monkeypatch, *MOMENTS[moment], signal.SIGTERM),
        pytest.raises(Interrupted, match="stopped by SIGTERM") as caught,
    ):
        fit.fit(TINY, tmp_path / "run")
    assert caught.value.exit_code == 75
    assert not (tmp_path / "run" / record_files.SUMMARY).exists()
    fit.fit(TINY, tmp_path / "run")
    killing.assert_same(whole, tmp_path / "run")


def python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize("number", signals.NUMBERS)
def test_a_signal_during_the_imports_ends_with_75_and_writes_nothing(tmp_path, number):
    command = [sys.executable, "-X", "importtime", "-m", "jaxact.main", f"--workdir={tmp_path}/run"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:  # JAX comes long after the handlers
            if line.rstrip().endswith("numpy"):
                break
        process.send_signal(number)
        said = process.stderr.read()
    assert process.returncode == 75
    assert f"jaxact: stopped by {number.name}; nothing is lost" in said
    assert not (tmp_path / "run").exists()


def test_a_second_signal_ends_a_process_that_is_busy_in_compiled_code():
    """Where Python's own handlers have to wait: here an hour of hashing."""
    with python(
        """
        import hashlib
        from jaxact.runs.process.signals import stop_on_signals
        with stop_on_signals() as stop:
            print("ready", flush=True)
            hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
        """
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)  # one signal, not two in one
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 128 + signal.SIGTERM


def test_the_handlers_of_before_come_back():
    before = [signal.getsignal(number) for number in signals.NUMBERS]
    with signals.stop_on_signals():
        assert [signal.getsignal(number) for number in signals.NUMBERS] != before
    assert [signal.getsignal(number) for number in signals.NUMBERS] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_stop_that_a_library_swallows_is_raised_again():
    stop = signals.StopRequest()

    def swallow() -> None:
        with contextlib.suppress(Exception):
            stop.receive(signal.SIGINT, None)

    with pytest.raises(Interrupted, match="SIGINT; go on"), stop.nothing_to_save("go on"):
        swallow()
    with pytest.raises(Interrupted), stop.nothing_to_save("go on"):
        raise AssertionError("a block that began after the signal")
