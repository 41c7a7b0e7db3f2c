"""Answers and verdicts on studies whose numbers are set: each rule comes out each way."""

import dataclasses

import numpy as np
import pytest

from jaxact.comparison import answers
from jaxact.comparison.analysis import measures, verdicts
from jaxact.comparison.paper.findings import PRELU_CLAIM, RULES
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.study import DIVERGED, MISSING
from tests.support.studies import synthetic_study

SOONER, LEAKY, TANH, TOTAL = RULES


def study_of(times, errors=None, totals=None, seeds=12, datasets=("mnist",), seed_noise=0.01):
    """A study in which each activation takes so many seconds to the target, plus some noise.

    Args:
      times: activation to seconds, None for never; or a list of such, one a data set.
      errors, totals: activation to percent and seconds; 2 and 20 for those not named.
      seed_noise: deviation of each figure over the seeds.
    """
    tables = times if isinstance(times, list) else [times]
    study = synthetic_study(tuple(tables[0]), seeds, datasets=datasets)
    random = np.random.default_rng(0)
    runs = []
    for run in study.runs:
        seconds = tables[datasets.index(run.dataset)][run.activation]
        noise = random.normal(0, seed_noise, 3)
        changed = {
            "reached_target": seconds is not None,
            "seconds_to_target": None if seconds is None else seconds + noise[0],
            "error_percent": (errors or {}).get(run.activation, 2.0) + noise[1],
            "train_seconds": (totals or {}).get(run.activation, 20.0) + noise[2],
        }
        runs.append(dataclasses.replace(run, summary={**run.summary, **changed}))
    return dataclasses.replace(study, runs=tuple(runs))


def answer(study):
    return answers.answer(study, study.workloads()[0])


def verdict(study, claim):
    (finding,) = (f for f in answers.paper_findings(study) if f.claim == claim)
    assert finding.evidence
    return finding.verdict


TIMES = {"relu": 5.0, "tanh": 9.0, "selu": 6.0, "prelu": 6.5, "elu": 7.0, "leaky_relu": 4.0}
ERRORS = {"tanh": 5.0}


def test_a_clear_lead_is_significant():
    text = answer(study_of(TIMES, {"elu": 1.0}))
    assert text.startswith("leaky_relu reached 95 % soonest, after 4.00 s")
    assert "first in 12 of 12 runs; its mean lead over relu, the next, 1.0" in text
    assert "is significant (p = 0.015, corrected for all pairs)" in text
    assert "elu ended with the lowest mean error, 1.0" in text


def test_a_lead_in_the_median_is_none_where_the_mean_leads_the_other_way():
    """ReLU leads by 0.0001 s in the median, and is behind in ten of eleven seeds."""
    relu = np.array([10, 11, 12, 13, 13.5, 14, 16, 17, 18, 19, 20])
    tanh = relu - np.array([0.1] * 5 + [-0.0001] + [1.0] * 5)
    study = study_of({"relu": 1.0, "tanh": 1.0}, seeds=11)
    runs = [
        dataclasses.replace(
            run,
            summary={
                **run.summary,
                "seconds_to_target": float((relu if run.activation == "relu" else tanh)[run.seed]),
            },
        )
        for run in study.runs
    ]
    text = answer(dataclasses.replace(study, runs=tuple(runs)))
    assert text.startswith("relu reached 95 % soonest, after 14.00 s")
    assert "first in 1 of 11 runs; its mean lead over tanh, the next, -0.50 s" in text
    assert "is significant" not in text.split("ended with")[0]


def test_a_lead_within_noise_is_called_so():
    text = answer(study_of({"relu": 5.0, "leaky_relu": 4.99, "tanh": 9.0}, seed_noise=0.5))
    assert "is undecided (p = " in text
    assert "; its lead over tanh is significant" in text


