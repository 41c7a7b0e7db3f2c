"""The figures of a comparison, each as PNG and SVG, for papers also as PDF: `draw_all`."""

from pathlib import Path

from jaxact.comparison.output import cost_figures, health_figures, learning_figures, row_figures
from jaxact.comparison.study import Study, Workload
from jaxact.presentation import drawing
from jaxact.presentation.figure import figure_of

# By the name of their files. Each gives a chart, or None where the study has no data for it.
OF_A_WORKLOAD = {
    "accuracy": learning_figures.accuracy,
    "loss": learning_figures.loss,
    "time_to_accuracy": learning_figures.time_to_accuracy,
    "error": row_figures.error,
    "error_against_latency": cost_figures.error_against_latency,
    "health_dead": health_figures.dead,
    "health_saturated": health_figures.saturated,
    "health_gradient_norm": health_figures.gradient_norm,
}
OF_ALL = {"performance_profile": cost_figures.performance_profile}


def draw_all(study: Study, folder: Path, pdf: bool = False) -> list[Path]:
    """Writes every figure that the study has data for, and returns the files.

    Of several workloads, each has its name in the files': `accuracy_mnist.png`. A figure that it
    has no data for any more is removed: an earlier drawing may have shown seconds.

    Args:
      pdf: whether each is written as PDF, too; always, where the folder holds some, which would be
        of another state of the study.
    """
    is_pdf = pdf or any(folder.glob(f"*.{drawing.PDF}"))
    formats = (*drawing.FORMATS, drawing.PDF) if is_pdf else drawing.FORMATS
    drawn = {
        name + file_ending(study, workload): draw(study, workload)
        for name, draw in OF_A_WORKLOAD.items()
        for workload in study.workloads()
    }
    drawn |= {name: draw(study) for name, draw in OF_ALL.items()}
    paths = []
    for name, chart in drawn.items():
        if chart is None:
            drawing.remove(folder, name)
        else:
            paths += drawing.save(figure_of(chart), folder, name, formats)
    return paths


def file_ending(study: Study, workload: Workload) -> str:
    """The end of a workload's file names: `_mnist`, `_learning_rate=0.001`, both or ""."""
    parts = []
    if len(study.plan.datasets) > 1:
        parts.append(study.plan.title(workload.dataset))
    if len(study.plan.learning_rates) > 1:
        rate = workload.learning_rate
        parts.append("own_learning_rate" if rate is None else f"learning_rate={rate:g}")
    return "".join(f"_{part}" for part in parts)
