"""The chart of the errors that runs ended with, seed by seed."""

import numpy as np

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.output.parts import entries
from jaxact.comparison.study import Study, Workload
from jaxact.presentation.chart import Axis, Centre, Chart, Mark, Points, numbers

SPREAD = 0.5  # of the rows' height, over which the runs of a row are dealt out


def error(study: Study, workload: Workload) -> Chart | None:
    """Test error in percent of every run, a row an activation, with the mean and its interval."""
    runs = {
        spec: [run for run in study.of(workload, spec) if measures.error_percent(run) >= 0]
        for spec in study.plan.activations
    }
    errors = {spec: [*map(measures.error_percent, of)] for spec, of in runs.items() if of}
    if not errors:
        return None
    marks: list[Mark] = []
    for row, (spec, values) in enumerate(errors.items()):
        marks.append(Centre(spec, row, *statistics.mean(values), "mean"))
        places = row + SPREAD * (np.arange(len(values)) / max(len(values) - 1, 1) - 0.5)
        marks.append(
            Points(
                spec,
                numbers(values),
                numbers(places) if len(values) > 1 else (row,),
                notes=tuple(f"seed {run.seed}" for run in runs[spec]),
            )
        )
    is_own = study.plan.elsewhere is None
    return Chart(
        title=study.title(workload),
        x=Axis("test error after the last epoch (%)" if is_own else "error (%)", "{} %"),
        y=Axis("activation", "", rows=tuple(errors)),
        marks=tuple(marks),
        legend=entries(study.plan.activations, errors),
        caption="A mark for each seed, from top to bottom; bar: mean, line: its "
        f"{statistics.interval_words(measures.most_seeds(study))}.",
    )
