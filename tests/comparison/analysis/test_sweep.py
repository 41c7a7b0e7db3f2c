"""Tables and reports of a sweep, in which each activation has its own learning rate."""

import dataclasses

import pytest

from jaxact.comparison import answers
from jaxact.comparison.analysis import measures, sweep, verdicts
from jaxact.comparison.output import report_content
from jaxact.comparison.output.tables import study_table
from jaxact.comparison.paper import findings
from jaxact.comparison.plan import Plan
from jaxact.comparison.study import Workload
from tests.support.studies import swept_study

RATES = {"relu": 1e-3, "tanh": 1e-2, "elu": 1e-2}


def test_what_has_no_rate_yet_is_to_do():
    study = swept_study(RATES | {"elu": None})
    _, own = study.workloads()
    assert [run.status for run in study.of(own, "elu")] == ["missing"] * 5
    assert len(study.made(own, "tanh")) == 5
    assert "Some activations have no run yet." in answers.answer(study, own)
    assert "0/0 (5 to do)" in study_table.as_markdown(study)


def test_one_function_at_two_rates_is_no_measure_of_noise():
    study = swept_study({"relu": 1e-3, "swish": 1e-3, "silu": 1e-2})
    plan = dataclasses.replace(study.plan, twins=(("silu", "swish"),))
    study = dataclasses.replace(study, plan=plan)
    common, own = study.workloads()
    assert len(verdicts.twins(study, common)) == 1
    assert not verdicts.twins(study, own)


@pytest.mark.parametrize(("datasets", "count"), [(("mnist",), None), (("mnist", "cifar10"), 2)])
def test_a_data_set_counts_once_in_the_profile(datasets, count):
    profile = measures.performance_profile(swept_study(RATES, datasets=datasets, never_reach=()))
    assert (profile and profile.workloads) == count


def test_the_seeds_are_those_that_are_shown():
    study = swept_study(RATES)
    shown = report_content.configuration(study)
    assert shown["seeds"] == "5 (1 to 5)"
    assert shown["seeds that choose rates"] == "1 (seed 0)"
    assert sweep.title(study, "mnist").endswith("on 1 seed shown nowhere else")


def only_own(study):
    """The study without the runs at the common rate of activations that have another."""
    plan = dataclasses.replace(study.plan, only_own_rates=True)
    runs = {(run.learning_rate, run.activation, run.seed): run for run in study.runs}
    made = [runs[config.learning_rate, config.activation, config.seed] for config in plan.runs()]
    return dataclasses.replace(study, plan=plan, runs=tuple(made))


def test_activations_may_be_shown_at_their_own_rate_alone():
    whole = swept_study(RATES, target=0.98)
    study = only_own(whole)
    assert len(whole.runs) - len(study.runs) == 2 * 5  # those of tanh and elu at relu's
    [own] = study.workloads()
    assert own.learning_rate is None
    assert [len(study.made(own, spec)) for spec in RATES] == [5, 5, 5]
    assert Plan.from_json(study.plan.as_json()) == study.plan
    assert "each at its own learning rate" in study_table.as_markdown(study)
    judged = findings.paper_findings(study)
    assert "whole seeds" not in judged[0].evidence  # of all five
    unchosen = only_own(swept_study(dict.fromkeys(RATES)))
    assert unchosen.workloads() == [Workload("mnist", 1e-3)]
