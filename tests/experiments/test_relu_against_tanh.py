"""Epochs to an error: crossings, the choice of rates, pairs; and the command."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
import pytest

from experiments.common import headlines
from experiments.relu_against_tanh import experiment, time_to_error
from experiments.relu_against_tanh.experiment import Measured
from experiments.relu_against_tanh.time_to_error import Choice, Trace
from jaxact import data
from jaxact.compilation.clock import Clock
from jaxact.runs import setup
from jaxact.runs.loading import run_data
from jaxact.training.state import Totals
from tests.support.experiments import drawn, perform
from tests.support.tiny import TINY

WORDS = [
    *("--train_examples=96", "--batch_size=16", "--seeds=2", "--epochs=6", "--measurements=3"),
    *("--model=thin_cnn", "--learning_rates=0.01,0.05"),
]


@pytest.fixture(scope="module")
def course():
    config = dataclasses.replace(
        TINY,
        train_examples=96,
        batch_size=16,
        dropout_rate=0.0,
        augmentation="none",
        health_examples=0,
        epochs=20,
    )
    return time_to_error.prepare(config, "sgd", measurements_per_epoch=4)


@pytest.mark.parametrize(
    ("errors", "target", "expected"),
    [
        ((0.9, 0.5, 0.1), 0.3, 0.75),
        ((0.9, 0.5, 0.1), 0.5, 0.5),
        ((0.9, 0.1, 0.5, 0.1), 0.3, 0.375),  # the first crossing counts
        ((0.2, 0.1), 0.3, 0.0),
        ((0.9, 0.5), 0.3, math.inf),
    ],
)
def test_the_crossing_lies_on_a_straight_line(errors, target, expected):
    trace = Trace([0.5 * k for k in range(len(errors))], errors)
    assert time_to_error.epochs_to(trace, target) == pytest.approx(expected)
    assert time_to_error.has_reached(trace, target) == math.isfinite(expected)


def train(course, rate, seed=0, epochs=2.0):
    return time_to_error.train(course, rate, seed, lambda trace: trace.epochs[-1] < epochs)


def test_measurements_fall_into_epochs_and_end_with_them(course):
    assert course.interval == 2  # of 6 steps an epoch: as near to 4 measurements as it can
    trace = train(course, 0.02)
    np.testing.assert_allclose(trace.epochs, np.arange(7) / 3)
    assert len(trace.errors) == 7
    assert trace.errors[-1] < trace.errors[0]
    assert train(course, 0.02) == trace
    assert train(course, 0.02, seed=1).errors != trace.errors


def test_a_rate_of_next_to_nothing_changes_nothing(course):
    errors = train(course, 1e-12).errors
    assert set(errors) == {errors[0]}


def test_a_loss_that_is_not_finite_ends_the_run(course):
    trace = train(course, 1e12)
    assert trace.diverged
    assert len(trace.errors) < 7


def errors_of_a_run(config):
    """The error on all training images after each step of an epoch, as `jaxact.main` trains."""
    run, clock = setup.prepare(config), Clock()
    state = setup.initial_state(run, clock)
    drawing = (run.keys.order, jnp.int32(0), run.train.labels)
    order = run.program.order.prepare(clock, *drawing)(*drawing)
    split = data.Split(np.asarray(run.train.images), np.asarray(run.train.labels))
    batches = run_data.in_batches(split, *run.train.preprocessing)
    evaluate = run.program.evaluate.prepare(clock, state, batches)
    errors = [1 - evaluate(state, batches).means()[1]]
    for _ in range(run.steps_per_epoch):
        arguments = (jnp.int32(1), state, Totals.zero(), order, run.train, run.keys)
        state, _ = run.program.train.prepare(clock, *arguments)(*arguments)
        errors.append(1 - evaluate(state, batches).means()[1])
    return errors


def test_training_is_that_of_a_run():
    few = dataclasses.replace(TINY, train_examples=96, batch_size=16, dropout_rate=0.0)
    config = dataclasses.replace(
        few, learning_rate=3e-3, health_examples=0, activation="tanh", seed=3
    )
    course = time_to_error.prepare(config, "adam", measurements_per_epoch=6)
    trace = train(course, config.learning_rate, seed=config.seed, epochs=1.0)
    assert len(set(trace.errors)) > 2
    np.testing.assert_allclose(trace.errors, errors_of_a_run(config), atol=1e-9)


def planted(monkeypatch, epochs_of_rates):
    """Runs that come to the target, 25 %, after so many epochs, measured once an epoch."""
    calls = []

    def run(course, rate, seed, goes_on):
        trace = Trace([0.0], [0.9])
        while goes_on(trace):
            epoch = trace.epochs[-1] + 1
            error = 0.2 if epoch >= epochs_of_rates[rate] else 0.9 - rate / 100
            trace = Trace([*trace.epochs, epoch], [*trace.errors, error])
        calls.append((rate, trace.epochs[-1]))
        return trace

    monkeypatch.setattr(time_to_error, "train", run)
    return calls


def test_the_rate_that_is_first_at_the_target_is_chosen(monkeypatch):
    calls = planted(monkeypatch, {1.0: 30, 2.0: 4, 3.0: 9, 4.0: 12, 5.0: 50})
    choice = time_to_error.choose_rate(None, [1.0, 2.0, 3.0, 4.0, 5.0], 0, 0.25, 40)  # pyright: ignore
    assert choice.learning_rate == 2
    assert not choice.is_at_the_edge
    # 3 was tried first, 2 was better, and the others were given up when they took as long.
    assert calls[0] == (3.0, 9)
    assert dict(calls)[2.0] == 4
    assert dict(calls) == {3.0: 9, 2.0: 4, 4.0: 4, 1.0: 4, 5.0: 4}
    assert choice.epochs.pop(2.0) == pytest.approx(3 + 0.63 / 0.68)
    assert choice.epochs.pop(3.0) == pytest.approx(8 + 0.62 / 0.67)
    assert choice.epochs == {1.0: None, 4.0: None, 5.0: None}


def test_where_no_rate_gets_there_the_lowest_error_is_chosen(monkeypatch):
    planted(monkeypatch, {1.0: 99, 2.0: 99})
    choice = time_to_error.choose_rate(None, [1.0, 2.0], 0, 0.25, 5)  # pyright: ignore
    assert choice == Choice(2.0, {1.0: None, 2.0: None}, is_at_the_edge=True)


def measured(epochs, rate=0.01, is_at_the_edge=False):
    traces = [Trace([0.0, 1.0], [0.9, 0.1])] * len(epochs)
    return Measured(Choice(rate, {rate: epochs[0]}, is_at_the_edge), traces, epochs)


def answer(of):
    ratios = {
        spec: experiment.paired_ratios(known.epochs, of["relu"].epochs)
        for spec, known in of.items()
    }
    options = experiment.COMMAND.parse([])
    return experiment.answer(options, of, ratios, "relu")


def test_the_answer_tells_the_ratio_whichever_way_it_goes():
    six = answer({"relu": measured([1.0, 2.0, 1.0]), "tanh": measured([6.0, 12.0, 7.0])})
    assert "tanh took 6 times (6 to 7 over 3 seeds) the epochs of relu, where 6 are claimed" in six
    half = answer({"relu": measured([2.0]), "tanh": measured([1.0])})
    assert "tanh took 0.5 times" in half


def test_the_answer_tells_of_misses_and_of_the_edge_of_the_grid():
    text = answer({"relu": measured([4.0, 5.0]), "tanh": measured([math.inf, 10.0], 0.3, True)})
    assert "over 8 times (never within 40 in 1 seeds)" in text
    assert "the best learning rate of tanh, 0.3, is at the edge" in text
    none = answer({"relu": measured([math.inf]), "tanh": measured([math.inf])})
    assert "neither tanh nor relu reached the target" in none


def test_seeds_are_paired():
    outcome = perform(experiment, *WORDS, "--target_error=60")
    runs = outcome.details["runs"]
    assert set(runs) == {"relu", "tanh"}
    for known in runs.values():
        assert len(known["traces"]) == len(known["epochs_to_target"]) == 2
        assert set(known["epochs_of_rates"]) == {"0.01", "0.05"}
    taken = {spec: np.asarray(known["epochs_to_target"]) for spec, known in runs.items()}
    expected = list(taken["tanh"] / taken["relu"])
    assert runs["tanh"]["ratios"] == pytest.approx(expected)
    assert outcome.rows[1]["claimed"] == 6
    figures = drawn(experiment, outcome)
    assert set(figures) == {"error"}
    told = headlines.told(figures["error"])
    assert outcome.answer.startswith(told)
    assert " times " in told
