"""Charts of studies, drawn as figures for tests."""

from typing import Any

from jaxact.presentation.figure import figure_of


def workload_of(study):
    return study.workloads()[0]


def draw(function, study) -> Any:
    """The figure of a chart that the study has data for."""
    chart = function(study, workload_of(study))
    assert chart is not None
    return figure_of(chart)