def test_a_lead_of_no_account_is_called_so():
    times = {"relu": 5.0, "leaky_relu": 5.001, "elu": 5.002, "tanh": 9.0}
    text = answer(study_of(times, seed_noise=0.02, seeds=12))
    assert "is of no account: they are equivalent within 5 % (p " in text
    assert "; equivalent to it within 5 %: " in text
    assert "; its lead over tanh is significant" in text
    errors = text.split("ended with")[1]
    assert "they are equivalent within 0.2 points (p " in errors


def test_the_noise_of_the_test_images_is_said_where_ranks_are():
    """100 sqrt(0.02 x 0.98 / 10,000) = 0.14 points."""
    study = study_of(TIMES)
    runs = tuple(
        dataclasses.replace(run, summary={**run.summary, "test_examples": 10_000})
        for run in study.runs
    )
    text = answer(dataclasses.replace(study, runs=runs))
    assert "the same 10,000 test images: others would move each by 0.14 points" in text
    assert "test images" not in answer(study_of(TIMES, seeds=4))


def test_a_second_name_of_a_function_is_no_rival_but_the_noise_of_the_machine():
    study = study_of({"relu": 5.0, "swish": 3.0, "silu": 2.0}, totals={"silu": 21.0})
    plan = dataclasses.replace(study.plan, twins=(("silu", "swish"),))
    text = answer(dataclasses.replace(study, plan=plan))
    assert text.startswith("swish reached 95 % soonest")
    assert "silu is swish again, an A/A pair: over 12 seeds errors differ by 0.0" in text
    assert "training times by 5.0 % (5." in text


@pytest.mark.parametrize(("seeds", "told"), [(1, "1 seed"), (4, "4 seeds")])
def test_few_seeds_test_nothing(seeds, told):
    text = answer(study_of(TIMES, seeds=seeds))
    assert f"is not tested on {told}" in text
    assert f"{told} cannot tell luck from merit" in text
    assert "significant" not in text
    assert "noise" not in text


def test_nobody_reached_the_target():
    text = answer(study_of({"relu": None, "tanh": None}, {"relu": 1.0}))
    assert text.startswith("No activation reached 95 % in 10 epochs. relu ended with the lowest")


def test_a_sentence_goes_on_in_small_letters():
    study = synthetic_study(("relu", "tanh"), 2, never_reach=("relu", "tanh"))
    said = answers.answer(study, study.workloads()[0])
    assert "On these, no activation reached 95 %" in said


def test_some_reached_the_target_now_and_then():
    study = study_of({"relu": None, "tanh": None}, seeds=5)
    first = study.runs[1]
    assert first.activation == "tanh"
    lucky = {**first.summary, "reached_target": True, "seconds_to_target": 3.0}
    text = answer(study.with_run(dataclasses.replace(first, summary=lucky)))
    assert "No activation reached 95 % in most of its runs; tanh did most often, in 1 of 5" in text


def test_only_the_leader_reached_the_target():
    text = answer(study_of({"relu": 3.0, "tanh": None}))
    assert "relu reached 95 % soonest" in text
    assert "the others did not in most of their runs" in text


def test_one_activation_has_no_rival():
    text = answer(study_of({"relu": 3.0}, seeds=3))
    assert text.startswith("relu reached 95 % in 3 of 3 runs, after 3.0")
    assert "error" in text
    assert "lead" not in text


LOST = {(name, seed) for name in ("relu", "tanh") for seed in range(2)}


@pytest.mark.parametrize(
    "study",
    [
        synthetic_study(("relu", "tanh"), 2, diverged=LOST),
        synthetic_study(("relu", "tanh"), 2, failed=LOST),
    ],
    ids=["diverged", "failed"],
)
def test_no_answer_where_every_run_was_lost(study):
    text = answer(study)
    assert text.startswith("No answer: every run diverged")


def test_an_activation_that_diverged_always_is_no_rival():
    study = synthetic_study(2, 6, diverged={("tanh", seed) for seed in range(6)}, never_reach=())
    text = answer(study)
    assert "relu reached 95 % soonest" in text
    assert "6 runs diverged or failed: misses of the target" in text


