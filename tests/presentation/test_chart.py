"""Charts as data: what JSON holds of them, and that matplotlib draws every mark where it says."""

import json
import math
from typing import Any

import numpy as np
import pytest

from jaxact.presentation import chart as charts
from jaxact.presentation.chart import (
    Axis,
    Centre,
    Chart,
    Entry,
    HeatMaps,
    Label,
    Length,
    Line,
    Panel,
    Points,
    Rule,
    Zone,
    as_data,
)
from jaxact.presentation.figure import figure_of
from jaxact.presentation.style import GREY, style_of

NAMES = ("relu", "tanh")
STYLES = style_of(NAMES)
LEGEND = tuple(Entry(name, f"{name} (1/1)", STYLES[name]) for name in NAMES)


def chart(*marks, x=None, y=None):
    return Chart("Found", x or Axis("x"), y or Axis("y"), marks, LEGEND, caption="Lines.")


def test_json_holds_every_field_that_says_something():
    line = Line("tanh", (1.0, 2.0), (math.nan, math.inf), low=(0.123456789, 2.0), marked=(1,))
    data = as_data(chart(line, Rule("y", 0.0, "target"), x=Axis("time (s)", "{} s")), NAMES)
    json.dumps(data, allow_nan=False)
    assert data["marks"] == [
        {
            "kind": "line",
            "of": 1,
            "x": [1.0, 2.0],
            "y": [None, None],
            "low": [0.12346, 2.0],
            "marked": [1],
        },
        {"kind": "rule", "axis": "y", "at": 0.0, "text": "target", "is_dashed": True},
    ]
    assert data["x"] == {
        "title": "time (s)",
        "reading": "{} s",
        "scale": "linear",
        "limits": [None, None],
        "rows": [],
    }
    assert data["legend"] == [[0, "relu (1/1)"], [1, "tanh (1/1)"]]
    assert data["caption"] == "Lines."


def test_rows_are_positions_of_names():
    data = as_data(chart(Points("relu", (3.0,), (1.0,)), y=Axis("", rows=("tanh", "relu"))), NAMES)
    assert data["y"]["rows"] == [1, 0]
    assert data["marks"][0]["of"] == 0


def test_heat_maps_are_json_too():
    values = np.array([[0.5, math.nan]])
    scale = Axis("share", scale=charts.LOG, limits=(0.1, 1.0))
    maps = HeatMaps("T", "epoch", "layer", ("first",), scale, (Panel("tanh", "tanh", values),))
    data = as_data(maps, NAMES)
    assert data["panels"] == [{"of": 1, "title": "tanh", "values": [[0.5, None]]}]
    assert data["scale"]["limits"] == [0.1, 1.0]
    assert data["rows"] == ["first"]


def test_a_name_that_is_no_activation_s_is_a_mistake():
    with pytest.raises(KeyError):
        as_data(chart(Points("gelu", (1.0,), (1.0,))), NAMES)


def drawn(*marks, **axes) -> Any:
    return figure_of(chart(*marks, **axes)).axes[0]


def test_numbers_end_where_a_zone_begins():
    zone = Zone(9.0, 11.0, "never")
    axes = drawn(Points("relu", (1.0, 10.0), (0.0, 1.0)), zone, x=Axis("x", limits=(0, 11)))
    ticks = [text.get_text() for text in axes.get_xticklabels()]
    assert ticks[-1] == "never"
    assert axes.get_xticks()[-1] == 10
    assert all(float(text) < 9 for text in ticks[:-1])
    assert len(ticks) > 2
    assert axes.get_xlim() == (0, 11)


def test_what_is_muted_is_grey_and_not_in_the_legend():
    lines = [Line("relu", (1, 2), (3, 4), is_muted=True), Line("tanh", (1, 2), (5, 6))]
    figure = figure_of(chart(*lines))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["tanh (1/1)"]
    muted, other = figure.axes[0].lines
    assert muted.get_color() not in {style.color for style in STYLES.values()}
    assert muted.get_linewidth() < other.get_linewidth()
    assert other.get_color() == STYLES["tanh"].color


def test_rows_stand_from_top_to_bottom_with_their_texts():
    rows = Axis("activation", "", rows=("tanh", "relu"))
    axes = drawn(Centre("tanh", 0, 2.0, 1.0, 3.0, "mean"), Label("tanh", 2.0, 0, "2.0"), y=rows)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["tanh (1/1)", "relu (1/1)"]
    bottom, top = axes.get_ylim()
    assert bottom > top
    assert [text.get_text() for text in axes.texts] == ["2.0"]
    interval, centre = axes.lines
    assert list(interval.get_xdata()) == [1.0, 3.0]
    assert list(centre.get_xdata()) == [2.0]


def test_a_length_is_drawn_to_scale_where_it_fits():
    axes = drawn(Points("relu", (1.0,), (1.0,)), Length(5.0, "five"))
    bar = next(line for line in axes.lines if line.get_color() == GREY)
    assert np.ptp(np.asarray(bar.get_xdata())) == pytest.approx(5)
    low, high = axes.get_xlim()
    assert low < min(bar.get_xdata()) < max(bar.get_xdata()) < high


def test_long_captions_are_wrapped():
    long = Chart("T", Axis("x"), Axis("y"), (Line("relu", (1,), (1,)),), LEGEND, "word " * 60)
    figure: Any = figure_of(long)
    lines = figure.get_supxlabel().split("\n")
    assert len(lines) > 1
    figure.draw_without_rendering()
    box = figure._supxlabel.get_window_extent()
    assert box.x1 <= figure.bbox.x1
