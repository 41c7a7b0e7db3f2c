"""Figures of studies: the right numbers, labels and files, whatever became of the runs."""

import itertools
import math
import xml.etree.ElementTree as ElementTree
from typing import Any

import matplotlib
import numpy as np
import pytest

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.output import (
    cost_figures,
    figures,
    learning_figures,
    row_figures,
)
from jaxact.presentation import drawing
from jaxact.presentation.chart import Chart, Line
from jaxact.presentation.figure import figure_of
from jaxact.presentation.style import GREY, labels_of
from tests.comparison.output.charts import draw, workload_of
from tests.support.studies import synthetic_study

ODD_SPECS = (
    "relu",
    "a_b$^c$",
    "_x:<b>&$",
    "m:f(a='\\frac{')",
    "p" * 70 + ".q:f",
    "q" * 70 + ".q:f",
)
STUDIES = {
    "plain": synthetic_study(3, 3, 4),
    "one of each": synthetic_study(1, 1, 1),
    "one seed": synthetic_study(2, 1, 5),
    "one epoch": synthetic_study(3, 4, 1),
    "many": synthetic_study(25, 2, 2),
    "diverged": synthetic_study(3, 2, 4, diverged={("relu", 0), ("tanh", 0), ("tanh", 1)}),
    "lost at once": synthetic_study(2, 1, 1, diverged={("relu", 0)}, failed={("tanh", 0)}),
    "unfinished": synthetic_study(3, 2, 4, missing={("relu", 1), ("tanh", 0), ("tanh", 1)}),
    "validation": synthetic_study(2, 2, 3, eval_split="validation"),
    "none reached": synthetic_study(2, 2, 3, never_reach={"relu", "tanh"}),
    "odd names": synthetic_study(ODD_SPECS, 2, 3),
    "neither health nor latency": synthetic_study(2, 2, 3, health=False, latency=False),
}
# Whose figures are laid out, for warnings of what is not a number, too little or too much.
LAID_OUT = {"one of each", "many", "diverged", "lost at once", "unfinished", "odd names"}


def legend(figure):
    """Texts of the legend and what they stand for."""
    box = figure.legends[0]
    return dict(zip([t.get_text() for t in box.get_texts()], box.legend_handles, strict=True))


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_gives_what_it_has_data_for(name):
    study = STUDIES[name]
    drawn = {
        key: function(study, workload_of(study)) for key, function in figures.OF_A_WORKLOAD.items()
    }
    absent = {key for key, chart in drawn.items() if chart is None}
    everything = set(drawn)
    assert absent == {
        "neither health nor latency": {k for k in everything if k.startswith("health")}
        | {"error_against_latency"},
        "lost at once": everything - {"time_to_accuracy"},
    }.get(name, set())
    for key, chart in drawn.items() if name in LAID_OUT else ():
        if name == "many" and key == "health_gradient_norm":
            continue  # the panels are those of health_dead
        if chart is not None and key != "health_saturated":  # drawn as health_dead is
            figure = figure_of(chart)
            figure.draw_without_rendering()  # warnings are errors
            assert figure.get_supxlabel()
            if len(figure.axes) == 1:
                assert figure.axes[0].get_xlabel()
                assert figure.axes[0].get_ylabel()


CURVES = [learning_figures.accuracy, learning_figures.loss, learning_figures.time_to_accuracy]


@pytest.mark.parametrize(
    ("function", "name"),
    [
        *itertools.product(CURVES, ("plain", "odd names", "one of each")),
        *((cost_figures.error_against_latency, name) for name in ("plain", "odd names")),
    ],
)
def test_legends_name_every_activation_differently(function, name):
    study = STUDIES[name]
    figure = draw(function, study)
    activations = [text for text in legend(figure) if not text.startswith("target")]
    assert len(activations) == len(study.plan.activations)
    labels = labels_of(study.plan.activations)
    for spec, text in zip(study.plan.activations, activations, strict=True):
        assert text.split(" (")[0] == labels[spec]
    looks = {
        (handle.get_color(), handle.get_linestyle(), handle.get_marker())
        for text, handle in legend(figure).items()
        if text in activations
    }
    assert len(looks) == len(activations)


