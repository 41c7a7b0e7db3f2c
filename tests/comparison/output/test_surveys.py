"""Charts of surveys: sorted dots with intervals, and of the lines those that matter."""

import math
import re
from typing import Any

import numpy as np
import pytest

from jaxact import statistics
from jaxact.comparison.analysis import learning_curves, measures
from jaxact.comparison.output import cost_figures, learning_figures, report, row_figures
from jaxact.presentation.chart import Centre, Cross, Label, Line, Points, Rule, Zone
from jaxact.presentation.figure import figure_of
from tests.support.studies import specs, synthetic_study

COUNT, LAST = 14, specs(14)[-1]


@pytest.fixture(scope="module")
def study():
    """A survey whose activations all reach the target but one; one ends far above the others."""
    study: Any = synthetic_study(COUNT, 5, 24, never_reach={"tanh"}, baseline="selu")
    for run in study.runs:
        place = study.plan.activations.index(run.activation)
        run.summary["error_percent"] = 2 + 0.1 * (5 * place % COUNT) + 0.01 * run.seed
        if run.activation == LAST:
            run.summary["error_percent"] = 60.0 + run.seed
            for row in run.metrics:
                row["test_accuracy"] = 0.4
    return study


def chart_of(function, study):
    chart = function(study, study.workloads()[0])
    assert chart is not None
    return chart


def of_kind(chart, kind):
    return [mark for mark in chart.marks if isinstance(mark, kind)]


def test_errors_are_dots_from_the_best_to_the_worst(study):
    chart = chart_of(row_figures.error, study)
    errors = measures.by_seed(study, study.workloads()[0], measures.error_percent)
    means = {spec: statistics.mean(errors[spec]) for spec in study.plan.activations}
    order = sorted(means, key=lambda spec: means[spec].value)
    assert list(chart.y.rows) == order
    dots = of_kind(chart, Centre)
    assert [dot.name for dot in dots] == order
    assert [dot.y for dot in dots] == list(range(COUNT))
    for dot in dots[:-1]:
        assert dot.is_dot
        assert (dot.value, dot.low, dot.high) == means[dot.name]
    assert not of_kind(chart, Points)


def test_the_baseline_and_the_front_of_error_and_latency_stand_out():
    names = specs(COUNT)
    planned: Any = synthetic_study(COUNT, 5, 24, baseline=names[0])
    front = {names[3]: (0.2, 4.0), names[8]: (0.3, 2.0), names[9]: (0.4, 1.0)}
    beaten = {names[0]: (0.4, 1.5), names[1]: (0.3, 2.5), names[2]: (0.2, 4.5)}
    for run in planned.runs:
        latency, error = (front | beaten).get(run.activation, (0.5, 1.0))
        error = 60.0 if run.activation == LAST else error
        run.summary["latency_ms"]["mean"], run.summary["error_percent"] = latency, error
    chart = chart_of(cost_figures.error_against_latency, planned)
    crosses = of_kind(chart, Cross)
    assert [cross.name for cross in crosses] == list(names[:-1])
    assert chart.caption.endswith(f"Too far above to be drawn: {LAST} (60 %).")
    shown = [names[0], names[3], names[8], names[9]]
    assert [cross.name for cross in crosses if not cross.is_muted] == shown
    assert [entry.name for entry in chart.legend] == shown
    axes = figure_of(chart).axes[0]
    assert len(axes.containers) == len(shown)  # with bars


def test_the_baseline_is_marked_and_a_line_is_at_its_value(study):
    chart = chart_of(row_figures.error, study)
    texts = {entry.name: entry.text for entry in chart.legend}
    assert [name for name, text in texts.items() if "(baseline)" in text] == ["selu"]
    (rule,) = of_kind(chart, Rule)
    (dot,) = (mark for mark in of_kind(chart, Centre) if mark.name == "selu")
    assert (rule.axis, rule.at, rule.is_dashed) == ("x", dot.value, False)
    assert "selu, the baseline" in chart.caption


