"""The processes that are measured: protocol, failures, and who takes part."""

import io
import json
import sys

import numpy as np
import pytest

from benchmarks.contenders import workers
from benchmarks.contenders.protocol import Job, Prepared, answer, seconds_a_unit
from benchmarks.contenders.workers import Contender, WorkerError
from benchmarks.timing import alternation, pairing
from jaxact import activations
from jaxact.errors import ConfigError
from tests.support.groups import in_groups
from tests.support.paths import ROOT

FAKE = (sys.executable, "-m", "tests.benchmarks.stand_ins.fake_worker")


def test_requests_are_answered_in_order():
    requests = ['{"measure": null}', '{"prepare": {"task": "t"}}', '{"measure": null}']
    answers = io.StringIO()
    answer(lambda job: Prepared({"task": job.task}, lambda: {"seconds": 1.0}), requests, answers)
    assert [json.loads(line) for line in answers.getvalue().splitlines()] == [
        {"error": "nothing is prepared"},
        {"task": "t"},
        {"seconds": 1.0},
    ]


def test_seconds_are_those_of_a_unit_without_the_first_run(monkeypatch):
    runs = []
    # The clock advances one second a reading: 0 at the start, then one reading before each run.
    ticks = iter(range(100))
    monkeypatch.setattr(
        "benchmarks.contenders.protocol.time.perf_counter", lambda: float(next(ticks))
    )

    def run():
        runs.append(None)
        return 4

    assert seconds_a_unit(run, 2.5) == 3 / 8
    assert len(runs) == 3


def test_workers_are_driven_in_turn():
    contenders = [Contender("jaxact", FAKE), Contender("other", FAKE, {"mode": "compile"})]
    with workers.running(contenders) as running:
        details = alternation.prepared(running, contenders, Job("t", batch_size=3))
        figures = pairing.alternate(workers.in_turn(running), 2)
    assert details["other"]["mode"] == "compile"
    assert figures["jaxact"]["batch_size"] == [3, 3]
    (a1, a2), (b1, b2) = (figures[name]["seconds"] for name in ("jaxact", "other"))
    assert a1 < a2
    assert b1 < b2
    assert set(figures["other"]) == {"seconds", "batch_size", "others_cpu"}


@pytest.mark.parametrize(
    ("model", "words"),
    [("unknown", "fake: ValueError: no such model"), ("deadly", "the last words")],
)
def test_a_failure_of_a_worker_is_one_line(model, words):
    with (
        workers.running([Contender("fake", FAKE)]) as running,
        pytest.raises(WorkerError, match=words) as error,
    ):
        running["fake"].prepare(Job("t", model=model))
    assert "\n" not in str(error.value)


def test_jaxacts_own_worker_is_driven_so():
    (ours,) = workers.contenders("none", "relu", "")
    with (
        workers.running([ours]) as running,
        pytest.raises(WorkerError, match=r"jaxact: ActivationError: .*did you mean relu"),
    ):
        running["jaxact"].prepare(Job("train_step", activation="rleu"))


def test_an_interpreter_without_torch_is_refused_with_the_remedy():
    with pytest.raises(ConfigError, match=r"requirements-bench\.txt"):
        workers.contenders("torch", "relu", "/no/such/python")


JAX_NN = {name: workers.jax_nn_spec(activations.get(name)) for name in activations.names()}


OF_JAX_NN = [name for name, theirs in JAX_NN.items() if theirs is not None]


@in_groups(OF_JAX_NN, np.asarray([[-4.0, -1.5, -0.3, 0.4, 1.7, 7.0]], np.float32))
def ours_and_theirs(activation, x):
    return activation(x), activations.get(str(JAX_NN[activation.name]))(x)


@pytest.mark.parametrize("name", OF_JAX_NN)
def test_the_jax_nn_version_is_plain_and_the_same_function(name):
    assert activations.get(str(JAX_NN[name])).derivative_function is None
    ours, theirs = ours_and_theirs(name)
    assert abs(ours - theirs).max() < 1e-5


def test_an_activation_that_jax_nn_lacks_is_refused():
    assert workers.contenders("jax.nn", "elu(alpha=2.0)", "")[1].changes == {
        "activation": "jax.nn:elu(alpha=2.0)"
    }
    for spec in ("prelu", "swish(beta=2.0)", "glu"):
        with pytest.raises(ConfigError, match=r"jax\.nn has no such function"):
            workers.contenders("jax.nn", spec, "")


def test_another_checkout_is_measured_beside_the_same_program_twice(tmp_path):
    worker = tmp_path / "benchmarks" / "contenders" / "jaxact_worker.py"
    worker.parent.mkdir(parents=True)
    worker.write_text("")
    ours, again, other = workers.contenders("checkout", "relu", "python3.13", str(tmp_path))
    assert (ours.command, ours.folder) == (again.command, again.folder)
    assert (other.command[0], other.folder) == ("python3.13", tmp_path)
    assert (ROOT / worker.relative_to(tmp_path)).is_file()  # where this checkout has it, too


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="git worktree add"):
        workers.contenders("checkout", "relu", "python3", str(tmp_path))