def test_axes_say_what_they_show_and_in_which_unit():
    study = STUDIES["plain"]
    labels = {
        key: (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel())
        for key, function in figures.OF_A_WORKLOAD.items()
        if not key.startswith("health") and (figure := draw(function, study))
    }
    assert labels == {
        "accuracy": ("epoch", "test accuracy (%)"),
        "loss": ("epoch", "test loss (cross-entropy, nats)"),
        "time_to_accuracy": ("training time (s)", "runs at 95 % test accuracy (%)"),
        "error": ("test error after the last epoch (%)", "activation"),
        "error_against_latency": (
            "mean latency of one sample (ms)",
            "test error after the last epoch (%)",
        ),
    }


@pytest.mark.parametrize(
    ("function", "field", "scale"),
    [(learning_figures.accuracy, "test_accuracy", 100), (learning_figures.loss, "test_loss", 1)],
)
def test_lines_are_medians_and_bands_their_intervals(function, field, scale):
    study = synthetic_study(3, 5, 6)
    axes = draw(function, study).axes[0]
    for k, spec in enumerate(study.plan.activations):
        runs = study.of(workload_of(study), spec)
        expected = [
            statistics.median([run.metrics[epoch][field] for run in runs]) for epoch in range(6)
        ]
        x, y = axes.lines[k].get_data()
        assert x.tolist() == [1, 2, 3, 4, 5, 6]
        np.testing.assert_allclose(y, [scale * e.value for e in expected])
        (outline,) = axes.collections[k].get_paths()
        corners = {(x, round(y, 9)) for x, y in outline.vertices}
        for epoch, estimate in enumerate(expected, 1):
            assert (epoch, round(scale * estimate.low, 9)) in corners
            assert (epoch, round(scale * estimate.high, 9)) in corners


def test_a_validation_split_is_named():
    assert draw(learning_figures.accuracy, STUDIES["validation"]).axes[0].get_ylabel() == (
        "validation accuracy (%)"
    )


def test_the_target_is_a_line_within_the_axes():
    for name in ("plain", "none reached", "one of each"):
        figure = draw(learning_figures.accuracy, STUDIES[name])
        assert legend(figure)["target, 95 %"].get_linestyle() == "--"
        (target,) = [line for line in figure.axes[0].lines if list(line.get_ydata()) == [95, 95]]
        assert target.axes is figure.axes[0]
        low, high = figure.axes[0].get_ylim()
        assert low < 95 < high


def test_a_single_seed_has_no_band_and_says_so():
    figure = draw(learning_figures.accuracy, STUDIES["one seed"])
    assert not any(len(band.get_paths()) for band in figure.axes[0].collections)
    assert figure.get_supxlabel() == "One seed."
    several = draw(learning_figures.accuracy, STUDIES["plain"])
    assert several.get_supxlabel() == "Lines: median over 3 seeds; bands: its range."


def test_lost_runs_are_in_the_legend_and_end_the_line():
    figure = draw(learning_figures.loss, STUDIES["diverged"])
    assert list(legend(figure)) == ["relu (1 of 2 diverged)", "tanh (2 of 2 diverged)", "selu"]
    ends = [np.isfinite(line.get_ydata()).tolist() for line in figure.axes[0].lines]
    assert ends[0] == [True, True, False, False]
    assert ends[2] == [True] * 4


def test_misses_are_not_drawn_as_reached():
    study = synthetic_study(3, 4, 12, diverged={("selu", 2)})
    figure = draw(learning_figures.time_to_accuracy, study)
    assert list(legend(figure)) == ["relu (4/4)", "tanh (0/4)", "selu (3/4)"]
    tops = [line.get_ydata().max() for line in figure.axes[0].lines]
    assert tops == [100, 0, 75]
    for spec, line in zip(study.plan.activations, figure.axes[0].lines, strict=True):
        runs = study.of(workload_of(study), spec)
        seconds = [measures.seconds_to_target(run) for run in runs]
        assert line.get_drawstyle() == "steps-post"
        for at, share in zip(*line.get_data(), strict=True):
            assert share == pytest.approx(25 * sum(s <= at for s in seconds))
        if not all(map(math.isfinite, seconds)):
            trained = [row["train_seconds"] for run in runs for row in run.metrics]
            assert line.get_xdata()[-1] == max(trained)