def test_what_is_far_from_the_others_does_not_press_them_together(study):
    chart = chart_of(row_figures.error, study)
    (zone,) = of_kind(chart, Zone)
    (label,) = of_kind(chart, Label)
    assert label.name == LAST
    assert label.text == "62 %"
    assert zone.low < label.x < zone.high
    assert zone.text == "more"
    _, low, high = statistics.mean([60.0 + seed for seed in range(5)])
    (far,) = (mark for mark in of_kind(chart, Centre) if mark.name == LAST)
    assert far.text == f"62 % ({low:.3g} % to {high:.3g} %)"
    others = [mark.value for mark in of_kind(chart, Centre) if mark.name != LAST]
    low, high = chart.x.limits
    assert low is not None
    assert high == zone.high
    assert np.ptp(others) > 0.5 * (zone.low - low)


def test_times_are_dots_too_and_never_stands_apart(study):
    chart = chart_of(learning_figures.time_to_accuracy, study)
    (zone,) = of_kind(chart, Zone)
    dots = {dot.name: dot for dot in of_kind(chart, Centre)}
    assert zone.text == "never"
    assert zone.low < dots["tanh"].value < zone.high
    assert dots["tanh"].text == "never"
    assert chart.y.rows[-1] == "tanh"
    runs = study.of(study.workloads()[0], "relu")
    median = statistics.median([measures.seconds_to_target(run) for run in runs])
    assert (dots["relu"].value, dots["relu"].low, dots["relu"].high) == median
    assert figure_of(chart).axes[0].get_xticklabels()[-1].get_text() == "never"


@pytest.mark.parametrize(
    ("function", "field", "sign"),
    [(learning_figures.accuracy, "test_accuracy", -1), (learning_figures.loss, "test_loss", 1)],
)
def test_lines_that_matter_stand_out(study, function, field, sign):
    chart = chart_of(function, study)
    workload = study.workloads()[0]
    ends = {
        spec: sign * learning_curves.curve(study.made(workload, spec), field, math.nan).median[-1]
        for spec in study.plan.activations
    }
    expected = {min(ends, key=ends.__getitem__), "selu", max(ends, key=ends.__getitem__)}
    lines = of_kind(chart, Line)
    assert {line.name for line in lines if not line.is_muted} == expected
    assert len(lines) == COUNT
    muted = [line.is_muted for line in lines]
    assert muted == sorted(muted, reverse=True)  # behind the others
    figure = figure_of(chart)
    drawn = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {text.split(" (")[0] for text in drawn if "target" not in text} == expected
    for word in ("best", "worst", "baseline"):
        assert sum(word in text for text in drawn) == 1
    figure.draw_without_rendering()


def test_accuracies_are_told_apart_beside_one_that_learns_nothing(study):
    chart = chart_of(learning_figures.accuracy, study)
    low, _ = chart.y.limits
    assert low is not None
    assert low > 50
    assert chart.y.whole is not None
    assert chart.y.whole[0] is not None
    assert chart.y.whole[0] < 40


def test_twelve_activations_are_no_survey():
    study = synthetic_study(12, 2, 3)
    chart = chart_of(row_figures.error, study)
    assert list(chart.y.rows) == list(study.plan.activations)
    assert len(of_kind(chart, Points)) == 12
    assert not of_kind(chart, Rule)
    lines = of_kind(chart_of(learning_figures.accuracy, study), Line)
    assert not any(line.is_muted for line in lines)


def test_the_page_says_which_lines_are_in_colour(study):
    text = report.page(study)
    (sentence,) = re.findall(r"Accuracy in colour: (.*?)\. Loss in colour", text)
    for word in ("best", "baseline", "worst"):
        assert sentence.count(word) == 1
    assert f"{LAST} (worst, 40 %)" in sentence
    assert re.search(r'value="near" checked', text)
    assert "When runs reached it" in text
    assert "Share of runs that have reached it" not in text