def test_a_comparison_that_has_just_begun():
    names = ("relu", "tanh")
    missing = {(name, seed) for name in names for seed in range(3)}
    assert answer(synthetic_study(names, 3, missing=missing)) == "No run has ended yet."
    text = answer(synthetic_study(names, 3, missing=missing - {("relu", 0)}))
    assert "no other has a run to compare it with" in text
    assert "Some activations have no run yet." in text


@pytest.mark.parametrize(
    ("claim", "study", "expected"),
    [
        (SOONER, {"times": TIMES}, "confirmed"),
        (SOONER, {"times": TIMES | {"tanh": None}}, "confirmed"),
        (SOONER, {"times": TIMES | {"tanh": 1.0}}, "refuted"),
        (SOONER, {"times": TIMES | {"elu": None}}, "refuted"),
        (SOONER, {"times": TIMES, "seed_noise": 9.0}, "undecided"),
        (LEAKY, {"times": TIMES}, "confirmed"),
        (LEAKY, {"times": TIMES | {"leaky_relu": 5.01}}, "confirmed"),  # second
        (LEAKY, {"times": TIMES | {"leaky_relu": 5.01, "selu": 5.005}}, "confirmed"),  # alike
        (LEAKY, {"times": TIMES | {"leaky_relu": 6.2}}, "refuted"),
        (LEAKY, {"times": TIMES | {"leaky_relu": 5.9}, "seed_noise": 1.0}, "undecided"),
        (LEAKY, {"times": dict.fromkeys(TIMES)}, "undecided"),
        (TANH, {"times": TIMES, "errors": ERRORS}, "confirmed"),
        (TANH, {"times": TIMES, "errors": {"tanh": 1.0}}, "refuted"),
        (TANH, {"times": TIMES | {"tanh": 4.5}, "errors": ERRORS}, "refuted"),
        (TANH, {"times": TIMES, "errors": ERRORS | {"elu": 4.999}}, "undecided"),
        (TOTAL, {"times": TIMES}, "confirmed"),
        (TOTAL, {"times": TIMES, "totals": {"prelu": 20.9}}, "confirmed"),  # told apart, within 5 %
        (TOTAL, {"times": TIMES, "totals": {"prelu": 25.0}}, "refuted"),
        (TOTAL, {"times": TIMES, "totals": {"prelu": 15.0}}, "refuted"),
        (TOTAL, {"times": TIMES, "totals": {"prelu": 21.0}}, "undecided"),
    ],
)
def test_findings_of_the_paper(claim, study, expected):
    assert verdict(study_of(**study), claim) == expected


@pytest.mark.parametrize(
    ("prelu", "noise", "expected"),
    [(8.5, 0.01, "confirmed"), (3.5, 0.01, "refuted"), (5.7, 0.6, "undecided")],
)
def test_whether_prelu_is_unstable_takes_two_data_sets(prelu, noise, expected):
    both = [TIMES | {"prelu": 3.5}, TIMES | {"prelu": prelu}]
    if expected == "undecided":
        both = [TIMES | {"prelu": 5.1}, TIMES | {"prelu": prelu}]
    study = study_of(both, datasets=("mnist", "cifar10"), seed_noise=noise)
    assert verdict(study, PRELU_CLAIM) == expected
    assert verdict(study_of(TIMES), PRELU_CLAIM) == "undecided"


def test_over_data_sets_one_refutation_refutes():
    both = [TIMES, TIMES | {"tanh": 1.0}]
    datasets = ("mnist", "cifar10")
    assert verdict(study_of([TIMES, TIMES], datasets=datasets), SOONER) == "confirmed"
    assert verdict(study_of(both, datasets=datasets), SOONER) == "refuted"
    (finding,) = (
        f for f in answers.paper_findings(study_of(both, datasets=datasets)) if f.claim == SOONER
    )
    assert "mnist: " in finding.evidence
    assert "cifar10: " in finding.evidence