def test_errors_are_those_of_the_runs_with_their_mean():
    study = synthetic_study(3, 5, 3, failed={("tanh", 1)})
    axes = draw(row_figures.error, study).axes[0]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["relu", "tanh (1 of 5 failed)", "selu"]
    for row, spec in enumerate(study.plan.activations):
        interval, mean, runs = axes.lines[3 * row : 3 * row + 3]
        errors = measures.by_seed(study, workload_of(study), measures.error_percent)[spec]
        expected = statistics.mean(errors)
        np.testing.assert_array_equal(runs.get_xdata(), [e for e in errors if not math.isnan(e)])
        assert list(mean.get_xdata()) == [expected.value]
        assert list(interval.get_xdata()) == [expected.low, expected.high]
        assert np.abs(np.asarray(runs.get_ydata()) - row).max() < 0.5


def test_error_and_latency_have_their_intervals():
    study = synthetic_study(2, 5, 3)
    axes = draw(cost_figures.error_against_latency, study).axes[0]
    for spec, bars in zip(study.plan.activations, axes.containers, strict=True):
        summaries = [run.summary for run in study.of(workload_of(study), spec)]
        error = statistics.mean([summary["error_percent"] for summary in summaries])
        latency = statistics.median([summary["latency_ms"]["mean"] for summary in summaries])
        point, _, (across, up) = bars.lines
        assert point.get_xydata().tolist() == [[latency.value, error.value]]
        np.testing.assert_allclose(across.get_segments()[0][:, 0], [latency.low, latency.high])
        np.testing.assert_allclose(up.get_segments()[0][:, 1], [error.low, error.high])


def test_the_dispatch_floor_is_drawn_to_scale():
    axes = draw(cost_figures.error_against_latency, STUDIES["plain"]).axes[0]
    floor = next(line for line in axes.lines if line.get_color() == GREY)
    assert np.ptp(np.asarray(floor.get_xdata())) == pytest.approx(0.05)
    assert "0.05 ms" in axes.texts[0].get_text()
    low, high = axes.get_xlim()
    assert low < min(floor.get_xdata()) < max(floor.get_xdata()) < high


def test_the_profile_is_that_of_medians_over_workloads():
    study = synthetic_study(3, 3, 12, datasets=("mnist", "digits", "cifar10"))
    chart = cost_figures.performance_profile(study)
    assert isinstance(chart, Chart)
    figure: Any = figure_of(chart)
    medians = {
        spec: [
            float(np.median(list(map(measures.seconds_to_target, study.of(workload, spec)))))
            for workload in study.workloads()
        ]
        for spec in study.plan.activations
    }
    best = [min(times) for times in zip(*medians.values(), strict=True)]
    axes = figure.axes[0]
    for spec, line in zip(study.plan.activations, axes.lines, strict=True):
        for ratio, share in zip(*line.get_data(), strict=True):
            within = [
                t <= ratio * b * (1 + 1e-12) for t, b in zip(medians[spec], best, strict=True)
            ]
            assert share == pytest.approx(100 * np.mean(within))
    assert axes.lines[1].get_ydata().max() == 0  # tanh never reaches it
    assert list(legend(figure)) == list(study.plan.activations)
    assert axes.get_xlabel()
    assert axes.get_ylabel() == "workloads at the target (%)"


def test_there_is_no_profile_without_several_solved_workloads():
    assert cost_figures.performance_profile(synthetic_study(1, 1, 12)) is None
    lost = synthetic_study(1, 1, 3, datasets=("mnist", "digits"), never_reach={"relu"})
    assert cost_figures.performance_profile(lost) is None


