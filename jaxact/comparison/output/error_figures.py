"""The figure of the errors that runs ended with, seed by seed."""

import math

import numpy as np
from matplotlib.figure import Figure

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.study import Study, Workload
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, labels_of, style_of

SPREAD = 0.5  # of the rows' height, over which the runs of a row are dealt out


@drawing.house_style()
def error(study: Study, workload: Workload) -> Figure | None:
    """Test error in percent of every run, a row an activation, with the mean and its interval."""
    errors = measures.by_seed(study, workload, measures.error_percent)
    known = {spec: [v for v in values if not math.isnan(v)] for spec, values in errors.items()}
    errors = {spec: values for spec, values in known.items() if values}
    if not errors:
        return None
    figure, axes = drawing.new_axes(study.title(workload))
    figure.set_figheight(1.3 + 0.38 * len(errors))
    styles, labels = style_of(study.plan.activations), labels_of(errors)
    for row, (spec, values) in enumerate(errors.items()):
        mean = statistics.mean(values)
        if not math.isnan(mean.low):
            axes.plot([mean.low, mean.high], [row, row], color=GREY, linewidth=2, zorder=2)
        axes.plot([mean.value], [row], "|", color="black", markersize=14, markeredgewidth=2)
        places = row + SPREAD * (np.arange(len(values)) / max(len(values) - 1, 1) - 0.5)
        axes.plot(
            values,
            places if len(values) > 1 else [row],
            color=styles[spec].color,
            marker=styles[spec].marker,
            markeredgecolor="white",
            markeredgewidth=0.4,
            linestyle="none",
            zorder=3,
        )
    axes.set_yticks(range(len(errors)), [labels[spec] for spec in errors])
    axes.set_ylim(len(errors) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    is_own = study.plan.elsewhere is None
    axes.set_xlabel("test error after the last epoch (%)" if is_own else "error (%)")
    axes.set_ylabel("activation")
    drawing.add_caption(
        figure,
        "A mark for each seed, from top to bottom; bar: mean, line: its "
        f"{statistics.interval_words(measures.most_seeds(study))}.",
    )
    return figure
