"""The growth of a comparison: which rates go on, and when a further seed is worth its time."""

import dataclasses

import pytest

from jaxact.comparison import growth
from jaxact.comparison.analysis import sweep
from jaxact.comparison.plan import DECIDED
from jaxact.comparison.study import MISSING, Study
from tests.support.studies import synthetic_study

RATES = (1e-3, 1e-2, 1e-4)


def with_errors(study, errors):
    """The study with final errors by activation, the seeds a little apart."""
    runs = [
        dataclasses.replace(
            run,
            summary={
                **run.summary,
                "error_percent": errors[run.activation] + (0.01, -0.01)[run.seed % 2],
            },
        )
        for run in study.runs
    ]
    return dataclasses.replace(study, runs=tuple(runs))


def sequential(errors, seeds, **states):
    study = synthetic_study(tuple(errors), seeds, **states)
    plan = dataclasses.replace(study.plan, until=DECIDED)
    return with_errors(dataclasses.replace(study, plan=plan), errors)


DECIDED_ERRORS = {"relu": 2.0, "tanh": 5.0, "elu": 2.005}  # one apart, one the same
OPEN_ERRORS = {"relu": 2.0, "tanh": 5.0, "elu": 2.19}


@pytest.mark.parametrize(
    ("errors", "seeds", "most", "expected"),
    [
        (DECIDED_ERRORS, 5, 20, 6),  # five seeds can show nothing yet
        (DECIDED_ERRORS, 14, 20, None),
        (OPEN_ERRORS, 5, 20, 6),
        (OPEN_ERRORS, 6, 6, None),
    ],
)
def test_seeds_are_added_until_all_is_decided(errors, seeds, most, expected):
    plan = growth.grown(sequential(errors, seeds), most)
    assert (plan and plan.seeds) == expected


def test_what_is_open_is_named():
    assert growth.open_questions(sequential(DECIDED_ERRORS, 14)) == {}
    ((_, names),) = growth.open_questions(sequential(DECIDED_ERRORS | {"tanh": 2.2}, 5)).items()
    assert names == ["tanh", "elu"]


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_more_seeds_tell_nothing_of_what_loses_all_its_runs(name):
    lost = {(name, seed) for seed in range(14)}
    study = sequential(DECIDED_ERRORS, 14)
    runs = [
        dataclasses.replace(run, status="diverged", summary={})
        if (run.activation, run.seed) in lost
        else run
        for run in study.runs
    ]
    assert growth.grown(dataclasses.replace(study, runs=tuple(runs))) is None


@pytest.mark.parametrize("states", [{"missing": {("elu", 4)}}, {"failed": {("elu", 4)}}])
def test_nothing_is_added_to_what_is_not_whole(states):
    study = synthetic_study(("relu", "elu"), 5, **states)
    study = dataclasses.replace(study, plan=dataclasses.replace(study.plan, until=DECIDED))
    assert growth.grown(study) is None


def test_without_until_nothing_grows():
    assert (
        growth.grown(
            with_errors(synthetic_study(3, 5), dict.fromkeys(("relu", "tanh", "selu"), 1.0))
        )
        is None
    )


def grown(study, most=20):
    plan = growth.grown(study, most)
    assert plan is not None
    return plan


def swept(errors, rate_seeds=2, lost=()):
    """A study whose first seeds have tried three rates, with these validation errors in percent."""
    study = synthetic_study(("relu", "tanh"), 2, learning_rates=RATES, eval_split="validation")
    plan = dataclasses.replace(
        study.plan,
        rate_seeds=rate_seeds,
        config=dataclasses.replace(study.plan.config, learning_rate=1e-3),
    )
    by_key = {(run.learning_rate, run.activation): run for run in study.runs}
    runs = []
    for config in plan.runs():
        run = dataclasses.replace(by_key[config.learning_rate, config.activation], seed=config.seed)
        if config.seed in plan.choosing_seeds:
            error = errors[config.activation][RATES.index(config.learning_rate)]
            last = {
                **run.metrics[-1],
                "validation_accuracy": 1 - error / 100 + (-0.001) ** (1 + config.seed),
            }
            run = dataclasses.replace(run, metrics=(*run.metrics[:-1], last))
            if (config.activation, config.learning_rate) in lost:
                run = dataclasses.replace(run, status="diverged", summary={})
        runs.append(run)
    return Study(plan, tuple(runs))


ERRORS = {"relu": (3.0, 2.0, 4.0), "tanh": (3.0, 5.0, 3.5)}


def test_rates_are_chosen_by_validation_errors_of_the_seeds_that_choose():
    study = swept(ERRORS)
    assert sweep.errors_by_rate(study, "mnist", "relu")[1e-2] == pytest.approx(2.0, abs=0.2)
    plan = grown(study)
    assert plan.own_rates == ((0, "relu", 1e-2), (0, "tanh", 1e-3))
    # fresh seeds of the rates that are not there yet
    more = [(r.seed, r.activation, r.learning_rate) for r in plan.runs()]
    made = [(r.seed, r.activation, r.learning_rate) for r in study.plan.runs()]
    assert sorted(set(more) - set(made)) == [(2, "relu", 1e-2), (3, "relu", 1e-2)]
    done = dataclasses.replace(study, plan=plan)
    assert growth.grown(done) is None


def test_a_rate_that_loses_runs_is_not_chosen():
    plan = grown(swept(ERRORS, lost={("relu", 1e-2)}))
    assert plan.own_rate("mnist", "relu") == 1e-3
    everything = {("relu", rate) for rate in RATES}
    assert grown(swept(ERRORS, lost=everything)).own_rate("mnist", "relu") == 1e-3


def test_rates_that_were_chosen_stay():
    study = swept(ERRORS)
    plan = dataclasses.replace(study.plan, own_rates=((0, "relu", 1e-4),))
    more = grown(dataclasses.replace(study, plan=plan))
    assert more.own_rates == ((0, "relu", 1e-4), (0, "tanh", 1e-3))


def test_no_rate_is_chosen_before_its_runs_are_made():
    study = swept(ERRORS)
    first = dataclasses.replace(study.runs[0], status=MISSING, summary={}, metrics=())
    assert growth.grown(dataclasses.replace(study, runs=(first, *study.runs[1:]))) is None


def test_each_at_its_own_rate_is_shown_on_fresh_seeds():
    study = swept(ERRORS)
    plan = grown(study)
    by_key = {(r.seed, r.learning_rate, r.activation): r for r in study.runs}
    runs = []
    for config in plan.runs():
        key = (config.seed, config.learning_rate, config.activation)
        like = by_key.get(key) or by_key[config.seed - 2, *key[1:]]
        runs.append(dataclasses.replace(like, seed=config.seed))
    study = Study(plan, tuple(runs))
    common, own = study.workloads()
    assert (common.learning_rate, own.learning_rate) == (1e-3, None)
    shown = [(r.seed, r.learning_rate) for r in study.of(own, "relu")]
    assert shown == [(2, 1e-2), (3, 1e-2)]
    assert study.of(own, "tanh") == study.of(common, "tanh")
    assert study.workload_title(own).endswith("each at its own learning rate")
    (relu, tanh) = sweep.rows(study, "mnist")
    assert (relu["own_rate"], relu["edge"], relu["best"]) == (1e-2, "highest", ["error_0.01"])
    assert (tanh["own_rate"], tanh["edge"]) == (1e-3, None)
    assert sweep.at_an_edge(study, "mnist") == [
        "relu: best at the highest rate tried; a higher one may be better."
    ]