def test_profiles_begin_with_the_soonest_and_leave_out_what_was_not_tried():
    datasets, specs = ("mnist", "cifar10"), ("relu", "tanh")
    not_tried = synthetic_study((*specs, "elu"), 1, 8, datasets=datasets, missing={("elu", 0)})
    assert cost_figures.performance_profile(not_tried) is None
    profile = cost_figures.performance_profile(synthetic_study(specs, 1, 8, datasets=datasets))
    assert profile is not None
    relu, tanh = profile.marks
    assert isinstance(relu, Line)
    assert isinstance(tanh, Line)
    assert (relu.x[0], relu.y[-1]) == (1, 100)
    assert {*tanh.y} == {0}  # it never gets there


@pytest.fixture
def few_pixels(monkeypatch):
    """Files are drawn faster."""
    assert drawing.DPI >= 150
    monkeypatch.setattr(drawing, "DPI", 30)


@pytest.mark.parametrize("key", ["accuracy", "health_dead"])
def test_files_are_the_same_each_time(key, tmp_path, few_pixels, monkeypatch):
    """Figures of specs that mathtext or SVG could stumble over, lines and panels alike."""
    figure = figures.OF_A_WORKLOAD[key]
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    first, second = (
        drawing.save(
            draw(figure, STUDIES["odd names"]),
            tmp_path / name,
            key,
            (*drawing.FORMATS, drawing.PDF),
        )
        for name in ("first", "second")
    )
    assert [path.name for path in first] == [f"{key}.png", f"{key}.svg", f"{key}.pdf"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    ElementTree.parse(first[1])


def test_a_pdf_holds_its_fonts_and_no_date(tmp_path):
    figure = draw(learning_figures.accuracy, STUDIES["plain"])
    (path,) = drawing.save(figure, tmp_path, "accuracy", (drawing.PDF,))
    content = path.read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"/FontFile2" in content  # TrueType, embedded
    assert b"/Type3" not in content
    assert b"/CreationDate" not in content
    assert b"/Subtype /Image" not in content  # vectors alone


def test_pdfs_are_written_where_asked_and_kept_up_to_date(tmp_path, few_pixels, monkeypatch):
    monkeypatch.setattr(figures, "OF_A_WORKLOAD", {"error": row_figures.error})
    study = synthetic_study(1, 1, 1, health=False, latency=False)
    assert not [path for path in figures.draw_all(study, tmp_path) if path.suffix == ".pdf"]
    asked = [path for path in figures.draw_all(study, tmp_path, pdf=True) if path.suffix == ".pdf"]
    assert {path.stem for path in asked} == {path.stem for path in tmp_path.glob("*.svg")}
    asked[0].write_bytes(b"of another state")
    figures.draw_all(study, tmp_path)
    assert asked[0].read_bytes().startswith(b"%PDF-")


def test_odd_names_are_shown_as_they_are():
    texts = list(legend(draw(learning_figures.accuracy, STUDIES["odd names"])))
    assert texts[:3] == ["relu", "a_b$^c$", "_x:<b>&$"]


def test_workloads_have_their_names_in_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "save", lambda figure, folder, name, formats: [folder / name])
    study = synthetic_study(
        1,
        1,
        9,
        datasets=("mnist", "digits"),
        learning_rates=(1e-3, 0.01),
        health=False,
        latency=False,
    )
    endings = [
        f"_{dataset}_learning_rate={rate}"
        for dataset in ("mnist", "digits")
        for rate in ("0.001", "0.01")
    ]
    drawn = ("accuracy", "loss", "time_to_accuracy", "error")
    names = [f"{key}{e}" for key in drawn for e in endings]
    assert figures.draw_all(study, tmp_path) == [
        tmp_path / name for name in [*names, "performance_profile"]
    ]


def test_the_users_own_matplotlib_settings_change_nothing(tmp_path, few_pixels):
    study = STUDIES["one of each"]
    plain = drawing.save(draw(learning_figures.accuracy, study), tmp_path / "plain", "accuracy")
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 20, "svg.fonttype": "none"}):
        own = drawing.save(draw(learning_figures.accuracy, study), tmp_path / "own", "accuracy")
    assert [path.read_bytes() for path in plain] == [path.read_bytes() for path in own]
