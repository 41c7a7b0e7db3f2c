"""Charts of what an activation costs and where: error against latency, performance profile."""

import numpy as np

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.output.learning_figures import rising
from jaxact.comparison.output.parts import entries
from jaxact.comparison.study import Study, Workload
from jaxact.presentation.chart import LOG, Axis, Chart, Cross, Length


def error_against_latency(study: Study, workload: Workload) -> Chart | None:
    """Test error in percent against the latency of one sample in ms, with intervals."""
    latencies = measures.by_seed(study, workload, measures.latency_ms)
    errors = measures.by_seed(study, workload, measures.error_percent)
    points = [
        Cross(spec, statistics.median(latencies[spec]), statistics.mean(errors[spec]))
        for spec in study.plan.activations
        if not np.isnan(latencies[spec]).all()
    ]
    if not points:
        return None
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
        legend=entries(study.plan.activations, [point.name for point in points]),
        caption="Median latency and mean error over the seeds; bars: "
        f"{statistics.intervals_in_words(measures.most_seeds(study))}.",
    )


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
