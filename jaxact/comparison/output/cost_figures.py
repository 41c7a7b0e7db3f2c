"""Figures of what an activation costs and where: error against latency, performance profile."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.study import Study, Workload
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, labels_of, style_of


@drawing.house_style()
def error_against_latency(study: Study, workload: Workload) -> Figure | None:
    """Test error in percent against the latency of one sample in ms, with intervals."""
    latencies = measures.by_seed(study, workload, measures.latency_ms)
    errors = measures.by_seed(study, workload, measures.error_percent)
    points = {
        spec: (statistics.median(latencies[spec]), statistics.mean(errors[spec]))
        for spec in study.plan.activations
        if not np.isnan(latencies[spec]).all()
    }
    if not points:
        return None
    figure, axes = drawing.new_axes(study.title(workload))
    styles, handles = style_of(study.plan.activations), []
    for spec, (latency, error) in points.items():
        style = styles[spec]
        bars = axes.errorbar(
            [latency.value],
            [error.value],
            xerr=_bar(latency),
            yerr=_bar(error),
            color=style.color,
            marker=style.marker,
            markersize=7,
            markeredgecolor="white",
            markeredgewidth=0.6,
            linestyle="none",
            elinewidth=1,
            capsize=2,
        )
        handles.append(bars.lines[0])
    axes.set_xlabel("mean latency of one sample (ms)")
    axes.set_ylabel("test error after the last epoch (%)")
    floors = measures.by_seed(study, workload, measures.latency_floor_ms).values()
    _add_floor(axes, float(np.nanmedian(list(floors))))
    labels = labels_of(points)
    drawing.add_legend(figure, handles, [labels[spec] for spec in points])
    drawing.add_caption(
        figure,
        "Median latency and mean error over the seeds; bars: "
        f"{statistics.intervals_in_words(measures.most_seeds(study))}.",
    )
    return figure


@drawing.house_style()
def performance_profile(study: Study) -> Figure | None:
    """Share of workloads whose target is reached within a ratio of the soonest activation's time.

    Source: Dolan and More 2002, Benchmarking optimization software with performance profiles.
    """
    profile = measures.performance_profile(study)
    if profile is None:
        return None
    ratios, shares, workloads = profile
    elsewhere = study.plan.elsewhere
    name = study.plan.config.model if elsewhere is None else elsewhere.title
    title = f"{name}, time to target over {workloads} workloads"
    figure, axes = drawing.new_axes(title)
    styles, handles = style_of(study.plan.activations), []
    for spec, share in shares.items():
        handles.append(drawing.rising_share(axes, ratios, share, styles[spec], clip_on=False))
    axes.set_xlim(1, ratios[-1])
    axes.set_ylim(-4, 104)
    drawing.log_axis(axes, "x")
    axes.set_xlabel("time to target / that of the soonest activation")
    axes.set_ylabel("workloads at the target (%)")
    labels = labels_of(shares)
    drawing.add_legend(figure, handles, [labels[spec] for spec in shares])
    drawing.add_caption(figure, "Of each workload the median over the seeds; a miss is infinite.")
    return figure


def _bar(estimate: statistics.Estimate) -> list[list[float]]:
    """An interval as the lengths of an error bar; nan, which is not drawn, where there is none."""
    return [[estimate.value - estimate.low], [estimate.high - estimate.value]]


def _add_floor(axes: Axes, floor_ms: float) -> None:
    """A bar as long as the dispatch floor: smaller differences of latency are ties."""
    low, high = axes.get_xlim()
    if high - low < 1.4 * floor_ms:
        middle = (low + high) / 2
        low, high = middle - 0.7 * floor_ms, middle + 0.7 * floor_ms
        axes.set_xlim(low, high)
    bottom, top = axes.get_ylim()
    ticks = [tick for tick in axes.get_yticks() if 0 <= tick <= top]  # an error is never below 0
    axes.set_ylim(bottom - 0.15 * (top - bottom), top)  # room for the bar
    axes.set_yticks(ticks)
    start, y = low + 0.02 * (high - low), 0.05
    axes.plot(
        [start, start + floor_ms],
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
        f"dispatch floor, {floor_ms:.3g} ms: shorter differences are ties",
        transform=axes.get_xaxis_transform(),
        fontsize=7.5,
        color=GREY,
    )
