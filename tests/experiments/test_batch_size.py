"""Batch sizes: rules of the rate, cells that rules share, and the findings on planted runs."""

import dataclasses

import pytest

from experiments.batch_size import experiment, findings
from experiments.common import headlines
from experiments.common.findings import REFUTED, SUPPORTED, UNDECIDED
from tests.support.experiments import Planted, drawn, perform
from tests.support.studies import synthetic_study

SMALL = ("--train_examples=600", "--test_examples=50", "--epochs=3", "--batch_sizes=32,128,256")


def plans(*words):
    return experiment.plans_of(experiment.COMMAND.parse(words))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("constant", (1e-3, 1e-3)), ("linear", (2.5e-4, 2e-3)), ("sqrt", (5e-4, 1e-3 * 2**0.5))],
)
def test_the_rate_goes_with_the_batch_by_its_rule(rule, expected):
    made = plans(f"--rules={rule}", "--learning_rate=1e-3", "--batch_sizes=32,256")
    rates = [plan.common_rate for plan in made.values()]
    assert rates == pytest.approx(expected)
    assert [plan.config.batch_size for plan in made.values()] == [32, 256]


def test_rules_that_agree_share_a_comparison_and_a_sweep_has_its_own():
    made = plans("--rules=constant,sqrt,swept")
    folders = {key: experiment.folder(*key, plan) for key, plan in made.items()}
    assert folders["constant", 128] == folders["sqrt", 128] == "batch_size=128/learning_rate=0.003"
    assert folders["swept", 128] == "batch_size=128/swept"
    assert len({*folders.values()}) == 4 * 3 + 2
    assert {tuple(plan.shown_seeds) for plan in made.values()} == {tuple(range(1, 10))}
    assert made["swept", 32].learning_rates == (0.0003, 0.001, 0.003, 0.01)


def outcome(tmp_path, monkeypatch, *words, shared=False):
    """Planted runs: 256 images end 1 point worse, and 32 reach the target first."""
    train = Planted(
        monkeypatch,
        lambda config: 5.0 + (config.batch_size == 256) + 0.01 * (config.seed % 3),
        lambda config: {32: 1, 128: 2, 256: 3}[config.batch_size],
        environment={"shared_machine": shared},
    )
    return perform(experiment, *SMALL, f"--workdir={tmp_path / 'x'}", *words), train


def cells(large, epochs, seeds):
    """Made-up comparisons: errors of 256 images, 5 % of the others; epochs to the target."""

    def study(size, first):
        made = synthetic_study(("relu", "tanh"), seeds, 1, eval_split="validation")
        ends = [
            dataclasses.replace(
                run,
                summary={
                    **run.summary,
                    "error_percent": (large if size == 256 else 5.0) + 0.01 * (run.seed % 3),
                    "epoch_to_target": first,
                    "train_seconds": 30 / size,
                },
            )
            for run in made.runs
        ]
        plan = dataclasses.replace(made.plan, margin_points=0.5)
        return dataclasses.replace(made, plan=plan, runs=tuple(ends))

    studies = {size: study(size, one) for size, one in zip((32, 128, 256), epochs, strict=True)}
    return {(rule, size): studies[size] for rule in ("constant", "sqrt") for size in studies}


def verdicts(told):
    """By the kind of the claim and its rule."""
    found = {}
    for finding in told:
        kind = next(word for word in ("fewest", "ends", "trains") if word in finding.claim)
        rule = "sqrt" if "(rate sqrt)" in finding.claim else "constant"
        found[kind, rule] = finding.verdict
    return found


@pytest.mark.parametrize(
    ("large", "epochs", "seeds", "expected"),
    [
        (5.1, (1, 2, 3), 9, (SUPPORTED, SUPPORTED)),
        (7.0, (2, 1, 3), 9, (REFUTED, REFUTED)),
        (4.0, (1, 1, 1), 9, (REFUTED, REFUTED)),  # as many epochs
        (5.5, (1, 2, None), 9, (SUPPORTED, UNDECIDED)),
        (5.1, (None, None, None), 9, (UNDECIDED, SUPPORTED)),
        (5.1, (1, 2, 3), 4, (UNDECIDED, UNDECIDED)),
    ],
)
def test_the_claims_are_tested_by_each_rule(large, epochs, seeds, expected):
    told = findings.of_claim(cells(large, epochs, seeds), is_timed=True)
    found = verdicts(told)
    for rule in ("constant", "sqrt"):
        assert (found["fewest", rule], found["ends", rule]) == expected
        assert found["trains", rule] == (SUPPORTED if seeds > 4 else UNDECIDED)
    assert ("decide nothing" in told[0].evidence) is (seeds == 4)
    assert "8.00 times as fast" in told[-1].evidence


def test_what_was_found_is_told_and_drawn(tmp_path, monkeypatch):
    told, train = outcome(tmp_path, monkeypatch, "--seeds=8")
    assert len(train.calls) == 5 * 8  # cells without the one that both rules have
    rows = {(row["batch"], row["rate"].split(",")[0]): row for row in told.rows}
    assert len(rows) == 6
    assert rows["256", "sqrt"]["rate"] == "sqrt, 0.00424"
    assert rows["256", "sqrt"]["points more, p"] == "+1.00, 0.031"
    assert rows["128", "constant"]["points more, p"].endswith("(equivalent)")
    assert rows["128", "constant"]["epochs to target"] == [2, 2, 2]
    assert rows["128", "constant"]["train s to target"] == pytest.approx([2 / 128] * 3)
    assert "32 reached the target soonest (1 epochs, median)" in told.answer
    assert verdicts(told.findings)["ends", "sqrt"] == REFUTED
    figures = drawn(experiment, told)
    panels = figures["against_batch_size"].axes
    assert [ax.get_ylabel() for ax in panels][0::3] == ["epochs to the target", "test error (%)"]
    finding = headlines.told(figures["learning"])
    assert finding.startswith("More epochs to the target than a batch of 32: 128, 256")
    assert "rate sqrt" in finding
    assert len(told.details["runs"]) == 6


def test_seconds_of_runs_beside_other_work_are_not_shown(tmp_path, monkeypatch):
    words = ("--activations=relu,tanh", "--rules=sqrt", "--seeds=2")
    told, _ = outcome(tmp_path, monkeypatch, *words, shared=True)
    assert not any("train s" in heading for row in told.rows for heading in row)
    assert told.findings[-1].verdict == UNDECIDED
    assert "seconds are not compared" in told.findings[-1].evidence
    assert "no seconds" in told.answer
    assert "train_seconds" not in told.details["runs"][0]
    figures = drawn(experiment, told)
    assert len(figures["against_batch_size"].axes) == 2 * 2
    assert headlines.told(figures["learning"]).startswith("Not decided: no difference")


def test_what_is_not_compared_is_undecided(tmp_path, monkeypatch):
    words = ("--batch_sizes=128,256", "--rules=swept", "--learning_rates=0.001,0.01", "--seeds=1")
    told, train = outcome(tmp_path, monkeypatch, *words)
    assert {finding.verdict for finding in told.findings} == {UNDECIDED}
    assert told.findings[0].evidence == "32 not among --batch_sizes."
    assert len(train.calls) == 2 * (2 + 1)
