"""Titles that say what was found: what the tests decide, in few words, and nothing else."""

import itertools
from typing import Any, NamedTuple

import pytest
from matplotlib.text import Text

from jaxact.comparison.analysis import measures, verdicts
from jaxact.comparison.output import learning_figures, row_figures, titles
from jaxact.presentation.figure import figure_of
from jaxact.statistics import BETTER, EQUIVALENT, UNDECIDED
from tests.support.studies import synthetic_study

NAMES = ("relu", "tanh", "selu", "elu")


class Planted(NamedTuple):
    """A comparison with the baseline, as far as a title speaks of it."""

    name: str
    verdict: str


def planted(errors, seeds=16, epochs=None, names=NAMES) -> Any:
    """A study whose runs end with errors about those given, and reach the target so soon."""
    study: Any = synthetic_study(names, seeds, 20, never_reach=())
    for run in study.runs:
        noise = 0.02 * ((7 * run.seed + 3 * names.index(run.activation)) % 11 - 5) / 5
        run.summary["error_percent"] = errors[names.index(run.activation)] + noise
        if epochs:
            epoch = epochs[names.index(run.activation)]
            seconds = epoch and 2.0 * epoch + noise
            run.summary.update(
                reached_target=bool(epoch), epoch_to_target=epoch, seconds_to_target=seconds
            )
    return study


def found(study):
    return titles.findings(study, study.workloads()[0])


@pytest.mark.parametrize(
    ("errors", "title"),
    [
        ((2, 3, 2, 2), "relu, selu and elu end with a lower error than tanh"),
        ((1, 2, 2, 2), "relu ends with a lower error than tanh, selu and elu"),
        (
            (1, 3, 2, 2),
            "relu ends with a lower error than 3 of 3 others",
        ),
        ((2, 2, 2, 2), "All are equivalent within 0.2 points of error"),
    ],
)
def test_errors_that_differ_are_told_in_one_sentence(errors, title):
    assert found(planted(errors)).errors == title


def test_times_that_differ_are_told_in_one_sentence():
    study = planted((2, 2, 2, 2), epochs=(5, 9, 5, 5))
    assert found(study).times == "relu, selu and elu reach 95 % sooner than tanh"
    assert found(planted((2, 2, 2, 2), epochs=(9, 5, 9, 9))).times == (
        "tanh reaches 95 % sooner than relu, selu and elu"
    )


def test_whoever_never_gets_there_is_later():
    study = planted((2, 2, 2, 2), epochs=(5, None, 5, 5))
    assert found(study).times == "relu, selu and elu reach 95 % sooner than tanh"
    nobody = planted((2, 2, 2, 2), epochs=(None,) * 4)
    assert found(nobody).times == "Nothing is decided: none reached 95 %"


def test_nothing_is_said_where_nothing_is_decided():
    few = planted((1, 2, 3, 4), seeds=3, epochs=(3, 5, 7, 9))
    assert found(few) == ("Nothing is decided: 3 seeds test nothing",) * 2
    one = planted((1, 2, 3, 4), seeds=1)
    assert found(one).errors == "Nothing is decided: 1 seed tests nothing"
    noisy = planted((2, 2, 2, 2), seeds=6)
    for run in noisy.runs:
        run.summary["error_percent"] += (5 * run.seed + NAMES.index(run.activation)) % 7
    assert found(noisy).errors == "Nothing is decided: none is shown to end with a lower error"


def test_one_activation_is_compared_with_nothing():
    study = planted((1,), names=("relu",))
    assert found(study) == ("", "")
    chart = row_figures.error(study, study.workloads()[0])
    assert chart is not None
    assert (chart.title, chart.subtitle) == (study.title(study.workloads()[0]), "")


LONG = tuple(f"leaky_relu(negative_slope={k}e-10)" for k in range(1, 9))


@pytest.mark.parametrize("names", [NAMES, LONG])
@pytest.mark.parametrize("step", [0.0, 0.3, 1.0])
def test_titles_are_short_and_hold_nothing_that_no_test_shows(names, step):
    study = planted([2 + step * k for k in range(len(names))], names=names)
    title = found(study).errors
    assert len(title) <= titles.LONGEST
    workload = study.workloads()[0]
    matrices = verdicts.between(study, workload, *verdicts.spoken_of(study, workload))
    pairs = matrices[measures.error_percent].pairs
    better = {pair for pair, comparison in pairs.items() if comparison.verdict == BETTER}
    assert ("lower" in title or "told apart" in title) is bool(better)
    if names is NAMES and " than " in title and "others" not in title:
        first, _, second = title.partition(" than ")
        for pair in itertools.product(names, names):
            assert (pair in better) >= (pair[0] in first and pair[1] in second)


@pytest.mark.parametrize(
    ("draw", "field"),
    [
        (row_figures.error, "errors"),
        (learning_figures.accuracy, "errors"),
        (learning_figures.time_to_accuracy, "times"),
    ],
)
def test_a_figure_has_its_finding_over_its_workload(draw, field):
    study = planted((1, 3, 2, 2), epochs=(5, 9, 5, 5))
    workload = study.workloads()[0]
    chart = draw(study, workload)
    assert chart is not None
    figure = figure_of(chart)
    assert figure.get_suptitle().replace("\n", " ") == getattr(found(study), field)
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == study.title(workload)
    texts: dict[str, Any] = {
        text.get_text(): text.get_fontsize()
        for text in axes.get_children()
        if isinstance(text, Text)
    }
    assert texts[study.title(workload)] < 10
    figure.draw_without_rendering()


def test_where_all_pairs_are_too_many_those_with_the_baseline_are_told():
    """No pair among six can differ on 8 seeds, corrected for all; from the baseline each can."""
    names = ("relu", "tanh", "selu", "elu", "prelu", "leaky_relu")
    study = planted((2, 3, 3, 2, 2, 2), 8, epochs=(5, 9, 9, 5, 5, 5), names=names)
    assert found(study).times == "relu reaches 95 % sooner than tanh and selu"
    assert found(study).errors == "relu ends with a lower error than tanh and selu"
    study = planted((2, 1, 2, 2, 2, 2), 8, epochs=(9, 5, 9, 9, 9, 9), names=names)
    assert found(study).errors == "tanh ends with a lower error than relu"
    assert found(study).times == "tanh reaches 95 % sooner than relu"


def test_what_is_equivalent_to_the_baseline_is_told_where_no_pair_is():
    tests: Any = [
        Planted("tanh", EQUIVALENT),
        Planted("selu", UNDECIDED),
        Planted("elu", EQUIVALENT),
    ]
    words = titles._equivalent_to(tests, "relu", "0.2 points of error")
    assert words == "tanh and elu are equivalent to relu within 0.2 points of error"
    assert titles._equivalent_to(tests[1:2], "relu", "5 % in time") == ""
