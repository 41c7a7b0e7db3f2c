"""Heat maps of health: medians on one scale that is said, and text where nothing is."""

from typing import Any

import numpy as np

from jaxact.comparison.analysis import learning_curves
from jaxact.comparison.output import health_figures
from jaxact.presentation.figure import figure_of
from tests.comparison.output.charts import draw, workload_of
from tests.support.studies import LAYERS, synthetic_study


def test_heat_maps_are_medians_by_layer_and_epoch():
    study = synthetic_study(2, 3, 4)
    layers, maps = learning_curves.heat_maps(study, workload_of(study), "dead")
    assert layers == list(LAYERS)
    runs = study.of(workload_of(study), "tanh")
    expected = np.median(
        [[[layer["dead"] for layer in row["layers"]] for row in run.health] for run in runs], 0
    )
    np.testing.assert_allclose(maps["tanh"], expected.T)
    figure = draw(health_figures.dead, study)
    drawn = figure.axes[1].collections[0]
    np.testing.assert_allclose(drawn.get_array(), 100 * expected.T)
    assert figure.axes[-1].get_ylabel() == "dead units (%)"
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == list(LAYERS)
    low, high = figure.axes[0].get_ylim()
    assert low > high  # the first layer on top


def test_health_that_is_not_defined_is_left_blank():
    study = synthetic_study(2, 1, 2)
    for run in study.runs:
        for row in run.health:
            for layer in row["layers"]:
                layer["saturated"] = None
                if run.activation == "relu":
                    layer["dead"] = None
        run.health[0]["layers"][0]["dead"] = None
    assert health_figures.saturated(study, workload_of(study)) is None
    figure = draw(health_figures.dead, study)
    (drawn,) = (axes for axes in figure.axes if axes.get_title("left").startswith("tanh"))
    blank = np.ma.getmaskarray(np.ma.masked_invalid(drawn.collections[0].get_array()))
    assert blank.sum() == 1
    assert blank[0, 0]
    figure.draw_without_rendering()


def test_a_scale_of_shares_ends_round_and_is_said():
    study = synthetic_study(3, 3, 4)
    _, maps = learning_curves.heat_maps(study, workload_of(study), "dead")
    greatest = 100 * max(values.max() for values in maps.values())
    chart = health_figures.dead(study, workload_of(study))
    assert chart is not None
    first, last = chart.scale.limits
    assert first == 0
    assert greatest <= last <= 2.5 * greatest
    assert f"One scale for all panels, 0 % to {last:g} %" in chart.caption
    bar = figure_of(chart).axes[-1]
    assert bar.get_ylim() == (first, last)
    assert f"up to {100 * maps['selu'].max():.3g} %" in chart.panels[2].title


def with_health(study, spec, **values):
    """The study with other figures in every row of an activation's health."""
    for run in study.runs:
        for row in run.health if run.activation == spec else ():
            for layer in row["layers"]:
                layer.update(values)
    return study


def test_panels_in_which_nothing_is_are_a_line_of_text():
    study = with_health(synthetic_study(4, 2, 3), "tanh", dead=0.0)
    study = with_health(with_health(study, "selu", dead=0.0), "prelu", dead=None)
    chart = health_figures.dead(study, workload_of(study))
    assert chart is not None
    assert [panel.name for panel in chart.panels] == ["relu"]
    assert chart.folded == "No dead units: tanh, selu. No value: prelu."
    figure: Any = figure_of(chart)
    assert len(figure.axes) == 2  # of relu, and the scale
    assert chart.folded in figure.get_supxlabel()
    figure.draw_without_rendering()


def test_a_figure_without_panels_says_so():
    study = with_health(with_health(synthetic_study(2, 2, 3), "relu", dead=0.0), "tanh", dead=0.0)
    chart = health_figures.dead(study, workload_of(study))
    assert chart is not None
    assert not chart.panels
    figure = figure_of(chart)
    assert not figure.axes
    assert "No dead units: relu, tanh." in figure.get_supxlabel()
    figure.draw_without_rendering()


def test_gradient_norms_of_zero_do_no_harm():
    study = synthetic_study(2, 1, 2)
    study.runs[0].health[0]["layers"][0]["gradient_norm"] = 0.0
    draw(health_figures.gradient_norm, study).draw_without_rendering()
