"""Programs compiled in threads while other runs train, and images read once for all runs."""

import dataclasses
import functools
import threading

import pytest

from jaxact.comparison import study as studies
from jaxact.comparison.engines import making
from jaxact.comparison.engines.in_process import InProcess
from jaxact.comparison.output.tables import study_table
from jaxact.comparison.plan import Plan
from jaxact.comparison.study import DONE, FAILED
from jaxact.compilation import ahead_of_time
from jaxact.runs import ahead
from jaxact.runs.process.signals import StopRequest
from jaxact.runs.setup import prepare
from jaxact.training import program
from tests.support.tiny import TINY

CHANCE = ("test_loss", "test_accuracy", "train_loss", "train_accuracy")


def plan_of(*specs, seeds=1, **changes):
    config = dataclasses.replace(TINY, epochs=1, health_examples=0, **changes)
    return Plan(config, ("digits",), (config.learning_rate,), specs, seeds, specs[0])


def make(plan, workdir, threads):
    return making.make_runs(
        studies.begin(workdir, plan), workdir, StopRequest(), InProcess(threads)
    )


@pytest.fixture
def own_programs(monkeypatch):
    """No program of another test."""
    monkeypatch.setattr(program, "_build", functools.cache(program._build.__wrapped__))


@pytest.fixture
def lowered(monkeypatch):
    """The names of the threads that lower programs, one for each program."""
    threads = []
    lower = ahead_of_time.AheadOfTime.lower

    def spy(self, *arguments, **options):
        threads.append((id(self), threading.current_thread().name))
        return lower(self, *arguments, **options)

    monkeypatch.setattr(ahead_of_time.AheadOfTime, "lower", spy)
    return threads


def numbers(study):
    return [[row[name] for row in run.metrics for name in CHANCE] for run in study.runs]


@pytest.mark.usefixtures("own_programs")
def test_what_is_compiled_ahead_trains_the_same_and_is_compiled_once(tmp_path, lowered):
    plan = plan_of("relu", "tanh", seeds=2, latency_samples=2)
    with_threads = make(plan, tmp_path / "ahead", 2)
    assert {run.status for run in with_threads.runs} == {DONE}
    assert len(lowered) == 4 * 2  # init, order, train and evaluate of each activation
    assert len(set(lowered)) == len(lowered)
    assert any(name.startswith("compile") for _, name in lowered)
    # The seconds are on the clock of the run that a program is for.
    runs = {(run.activation, run.seed): run.summary for run in with_threads.runs}
    for activation in ("relu", "tanh"):
        seconds = [runs[activation, seed]["compile_seconds"] for seed in (0, 1)]
        assert seconds[0] > 0 == seconds[1]
    disturbed = [run for run in with_threads.runs if run.summary["beside_compilation_seconds"]]
    assert with_threads.runs[0] in disturbed
    (note,) = study_table.disturbed(with_threads)
    assert note.startswith(f"{len(disturbed)} of 4 runs trained while programs of others")
    assert note in study_table.as_markdown(with_threads)

    alone = make(plan, tmp_path / "alone", 0)
    assert len(lowered) == 4 * 2  # the programs are there still
    assert numbers(with_threads) == numbers(alone)
    assert {run.summary["beside_compilation_seconds"] for run in alone.runs} == {0}
    assert study_table.disturbed(alone) == []


def test_an_activation_that_cannot_be_compiled_fails_in_its_own_run(tmp_path, monkeypatch):
    text = "def act(x):\n    if len(x) == 64:\n        raise ValueError('today')\n    return x\n"
    (tmp_path / "hopeless.py").write_text(text)  # a batch of training; else it is told before
    monkeypatch.syspath_prepend(tmp_path)
    study = make(plan_of("relu", "hopeless:act"), tmp_path / "study", 2)
    assert [run.status for run in study.runs] == [DONE, FAILED]
    assert "today" in study.runs[1].note


def test_threads_by_default(monkeypatch):
    assert ahead.default_threads() == 0
    monkeypatch.setattr(ahead.jax, "default_backend", lambda: "gpu")
    for cores, threads in ((2, 0), (4, 1), (16, 4), (96, 4), (None, 0)):
        monkeypatch.setattr(ahead.os, "cpu_count", lambda cores=cores: cores)
        assert ahead.default_threads() == threads


def test_leaving_ends_what_has_not_begun(monkeypatch):
    begun, may_go_on = threading.Event(), threading.Event()
    compiled = []

    def slow(setup, is_over):
        begun.set()
        may_go_on.wait()
        compiled.append(setup.activation.spec)

    monkeypatch.setattr(ahead, "compile_program", slow)
    with ahead.Ahead(1) as threads:
        for spec in ("relu", "relu", "tanh", "elu"):
            threads.add(prepare(dataclasses.replace(TINY, activation=spec)))
        begun.wait()
        assert threads.seconds() > 0
        threading.Timer(0.05, may_go_on.set).start()
    assert compiled[0] == "relu"
    assert "elu" not in compiled
