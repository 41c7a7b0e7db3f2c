"""Runs made at once in processes: they are those of one process, whatever dies or is stopped."""

import contextlib
import dataclasses
import functools
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

import jaxact
from jaxact.comparison import study as studies
from jaxact.comparison.analysis import machines
from jaxact.comparison.engines import making
from jaxact.comparison.engines.processes import worker_process
from jaxact.comparison.engines.processes.slots import slots
from jaxact.comparison.engines.processes.workers import Workers
from jaxact.comparison.study import DONE, FAILED, MISSING
from jaxact.errors import Interrupted
from jaxact.runs.process import cores
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.records import record_files
from tests.comparison.engines import alike
from tests.comparison.engines.alike import NETWORK, stored
from tests.support.paths import ROOT, python_path
from tests.support.tiny import words

needs_two = pytest.mark.skipif(len(cores.usable()) < 2, reason="two cores are needed")
pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system cannot keep a process to cores"
)
plan_of = functools.partial(alike.plan_of, epochs=1)


def make(plan, workdir, parallel=1, stop=None):
    return alike.make(plan, workdir, Workers(slots(parallel, 1, 0)), stop)


def workers():
    """The processes that make runs for this one."""
    children = psutil.Process().children()
    return [child for child in children if "engines" in " ".join(child.cmdline())]


@needs_two
def test_runs_made_at_once_are_those_of_one_process(tmp_path):
    plan = plan_of("relu", seeds=2)
    at_once = make(plan, tmp_path / "at_once", 2)
    assert {run.status for run in at_once.runs} == {DONE}
    assert studies.load(tmp_path / "at_once") == at_once
    places = {run.environment["cores"] for run in at_once.runs}
    assert len(places) == 2
    assert {run.environment["usable_cpus"] for run in at_once.runs} == {1}
    assert {run.environment["runs_at_once"] for run in at_once.runs} == {2}
    assert not machines.are_ranked(at_once.runs)
    alone = make(plan, tmp_path / "alone")
    assert {run.environment["runs_at_once"] for run in alone.runs} == {1}
    assert machines.are_ranked(alone.runs)
    assert stored(tmp_path / "at_once") == stored(tmp_path / "alone")


def test_processes_stay_from_one_work_to_the_next_with_what_they_have_compiled(tmp_path):
    with contextlib.closing(Workers(slots(1, 1, 0))) as engine:
        for seeds in (1, 2):
            study = studies.begin(tmp_path, plan_of("relu", seeds=seeds))
            study = making.make_runs(study, tmp_path, StopRequest(), engine)
            (process,) = workers()
    assert [run.summary["compile_seconds"] > 0 for run in study.runs] == [True, False]
    assert not process.is_running()


class KillOnce(StopRequest):
    """Kills the processes that make runs once one has written a row, so many times."""

    def __init__(self, workdir, times):
        super().__init__()
        self.workdir, self.left = workdir, times

    @property
    def signal(self):
        if self.left and any(self.workdir.rglob("metrics.jsonl")):
            for child in workers():
                child.kill()
                self.left -= 1
            time.sleep(0.1)
        return None

    @signal.setter
    def signal(self, value):
        assert value is None


@pytest.mark.parametrize(("times", "status"), [(1, DONE), (2, FAILED)])
def test_a_process_that_dies_is_a_failed_attempt_and_the_run_is_tried_again(
    tmp_path, times, status
):
    plan, workdir = plan_of("relu", epochs=80, checkpoint_every_epochs=9), tmp_path / "study"
    killing = KillOnce(workdir, times)
    (run,) = make(plan, workdir, stop=killing).runs
    assert killing.left == 0
    assert run.status == status
    if status == FAILED:
        assert run.note.startswith("its process was killed by SIGKILL")
        assert "SIGKILL" in (workdir / making.FAILURES).read_text()
        assert studies.load(workdir).runs[0].status == FAILED
    else:
        assert [row["epoch"] for row in run.metrics] == list(range(1, 81))


