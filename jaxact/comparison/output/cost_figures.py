"""Figures of what an activation costs and where: error against latency, performance profile."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxact import statistics
from jaxact.comparison.analysis import learning_curves
from jaxact.comparison.study import DONE, Study, Workload
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, labels_of, style_of


@drawing.house_style()
def error_against_latency(study: Study, workload: Workload) -> Figure | None:
    """Test error in percent against the latency of one sample in ms, with 95 % intervals."""
    points, floors = {}, []
    for spec in study.plan.activations:
        summaries = [run.summary for run in study.of(workload, spec) if run.status == DONE]
        summaries = [summary for summary in summaries if summary["latency_ms"]]
        if summaries:
            latencies = [summary["latency_ms"]["mean"] for summary in summaries]
            floors += [summary["latency_ms"]["dispatch_floor_p50"] for summary in summaries]
            errors = [summary["error_percent"] for summary in summaries]
            points[spec] = statistics.median(latencies), statistics.mean(errors)
    if not points:
        return None
    figure, axes = drawing.new_axes(learning_curves.title_of(study, workload))
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
    _add_floor(axes, float(np.median(floors)))
    labels = labels_of(points)
    drawing.add_legend(figure, handles, [labels[spec] for spec in points])
    drawing.add_caption(
        figure,
        "Median latency and mean error over the seeds, with 95 % bootstrap intervals "
        "(none of a single seed).",
    )
    return figure


@drawing.house_style()
def performance_profile(study: Study) -> Figure | None:
    """Share of workloads whose target is reached within a ratio of the soonest activation's time.

    Source: Dolan and More 2002, Benchmarking optimization software with performance profiles.
    """
    runs = {
        workload: {spec: study.of(workload, spec) for spec in study.plan.activations}
        for workload in study.workloads()
    }
    whole = [w for w in runs if all(learning_curves.made(of_spec) for of_spec in runs[w].values())]
    times = {
        spec: [
            statistics.median(learning_curves.seconds_to_target(runs[w][spec])).value for w in whole
        ]
        for spec in study.plan.activations
    }
    best = np.array([min(times[spec][k] for spec in times) for k in range(len(whole))])
    if len(whole) < 2 or not np.isfinite(best).any():
        return None
    reached = np.isfinite(best)
    slower = np.concatenate(
        [np.array(values)[reached] / best[reached] for values in times.values()]
    )
    ratios = np.unique(np.append(slower[np.isfinite(slower)], 1.0))
    ratios = np.append(ratios, 1.05 * ratios[-1])  # so that the last step is seen
    title = f"{study.plan.config.model}, time to target over {len(whole)} workloads"
    figure, axes = drawing.new_axes(title)
    styles, handles = style_of(study.plan.activations), []
    for spec, share in statistics.performance_profile(times, ratios.tolist()).items():
        style = styles[spec]
        (line,) = axes.step(
            ratios,
            100 * share,
            where="post",
            color=style.color,
            linestyle=style.line_style,
            marker=style.marker,
            markevery=np.flatnonzero(np.diff(share, prepend=0)).tolist(),  # where it rises
            clip_on=False,
        )
        handles.append(line)
    axes.set_xlim(1, ratios[-1])
    axes.set_ylim(-4, 104)
    drawing.log_axis(axes, "x")
    axes.set_xlabel("time to target / that of the soonest activation")
    axes.set_ylabel("workloads at the target (%)")
    labels = labels_of(times)
    drawing.add_legend(figure, handles, [labels[spec] for spec in times])
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
