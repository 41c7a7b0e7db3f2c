"""A chart as plain data: what is drawn, not by which library.

    chart = Chart("Squares", Axis("x"), Axis("y"), (Line("relu", (0, 1, 2), (0, 1, 4)),),
                  (Entry("relu", "relu", style_of(["relu"])["relu"]),))

Two renderers draw it, and know nothing of where it comes from: `jaxact.presentation.figure` with
matplotlib, and the script of a page as SVG, from the JSON of `as_data`. What belongs to an
activation has its name, by which a page hides and shows it.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from jaxact.presentation.style import Style

LINEAR, LOG = "linear", "log"
DIGITS = 5  # of numbers in JSON: finer than a pixel of a chart that is zoomed
Numbers: TypeAlias = tuple[float, ...]
Limits: TypeAlias = tuple[float | None, float | None]


@dataclasses.dataclass(frozen=True)
class Axis:
    """An axis of a chart.

    Attributes:
      title: with the unit in brackets.
      reading: a number of it in words, `{}` standing for the number; "" where none is read out.
      scale: LINEAR or LOG.
      limits: its ends, None where the marks decide; the first is the greater where it runs down.
      whole: ends that show every mark, where `limits` show a part.
      is_counted: whether only whole numbers are ticks.
      rows: names, from top to bottom, at 0, 1, ... of an axis without numbers.
    """

    title: str
    reading: str = "{}"
    scale: str = LINEAR
    limits: Limits = (None, None)
    whole: Limits | None = None
    is_counted: bool = False
    rows: tuple[str, ...] = ()

    def between(self, low: float, high: float) -> "Axis":
        """The same axis with these ends."""
        return dataclasses.replace(self, limits=(low, high))


@dataclasses.dataclass(frozen=True)
class Line:
    """A line, broken where a number is nan.

    Attributes:
      low, high: ends of a band about it, empty without one; not finite where an end is open.
      marked: positions of the points that have a marker.
      is_step: whether it rises at its points, and is level between them.
      is_muted: whether it is thin and grey, background to others.
      notes: what else is to be said of each point, empty or one each.
    """

    name: str
    x: Numbers
    y: Numbers
    low: Numbers = ()
    high: Numbers = ()
    marked: tuple[int, ...] = ()
    is_step: bool = False
    is_muted: bool = False
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Points:
    """Points, each a marker.

    Attributes:
      is_end: whether they are where a run diverged: crosses.
      notes: what else is to be said of each.
    """

    name: str
    x: Numbers
    y: Numbers
    is_end: bool = False
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Centre:
    """A bar across a row at a mean or median, and a line for its interval.

    Attributes:
      y: the row.
      low, high: nan without an interval; infinite where it has no end.
      word: what it is, such as "mean".
      is_dot: whether the bar is the activation's marker.
      text: the figure in words, where its place on the axis is not its value.
    """

    name: str
    y: float
    value: float
    low: float
    high: float
    word: str
    is_dot: bool = False
    text: str = ""


@dataclasses.dataclass(frozen=True)
class Cross:
    """A point with intervals along both axes.

    Attributes:
      x, y: value, low and high end; nan where there is no interval.
      is_muted: whether it is a small grey dot without intervals, background to others.
    """

    name: str
    x: tuple[float, float, float]
    y: tuple[float, float, float]
    is_muted: bool = False


@dataclasses.dataclass(frozen=True)
class Rule:
    """A line across the whole chart.

    Attributes:
      axis: on which it stands.
      text: stands in the legend, or beside it.
      is_dashed: a target; else it is a thin line.
    """

    axis: Literal["x", "y"]
    at: float
    text: str = ""
    is_dashed: bool = True


@dataclasses.dataclass(frozen=True)
class Zone:
    """A part of the x axis that is no part of its scale, such as never, with a tick of its own."""

    low: float
    high: float
    text: str


@dataclasses.dataclass(frozen=True)
class Label:
    """Text to the left of a point."""

    name: str
    x: float
    y: float
    text: str


@dataclasses.dataclass(frozen=True)
class Length:
    """A length along the x axis, drawn at the lower left to compare others with."""

    length: float
    text: str


Mark: TypeAlias = Line | Points | Centre | Cross | Rule | Zone | Label | Length


@dataclasses.dataclass(frozen=True)
class Entry:
    """An entry of the legend: what marks of a name look like, and what they are called."""

    name: str
    text: str
    style: Style


@dataclasses.dataclass(frozen=True)
class Chart:
    """A chart of one pair of axes.

    Attributes:
      title: what it shows, or what was found.
      marks: in the order in which they are drawn.
      legend: in its order; where the y axis has rows, their texts.
      caption: what lines, bands and bars are.
      subtitle: what the title is of, where it is a finding.
    """

    title: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    legend: tuple[Entry, ...]
    caption: str = ""
    subtitle: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """A heat map of one activation.

    Attributes:
      title: its label, and what became of its runs.
      values: [rows, columns], nan where there is none.
    """

    name: str
    title: str
    values: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class HeatMaps:
    """Heat maps with one scale for all.

    Attributes:
      x, y: titles of the axes; columns count from 1.
      rows: what the rows are called, from the top.
      scale: of the colours: its limits are numbers.
      folded: a line of text in place of the panels in which nothing is.
    """

    title: str
    x: str
    y: str
    rows: tuple[str, ...]
    scale: Axis
    panels: tuple[Panel, ...]
    caption: str = ""
    folded: str = ""


def numbers(values: Sequence[float] | np.ndarray) -> Numbers:
    """Plain floats.

    >>> numbers(np.arange(2))
    (0.0, 1.0)
    """
    return tuple(float(value) for value in values)


def as_data(chart: Chart | HeatMaps, names: Sequence[str]) -> dict[str, Any]:
    """A chart as JSON has it: numbers with DIGITS digits, None for those that are not finite.

    Args:
      names: what positions stand for: a name becomes its position, in the field `of`.

    Returns:
      The fields of the chart without its title and without what is empty; a mark has its `kind`
      (`line`, ...), a legend's entry no style.
    """
    places = {name: place for place, name in enumerate(names)}

    def plain(value: Any) -> Any:
        if isinstance(value, float):
            return _short(value)
        if isinstance(value, tuple | list):
            return [plain(item) for item in value]
        return plain(value.tolist()) if isinstance(value, np.ndarray) else value

    def fields(value: Any, *apart: str) -> dict[str, Any]:
        """The fields that hold something, but those that are written apart."""
        held = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        found = {key: plain(item) for key, item in held.items() if not _is_empty(item)}
        if "name" in found:
            found["of"] = places[found.pop("name")]
        return {key: item for key, item in found.items() if key not in apart}

    def axis(value: Axis) -> dict[str, Any]:
        return {**fields(value), "rows": [places[name] for name in value.rows]}

    if isinstance(chart, HeatMaps):
        panels = [fields(panel) for panel in chart.panels]
        return {**fields(chart, "title"), "scale": axis(chart.scale), "panels": panels}
    return {
        **fields(chart, "title"),
        "x": axis(chart.x),
        "y": axis(chart.y),
        "marks": [{"kind": type(mark).__name__.lower(), **fields(mark)} for mark in chart.marks],
        "legend": [[places[entry.name], entry.text] for entry in chart.legend],
    }


def _short(value: float) -> float | None:
    """The number that JSON writes with the fewest characters; None where it has none."""
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 10**DIGITS else rounded


def _is_empty(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, tuple | str) and not value)