def test_what_fails_in_a_process_fails_there_alone(tmp_path, monkeypatch):
    text = "def act(x):\n    return x.no_such_attribute if x.shape[:1] == (64,) else x\n"
    (tmp_path / "broken.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    study = make(plan_of("broken:act", "relu"), tmp_path / "study")
    assert [run.status for run in study.runs] == [FAILED, DONE]
    assert "no_such_attribute" in study.runs[0].note
    assert "Traceback" in (tmp_path / "study" / making.FAILURES).read_text()


def test_functions_of_a_program_are_sent_with_the_runs(tmp_path):
    pytest.importorskip("cloudpickle")
    study = jaxact.compare(
        lambda x: x * 0.5,
        alike.CONFIG,
        seeds=1,
        cpus_per_run=1,
        workdir=tmp_path / "study",
        progress=False,
    )
    assert {run.status for run in studies.load(tmp_path / "study").runs} == {DONE}
    assert len(study.activations) == 1


def test_a_function_that_is_another_there_is_refused(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("def act(x):\n    return x * 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    study = studies.begin(tmp_path / "study", plan_of("mine:act"))
    changed = {
        spec: {**record, "program": "0" * 64, "values": "0"}
        for spec, record in study.functions.items()
    }
    study = dataclasses.replace(study, functions=changed)
    with contextlib.closing(Workers(slots(1, 1, 0))) as engine:
        (run,) = making.make_runs(study, tmp_path / "study", StopRequest(), engine).runs
    assert run.status == FAILED
    assert "is another function where this run was to be made" in run.note


def command(workdir, *more):
    return [
        *(sys.executable, "-m", "experiments.compare", f"--workdir={workdir}"),
        *("--activations=relu", "--seeds=2", "--parallel=2", *more),
        *words(
            model=NETWORK,
            target_accuracy=0,
            epochs=20,
            checkpoint_every_epochs=1,
            health_examples=0,
        ),
    ]


def begun(arguments, *paths):
    """A command that has written files."""
    process = subprocess.Popen(
        arguments,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": python_path(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    is_there = lambda: all(path.exists() for path in paths)  # noqa: E731
    while not is_there() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_there(), process.communicate()[1]
    return process


@needs_two
def test_killed_and_continued_it_is_the_same_study(tmp_path):
    killed = tmp_path / "killed"
    process = begun(command(killed), killed / "relu" / "seed1" / record_files.METRICS)
    children = psutil.Process(process.pid).children()
    assert len(children) == 2
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive  # nothing goes on that nobody waits for
    before = studies.load(killed)
    assert MISSING in {run.status for run in before.runs}
    with contextlib.closing(Workers(slots(1, 1, 0))) as engine:
        for workdir in (killed, tmp_path / "whole"):
            study = studies.begin(workdir, before.plan)
            making.make_runs(study, workdir, StopRequest(), engine)
    assert stored(killed) == stored(tmp_path / "whole")


@needs_two
@pytest.mark.parametrize("signals", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_signal_stops_all_runs_with_a_checkpoint_and_a_second_one_at_once(tmp_path, signals):
    workdir = tmp_path / "study"
    folders = [workdir / "relu" / f"seed{seed}" for seed in (0, 1)]
    files = [folder / record_files.METRICS for folder in folders]
    process = begun(command(workdir, "--config.epochs=100000"), *files)
    children = psutil.Process(process.pid).children()
    for _ in range(signals):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it
    _, stderr = process.communicate(timeout=240)
    psutil.wait_procs(children, timeout=20)
    assert not any(child.is_running() for child in children)
    if signals == 2:
        assert process.returncode in (128 + signal.SIGINT, Interrupted.exit_code)
        return
    assert process.returncode == Interrupted.exit_code
    assert stderr.splitlines()[-1].startswith("jaxact: stopped by SIGINT after 0 of 2 runs")
    for folder in folders:
        rows = record_files.read_rows(folder / record_files.METRICS)
        newest = max(int(path.name) for path in (folder / "checkpoints").glob("[0-9]*"))
        assert newest >= rows[-1]["step"]  # of the moment of the signal, not of an epoch before


def test_a_worker_that_is_gone_is_told_by_how_it_ended(monkeypatch, tmp_path):
    monkeypatch.setattr(
        worker_process, "_START", "import sys; sys.stderr.write('so\\n'); sys.exit(3)"
    )
    (run,) = make(plan_of("relu"), tmp_path).runs
    assert (run.status, run.note) == (FAILED, "its process ended with exit code 3")
    assert "so" in (tmp_path / making.FAILURES).read_text()
    assert json.loads((tmp_path / "study.json").read_text())["runs"][0]["status"] == FAILED
