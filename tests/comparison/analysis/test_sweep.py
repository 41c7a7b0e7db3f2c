"""Tables and reports of a sweep, in which each activation has its own learning rate."""

import dataclasses

import pytest

from jaxact.comparison import answers
from jaxact.comparison.analysis import measures, sweep, verdicts
from jaxact.comparison.output import report_content
from jaxact.comparison.output.tables import study_table
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
