"""Processes that agree: one alone asks nobody; `tests/runs/test_processes.py` has two."""

import signal

import jax
import pytest

from jaxact import main
from jaxact.errors import ConfigError, DataError, Interrupted
from jaxact.runs.process import hosts
from jaxact.runs.process.signals import StopRequest


def test_one_process_is_the_first_and_decides():
    assert hosts.is_first()
    assert not hosts.are_several()
    assert hosts.of_first([4, 8]) == [4, 8]
    assert hosts.of_first_is(True)
    assert not hosts.of_first_is(False)
    assert hosts.slowest(0.12345) == 0.12345
    assert hosts.by_first(lambda: {"step": 3}) == {"step": 3}
    hosts.check_alike("the configuration", {"seed": 1})


def test_one_process_asks_itself_alone_whether_to_stop():
    stop = StopRequest()
    assert not hosts.are_asked(stop)
    stop.receive(signal.SIGTERM, None)
    assert hosts.are_asked(stop)


def test_an_error_of_one_process_stays_what_it_is():
    with pytest.raises(DataError, match=r"^no such folder$"):
        hosts.by_first(fail)
    with pytest.raises(DataError), hosts.together():
        fail()


def fail():
    raise DataError("no such folder")


def test_a_signal_leaves_a_block_of_one_process_at_once():
    stop = StopRequest()
    with pytest.raises(Interrupted), hosts.left_by_signals(stop, "to go on, start again"):
        stop.receive(signal.SIGTERM, None)


def test_errors_of_xla_in_one_process_are_no_lost_neighbour():
    with pytest.raises(ValueError, match="UNKNOWN"), hosts.explained():
        raise ValueError("UNKNOWN: something else")


@pytest.mark.parametrize("distributed", ["auto", "localhost:1234,2,0"])
def test_a_process_that_uses_jax_already_comes_too_late(distributed):
    jax.devices()
    with pytest.raises(ConfigError) as caught:
        main.COMMAND.parse([f"--config.distributed={distributed}"])
    assert str(caught.value).startswith(f"config.distributed={distributed}: ")
    assert "call jax.distributed.initialize() first in the program" in str(caught.value)


def test_a_cluster_that_is_not_there_is_told(commands, tmp_path):
    arguments = f"--workdir={tmp_path / 'run'}", "--config.distributed=auto"
    ended = commands.run("jaxact.main", *arguments)
    assert ended.returncode == 2
    line = ended.stderr.strip().splitlines()[-1]
    assert line.startswith("jaxact: config.distributed=auto: ")
    assert "or give each of them HOST:PORT,PROCESSES,INDEX" in line
