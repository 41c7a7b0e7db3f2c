"""Commands that are ended when their time is over, with all that they started."""

import sys

import psutil
import pytest

from benchmarks.timing import deadline
from jaxact.runs.process.signals import StopRequest

FOREVER = 600.0


def test_a_command_that_ends_by_itself_says_how(capfd):
    code = "import sys; print('out'); print('first\\nlast', file=sys.stderr); sys.exit({})"
    for number in (0, 3):
        ended = deadline.run([sys.executable, "-c", code.format(number)], FOREVER, StopRequest())
        assert (ended.code, ended.last_words) == (number, "last")
    printed = capfd.readouterr()
    assert printed.out == "out\nout\n"
    assert printed.err == "first\nlast\n"  # of the one that went well


# Starts another process like itself that hears no SIGTERM, and one more in a session of its own.
STUBBORN = """
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
children = [
    subprocess.Popen([sys.executable, "-c", child], start_new_session=apart)
    for apart in (False, True)
]
pathlib.Path(sys.argv[1]).write_text(" ".join(str(child.pid) for child in children))
{}
"""


@pytest.fixture
def quick_grace(monkeypatch):
    monkeypatch.setattr(deadline, "GRACE_SECONDS", 0.2)


@pytest.mark.usefixtures("quick_grace")
def test_a_command_is_ended_with_all_that_it_started(tmp_path):
    file = tmp_path / "started"
    command = [sys.executable, "-c", STUBBORN.format("time.sleep(600)"), str(file)]
    # The time is over once the processes are there.
    clock = iter(lambda: FOREVER if file.exists() and file.read_text() else 0.0, None)
    ended = deadline.run(command, 1.0, StopRequest(), lambda: next(clock))
    assert ended.code is None
    assert not [n for n in map(int, file.read_text().split()) if is_running(n)]


@pytest.mark.usefixtures("quick_grace")
def test_what_a_command_leaves_behind_is_ended(tmp_path):
    file = tmp_path / "started"
    command = [sys.executable, "-c", STUBBORN.format("children[1].kill()"), str(file)]
    assert deadline.run(command, FOREVER, StopRequest()).code == 0
    assert not is_running(int(file.read_text().split()[0]))


def is_running(number):
    return psutil.pid_exists(number) and deadline.is_alive(psutil.Process(number))
