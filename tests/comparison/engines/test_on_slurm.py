"""Runs as jobs of submitit, on its local cluster."""

import os
import signal
import threading
import time

import psutil
import pytest

from jaxact.comparison.engines.clusters.on_slurm import ON_THIS_MACHINE, OnSlurm
from jaxact.comparison.engines.processes.slots import slots
from jaxact.comparison.engines.processes.workers import Workers
from jaxact.comparison.study import DONE, MISSING
from jaxact.errors import ConfigError
from jaxact.runs.process import cores
from jaxact.runs.process.signals import StopRequest
from tests.comparison.engines.alike import make, plan_of, stored

submitit = pytest.importorskip("submitit", reason="submitit is not installed (the extra `slurm`)")
pytestmark = pytest.mark.skipif(len(cores.usable()) < 2, reason="two cores are needed")


def jobs():
    """The processes of this test's jobs that train: children of submitit's controllers."""
    controllers = [
        child for child in psutil.Process().children() if "submitit" in " ".join(child.cmdline())
    ]
    return [job for controller in controllers for job in controller.children()]


@pytest.fixture
def once_it_trains():
    """Has a thread do something as soon as a run of a folder has made a row."""
    threads = []

    def begin(workdir, action):
        def wait():
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline and not any(workdir.rglob("metrics.jsonl")):
                time.sleep(0.02)
            action()

        threads.append(threading.Thread(target=wait))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join()


def send(number):
    for job in jobs():
        os.kill(job.pid, number)


def test_jobs_make_what_one_process_makes(tmp_path):
    plan = plan_of("relu", "tanh", seeds=2)
    study = make(plan, tmp_path / "jobs", OnSlurm(ON_THIS_MACHINE, parallel=2))
    assert {run.status for run in study.runs} == {DONE}
    assert {run.environment["usable_cpus"] for run in study.runs} == {1}
    make(plan, tmp_path / "here", Workers(slots(1, 1, 0)))
    assert stored(tmp_path / "jobs") == stored(tmp_path / "here")


def test_a_job_that_is_preempted_is_queued_again_and_goes_on(tmp_path, once_it_trains):
    plan, workdir = plan_of("relu", epochs=60), tmp_path / "jobs"
    once_it_trains(workdir, lambda: send(signal.SIGUSR2))
    (run,) = make(plan, workdir, OnSlurm(ON_THIS_MACHINE)).runs
    assert run.status == DONE
    logs = "".join(path.read_text() for path in workdir.rglob("slurm/*.err"))
    assert "Requeued job" in logs
    make(plan, tmp_path / "here", Workers(slots(1, 1, 0)))
    assert stored(workdir) == stored(tmp_path / "here")


def test_a_job_that_dies_is_tried_again(tmp_path, once_it_trains):
    plan, workdir = plan_of("relu", epochs=60), tmp_path / "jobs"
    once_it_trains(workdir, lambda: send(signal.SIGKILL))
    (run,) = make(plan, workdir, OnSlurm(ON_THIS_MACHINE)).runs
    assert run.status == DONE


def test_a_stop_ends_jobs_with_a_checkpoint(tmp_path, once_it_trains):
    stop, workdir = StopRequest(), tmp_path / "jobs"
    once_it_trains(workdir, lambda: stop.receive(signal.SIGINT, None))
    (run,) = make(plan_of("relu", epochs=100000), workdir, OnSlurm(ON_THIS_MACHINE), stop).runs
    assert run.status == MISSING
    newest = max(int(path.name) for path in workdir.rglob("checkpoints/[0-9]*"))
    assert newest >= run.metrics[-1]["step"]
    assert not jobs()


def test_without_slurm_there_is_a_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="--slurm_cluster=local tries the same jobs here"):
        make(plan_of("relu"), tmp_path, OnSlurm())
