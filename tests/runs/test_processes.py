"""Runs in two processes of one host, which meet as those of several hosts do."""

import contextlib
import shutil
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from jaxact.runs.records import lock, record_files
from tests.runs.test_devices import FIELDS, NEAR, largest_difference
from tests.support import killing
from tests.support.commands import Commands
from tests.support.tiny import words

PROCESSES = 2
ENVIRONMENT = {"JAX_ENABLE_X64": "1"}


@pytest.fixture(scope="module")
def pair(own_compilation_cache, quick_compilation):
    """Runs a command in two processes at once, and gives how each ended.

    Each takes its own module and words after those of both, and the seconds after which it is
    killed.
    """
    with contextlib.ExitStack() as stack:
        commands = [stack.enter_context(Commands(ENVIRONMENT)) for _ in range(PROCESSES)]

        def run(
            workdir, modules=("jaxact.main",) * 2, own=((), ()), kill_after=(None, None), **fields
        ):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                address = f"127.0.0.1:{probe.getsockname()[1]},{PROCESSES}"

            def one(index):
                first = [word for word in own[index] if not word.startswith("--")]
                last = [word for word in own[index] if word.startswith("--")]
                options = FIELDS | {"devices": PROCESSES} | fields
                return commands[index].run(
                    modules[index],
                    *first,
                    f"--workdir={workdir}",
                    *words(**options, distributed=f"{address},{index}"),
                    *last,
                    kill_after=kill_after[index],
                )

            with ThreadPoolExecutor(PROCESSES) as pool:
                return list(pool.map(one, range(PROCESSES)))

        yield run


def stopped_by_second(pair, workdir, looks):
    """Stops a run by the second of its processes alone, and gives how both ended."""
    modules = ("tests.support.programs.stopped_run",) * PROCESSES
    return pair(workdir, modules, (("0",), (str(looks),)), steps_per_dispatch=1)


@pytest.fixture(scope="module")
def stopped(pair, tmp_path_factory):
    """The folder of a run that a signal to its second process has stopped; both processes' ends."""
    workdir = tmp_path_factory.mktemp("stopped") / "run"
    return workdir, stopped_by_second(pair, workdir, looks=6)


@pytest.fixture(scope="module")
def whole(pair, stopped, tmp_path_factory):
    """The folder of that run once it has gone on, and how its processes ended."""
    workdir = shutil.copytree(stopped[0], tmp_path_factory.mktemp("whole") / "run")
    ended = pair(workdir, steps_per_dispatch=1)
    assert [one.returncode for one in ended] == [0, 0], ended[0].stderr + ended[1].stderr
    return workdir, ended


@pytest.fixture(scope="module")
def alone(own_compilation_cache, quick_compilation):
    """Trains in one process on one device."""
    with Commands(ENVIRONMENT) as commands:

        def run(workdir, **fields):
            options = words(**FIELDS | fields)
            ended = commands.run("jaxact.main", f"--workdir={workdir}", *options)
            assert ended.returncode == 0, ended.stderr
            return workdir

        yield run


def test_a_signal_to_one_stops_all_after_the_same_step(stopped):
    workdir, ended = stopped
    for one in ended:
        assert one.returncode == 75, one.stderr
        assert "stopped by SIGTERM at step 6 of 8; a checkpoint is saved" in one.stderr
    assert killing.checkpoints_of(workdir)[-1] == 6


def test_a_run_that_went_on_in_two_processes_is_that_in_one_within_rounding(whole, alone, tmp_path):
    assert 0 < largest_difference(alone(tmp_path / "one"), whole[0]) < NEAR


def test_the_first_process_leaves_the_records_and_tells_the_result(whole):
    workdir, (first, second) = whole
    assert "test accuracy" in first.stdout
    assert "test accuracy" not in second.stdout
    assert len(list(killing.rows_of(workdir))) == 2
    assert len(list((workdir / record_files.TENSORBOARD).iterdir())) == 2
    environment = record_files.read_json(workdir / record_files.ENVIRONMENT)
    assert (environment["process_count"], environment["device_count"]) == (2, 2)
    assert record_files.read_json(workdir / record_files.CONFIG)["distributed"].endswith(",2,0")


@pytest.mark.slow
def test_the_same_command_again_has_nothing_to_do(pair, whole):
    workdir = whole[0]
    before = (workdir / record_files.METRICS).read_text()
    assert [one.returncode for one in pair(workdir, steps_per_dispatch=1)] == [0, 0]
    assert (workdir / record_files.METRICS).read_text() == before


@pytest.mark.slow
def test_a_run_that_stopped_goes_on_bit_for_bit(pair, whole, tmp_path):
    ended = pair(tmp_path / "run")
    assert [one.returncode for one in ended] == [0, 0], ended[0].stderr + ended[1].stderr
    killing.assert_same(tmp_path / "run", whole[0])


@pytest.mark.slow
def test_a_run_of_two_processes_goes_on_in_one(whole, stopped, alone, tmp_path):
    workdir = alone(shutil.copytree(stopped[0], tmp_path / "run"), steps_per_dispatch=1)
    assert largest_difference(whole[0], workdir) < NEAR
    environment = record_files.read_json(workdir / record_files.ENVIRONMENT)
    before = {"device_count": 2, "process_count": 2}
    assert environment["resumed"] == [{"step": 6, "before": before}]


def test_where_one_is_killed_the_other_says_so_and_ends(pair, tmp_path):
    first, second = stopped_by_second(pair, tmp_path / "run", looks=-3)
    assert second.returncode == -signal.SIGKILL
    assert first.returncode == 75
    assert "another process of this run is gone" in first.stderr
    assert "to go on, start all of them again" in first.stderr


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("--config.seed=7", "the configuration of process 1 is not that of process 0"),
        ("--config.dataset=/nowhere/pictures", "/nowhere/pictures"),
    ],
)
def test_what_is_wrong_with_one_ends_all_in_a_line(pair, tmp_path, own, message):
    own = (), (own,)
    ended = pair(tmp_path / "run", own=own)
    assert ended[0].returncode == ended[1].returncode != 0
    for one in ended:
        assert message in one.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_workdir_in_use_is_told_to_all(pair, tmp_path):
    with lock.held(tmp_path):
        ended = pair(tmp_path)
    for one in ended:
        assert one.returncode == 2
        assert f"--workdir={tmp_path} is in use by another process" in one.stderr


def test_devices_are_shared_evenly(pair, tmp_path):
    for one in pair(tmp_path / "run", devices=1):
        assert one.returncode == 2
        assert "config.devices=1 must be a multiple of 2, the number of processes" in one.stderr
