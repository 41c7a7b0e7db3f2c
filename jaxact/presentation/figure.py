"""Charts as matplotlib draws them: `figure_of`."""

import math
import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from jaxact.presentation import chart as charts, drawing
from jaxact.presentation.chart import (
    Centre,
    Chart,
    Cross,
    HeatMaps,
    Label,
    Length,
    Line,
    Mark,
    Points,
    Rule,
    Zone,
)
from jaxact.presentation.style import GREY, Style

COLOR_MAP = "viridis"  # perceptually uniform, and rising in lightness
NO_DATA = "#e6e6e6"
MUTED = "#bbbbbb"
CAPTION_CHARACTERS, TITLE_CHARACTERS = 15.5, 12.5  # in an inch


@drawing.house_style()
def figure_of(chart: Chart | HeatMaps) -> Figure:
    """A chart as a figure, which `drawing.save` writes."""
    figure = _heat_maps(chart) if isinstance(chart, HeatMaps) else _axes(chart)
    texts = [chart.caption]
    if isinstance(chart, HeatMaps) and chart.folded:
        texts = [chart.folded, chart.caption]
    width = round(CAPTION_CHARACTERS * figure.get_figwidth())
    drawing.add_caption(figure, "\n".join(textwrap.fill(text, width) for text in texts))
    return figure


