"""Charts of what an activation costs and where: error against latency, performance profile."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.output.learning_figures import rising
from jaxact.comparison.output.parts import entries, far, is_survey
from jaxact.comparison.study import Study, Workload
from jaxact.presentation.chart import LOG, Axis, Chart, Cross, Length


def error_against_latency(study: Study, workload: Workload) -> Chart | None:
    """Test error in percent against the latency of one sample in ms, with intervals.

    In a survey only the baseline and the Pareto front stand out: the activations that no other
    beats in one of the two without losing in the other. Errors far above the others' are words.
    """
    latencies = measures.by_seed(study, workload, measures.latency_ms)
    errors = measures.by_seed(study, workload, measures.error_percent)
    points = [
        Cross(spec, statistics.median(latencies[spec]), statistics.mean(errors[spec]))
        for spec in study.plan.activations
        if not np.isnan(latencies[spec]).all()
    ]
    if not points:
        return None
    caption = (
        "Median latency and mean error over the seeds; bars: "
        f"{statistics.intervals_in_words(measures.most_seeds(study))}."
    )
    if is_survey(study):
        points, said = _of_a_survey(points, study.plan.baseline)
        caption += said
    floors = measures.by_seed(study, workload, measures.latency_floor_ms).values()
    floor_ms = float(np.nanmedian(list(floors)))
    return Chart(
        title=study.title(workload),
        x=Axis("mean latency of one sample (ms)", "{} ms"),
        y=Axis("test error after the last epoch (%)", "{} %"),
        marks=(
            *points,
            Length(floor_ms, f"dispatch floor, {floor_ms:.3g} ms: shorter differences are ties"),
        ),
        legend=entries(study.plan.activations, [p.name for p in points if not p.is_muted]),
        caption=caption,
    )


def _of_a_survey(points: Sequence[Cross], baseline: str) -> tuple[list[Cross], str]:
    """The points that are drawn, most of them muted, and what the caption says of that."""
    limit, named = far(point.y[0] for point in points), _front(points) | {baseline}
    lost = [f"{point.name} ({point.y[0]:.3g} %)" for point in points if point.y[0] > limit]
    drawn = [
        dataclasses.replace(point, is_muted=point.name not in named)
        for point in points
        if not point.y[0] > limit
    ]
    said = " Named: the baseline, and those that none beats in error and latency both."
    return drawn, said + (f" Too far above to be drawn: {', '.join(lost)}." if lost else "")


def _front(points: Sequence[Cross]) -> set[str]:
    """The Pareto front: no other point has less of one and at most as much of the other."""
    front: set[str] = set()
    least = math.inf
    for point in sorted(points, key=lambda point: (point.x[0], point.y[0])):
        if point.y[0] < least:
            front.add(point.name)
            least = point.y[0]
    return front


def performance_profile(study: Study) -> Chart | None:
    """Share of workloads whose target is reached within a ratio of the soonest activation's time.

    Source: Dolan and More 2002, Benchmarking optimization software with performance profiles.
    """
    profile = measures.performance_profile(study)
    if profile is None:
        return None
    ratios, shares, workloads = profile
    elsewhere = study.plan.elsewhere
    name = study.plan.config.model if elsewhere is None else elsewhere.title
    return Chart(
        title=f"{name}, time to target over {workloads} workloads",
        x=Axis(
            "time to target / that of the soonest activation",
            "within {} times the soonest",
            scale=LOG,
            limits=(1, float(ratios[-1])),
        ),
        y=Axis("workloads at the target (%)", "{} %", limits=(-4, 104)),
        marks=tuple(rising(spec, ratios, share) for spec, share in shares.items()),
        legend=entries(study.plan.activations, shares),
        caption="Of each workload the median over the seeds; a miss is infinite.",
    )