def test_fewer_than_five_seeds_decide_nothing():
    study = study_of([TIMES, TIMES], errors=ERRORS, seeds=4, datasets=("mnist", "cifar10"))
    assert {f.verdict for f in answers.paper_findings(study)} == {"undecided"}
    enough = study_of([TIMES, TIMES], errors=ERRORS, seeds=12, datasets=("mnist", "cifar10"))
    assert {f.verdict for f in answers.paper_findings(enough)} == {"confirmed", "refuted"}


def test_seeds_that_lack_a_run_do_not_count():
    study = study_of(TIMES, seeds=6)
    for seed, status in ((0, MISSING), (1, DIVERGED)):
        run = study.of(study.workloads()[0], "elu")[seed]
        study = study.with_run(dataclasses.replace(run, status=status, summary={}))
    # one seed is not made, and the total of one that diverged is not known
    assert verdict(study, TOTAL) == "undecided"
    (finding,) = (f for f in answers.paper_findings(study) if f.claim == TOTAL)
    assert finding.evidence == "4 whole seeds; it takes at least 5."


def test_activations_that_are_not_compared_leave_findings_undecided():
    study = study_of({"relu": 3.0, "mish": 4.0}, seeds=6)
    for finding in answers.paper_findings(study):
        assert finding.verdict == "undecided"
    assert "tanh is not compared." in {f.evidence for f in answers.paper_findings(study)}


def test_the_paper_s_own_activations_decide_whatever_else_is_compared():
    study = study_of({"mish": 1.0, "gelu": 1.5, "swish": 2.0, **TIMES})
    assert verdict(study, LEAKY) == "confirmed"
    assert set(PAPER_ACTIVATIONS) < set(study.plan.activations)


def test_findings_as_markdown_are_a_line_each():
    text = answers.as_markdown(study_of(TIMES))
    assert text.count("\n- ") == 5
    assert f"- {LEAKY}: **confirmed**. Later, or equivalent within 5 %: relu, " in text


def test_errors_of_runs_that_diverged_are_above_all_others():
    """elu has the lowest errors where it came to an end, which was in 7 of 12 runs."""
    study = study_of(TIMES, {"elu": 1.0})
    for run in study.runs:
        if run.activation == "elu" and run.seed < 5:
            study = study.with_run(dataclasses.replace(run, status=DIVERGED, summary={}))
    text = answer(study).split(". ")[1]
    assert not text.startswith("elu")
    (elu,) = (
        c
        for c in verdicts.against_baseline(study, study.workloads()[0], measures.error_percent)
        if c.name == "elu"
    )
    assert (elu.pairs, elu.losses) == (12, 5)
    assert elu.verdict == "undecided"
    assert "with errors above all others where they diverged" in answer(study)


@pytest.mark.parametrize(
    ("seeds", "told"),
    [
        (5, "5 seeds can show no difference among 6 activations, however large: it takes 8 to"),
        (8, "8 seeds can show no lead among 6 activations, however large: 11 are needed"),
        (11, ""),
    ],
)
def test_seeds_that_can_show_nothing_are_said(seeds, told):
    text = answer(study_of(TIMES, seeds=seeds))
    assert (told in text) if told else ("however large" not in text)


def test_times_of_no_one_cost_errors_nothing():
    """Three pairs at seven seeds have a least p-value of 3 / 64; six would have twice that."""
    never = dict.fromkeys(("relu", "tanh", "elu"))
    errors = {"relu": 2.0, "tanh": 5.0, "elu": 8.0}
    text = answer(study_of(never, errors, seeds=7))
    assert "is significant (p = 0.047, corrected for all pairs)" in text
    sooner = answer(study_of({"relu": 3.0, "tanh": None, "elu": None}, errors, seeds=7))
    assert "is significant" not in sooner.split("ended with")[1]