def _axes(chart: Chart) -> Figure:
    figure, axes = drawing.new_axes("" if chart.subtitle else chart.title)
    styles = {entry.name: entry.style for entry in chart.legend}
    texts = {entry.name: entry.text for entry in chart.legend}
    handles: dict[str, Line2D] = {}
    for mark in chart.marks:
        for name, handle in _draw(axes, mark, styles).items():
            handles.setdefault(name, handle)
    _set(axes, "x", chart.x)
    _set(axes, "y", chart.y)
    if chart.y.rows:
        count = len(chart.y.rows)
        figure.set_figheight(
            1.3 + min(0.38 * count, 1.5 + 0.2 * count) + 0.2 * bool(chart.subtitle)
        )
        axes.set_yticks(range(len(chart.y.rows)), [texts[name] for name in chart.y.rows])
        axes.set_ylim(len(chart.y.rows) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
    elif handles:
        named = [texts.get(name, name) for name in handles]
        drawing.add_legend(figure, [*handles.values()], named)
    if chart.subtitle:
        axes.set_title(chart.subtitle, fontsize=8, color=GREY)
        _title(figure, chart.title)
    for mark in chart.marks:  # that depend on where the axes end
        if isinstance(mark, Length):
            _draw_length(axes, mark)
        elif isinstance(mark, Zone):
            _draw_zone(axes, mark)
    return figure


def _title(figure: Figure, title: str) -> None:
    """A title over the whole figure, once that has its width."""
    width = round(TITLE_CHARACTERS * figure.get_figwidth())
    figure.suptitle(textwrap.fill(title, width), fontsize=10, x=0.01, ha="left")


def _draw(axes: Axes, mark: Mark, styles: dict[str, Style]) -> dict[str, Line2D]:
    """Draws a mark; returns what stands for it in a legend, by its name there."""
    match mark:
        case Line(is_muted=True):
            axes.plot(mark.x, mark.y, color=MUTED, linewidth=0.8, zorder=1.5)
        case Line():
            return {mark.name: _draw_line(axes, mark, styles[mark.name])}
        case Points():
            style = styles[mark.name]
            axes.plot(
                mark.x,
                mark.y,
                color=style.color,
                marker="x" if mark.is_end else style.marker,
                markeredgecolor=style.color if mark.is_end else "white",
                markeredgewidth=2 if mark.is_end else 0.4,
                linestyle="none",
                zorder=3,
            )
        case Centre():
            if not math.isnan(mark.low):
                axes.plot([mark.low, mark.high], [mark.y] * 2, color=GREY, linewidth=2, zorder=2)
            form = {"marker": "|", "color": "black", "markersize": 14, "markeredgewidth": 2}
            if mark.is_dot:
                style = styles[mark.name]
                form = {"marker": style.marker, "color": style.color, "markersize": 6, "zorder": 3}
            axes.plot([mark.value], [mark.y], linestyle="none", **form)
        case Cross(is_muted=True):
            axes.plot(mark.x[:1], mark.y[:1], color=MUTED, marker="o", markersize=4, zorder=1.5)
        case Cross():
            return {mark.name: _draw_cross(axes, mark, styles[mark.name])}
        case Rule():
            draw = axes.axhline if mark.axis == "y" else axes.axvline
            dashes = (0, (5, 3)) if mark.is_dashed else "solid"
            line = draw(
                mark.at, color=GREY, linestyle=dashes, linewidth=1 if mark.is_dashed else 0.7
            )
            return {mark.text: line} if mark.text else {}
        case Label():
            axes.annotate(
                mark.text,
                (mark.x, mark.y),
                (-6, 0),
                horizontalalignment="right",
                textcoords="offset points",
                verticalalignment="center",
                fontsize=7.5,
                color=GREY,
            )
    return {}


def _draw_line(axes: Axes, line: Line, style: Style) -> Line2D:
    (drawn,) = axes.plot(
        line.x,
        line.y,
        drawstyle="steps-post" if line.is_step else "default",
        color=style.color,
        linestyle=style.line_style,
        marker=style.marker,
        markevery=list(line.marked),
        clip_on=not line.is_step,  # markers at the first ratio of a profile stand on its edge
        zorder=2 if line.is_step else 3,
    )
    if line.low:
        axes.fill_between(
            line.x,
            line.low,
            line.high,
            where=(np.isfinite(line.low) & np.isfinite(line.high)).tolist(),
            color=style.color,
            alpha=0.15,
            linewidth=0,
        )
    return drawn


def _draw_cross(axes: Axes, cross: Cross, style: Style) -> Line2D:
    def lengths(value: float, low: float, high: float) -> list[list[float]]:
        return [[value - low], [high - value]]  # nan, which is not drawn, without an interval

    bars = axes.errorbar(
        [cross.x[0]],
        [cross.y[0]],
        xerr=lengths(*cross.x),
        yerr=lengths(*cross.y),
        color=style.color,
        marker=style.marker,
        markersize=7,
        markeredgecolor="white",
        markeredgewidth=0.6,
        linestyle="none",
        elinewidth=1,
        capsize=2,
    )
    return bars.lines[0]


def _draw_length(axes: Axes, mark: Length) -> None:
    """A bar at the lower left, for which both axes make room."""
    low, high = axes.get_xlim()
    if high - low < 1.4 * mark.length:
        middle = (low + high) / 2
        low, high = middle - 0.7 * mark.length, middle + 0.7 * mark.length
        axes.set_xlim(low, high)
    bottom, top = axes.get_ylim()
    ticks = [tick for tick in axes.get_yticks() if 0 <= tick <= top]
    axes.set_ylim(bottom - 0.15 * (top - bottom), top)
    axes.set_yticks(ticks)
    start, y = low + 0.02 * (high - low), 0.05
    axes.plot(
        [start, start + mark.length],
        [y, y],
        transform=axes.get_xaxis_transform(),
        color=GREY,
        linewidth=2,
        marker="|",
        solid_capstyle="butt",
    )
    axes.text(
        start,
        y + 0.02,
        mark.text,
        transform=axes.get_xaxis_transform(),
        fontsize=7.5,
        color=GREY,
    )


def _draw_zone(axes: Axes, zone: Zone) -> None:
    """A shaded part of the x axis, whose own ticks end before it."""
    axes.axvspan(zone.low, zone.high, color=GREY, alpha=0.12, linewidth=0)
    first, last = axes.get_xlim()
    ticks = [float(tick) for tick in axes.get_xticks() if first <= tick < zone.low]
    middle = (zone.low + zone.high) / 2
    axes.set_xticks([*ticks, middle], [*(f"{tick:g}" for tick in ticks), zone.text])
    axes.set_xlim(first, last)


def _set(axes: Axes, which: str, axis: charts.Axis) -> None:
    """Title, limits and scale of the axis `which`, "x" or "y"."""
    first, last = axis.limits
    if which == "x":
        axes.set_xlabel(axis.title)
        axes.set_xlim(first, last)
    else:
        axes.set_ylabel(axis.title)
        axes.set_ylim(first, last)
    if axis.scale == charts.LOG:
        drawing.log_axis(axes, which)
    elif axis.is_counted:
        locator = MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
        (axes.xaxis if which == "x" else axes.yaxis).set_major_locator(locator)


def _heat_maps(chart: HeatMaps) -> Figure:
    """A panel an activation, all with one colour scale; text alone where all are folded."""
    count, scale = len(chart.panels), chart.scale
    if not count:
        figure = drawing.new_figure(5.6, 0.9)
        _title(figure, chart.title)
        return figure
    is_log = scale.scale == charts.LOG
    low, high = (0.0 if end is None else end for end in scale.limits)
    norm = (LogNorm if is_log else Normalize)(low, high)
    columns = min(count, 3 if count <= 9 else 5)
    rows = math.ceil(count / columns)
    height = max(1.0, 0.16 * len(chart.rows) + 0.55)
    figure = drawing.new_figure(max(2.1 * columns + 1.6, 5.6), max(height * rows + 1.1, 2.6))
    _title(figure, chart.title)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for panel, axes in zip(chart.panels, panels.flat, strict=False):
        edges = (np.arange(length + 1) - 0.5 for length in panel.values.shape)
        y_edges, x_edges = edges
        axes.pcolormesh(
            x_edges + 1, y_edges, panel.values, norm=norm, cmap=COLOR_MAP, rasterized=True
        )
        axes.set_title(textwrap.fill(panel.title, 32), fontsize=8)
        axes.set_facecolor(NO_DATA)
        axes.grid(False)
        axes.set_yticks(range(len(chart.rows)), chart.rows, fontsize=7)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    for axes in panels.flat[count:]:
        axes.set_visible(False)
    panels[0, 0].invert_yaxis()  # the first layer on top
    for axes in panels.flat[max(0, count - columns) : count]:
        axes.set_xlabel(chart.x)
        axes.tick_params(labelbottom=True)
    for axes in panels[:, 0]:
        axes.set_ylabel(chart.y)
    bar = figure.colorbar(
        ScalarMappable(norm, COLOR_MAP), ax=panels, label=scale.title, aspect=30, fraction=0.05
    )
    if is_log:
        is_narrow = high < 1e3 * low
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if is_narrow else (1.0,)))
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        bar.ax.yaxis.set_minor_locator(NullLocator())
    return figure
