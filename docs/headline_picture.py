"""PYTHONPATH=. python docs/headline_picture.py: draws docs/compare.svg, the picture of the README.

From the committed study of the digits: the epoch in which each seed reached the target, sorted by
activation, under a title that says what the tests have decided.
"""

from pathlib import Path

from jaxact.comparison import study as studies
from jaxact.comparison.analysis import hidden_seconds
from jaxact.comparison.output import row_figures
from jaxact.comparison.study import Study
from jaxact.presentation import drawing
from jaxact.presentation.chart import Chart
from jaxact.presentation.figure import figure_of

STUDY = Path(__file__).parents[1] / "results" / "digits"
PICTURE = Path(__file__).with_name("compare.svg")


def picture(study: Study) -> Chart:
    """A row an activation, the soonest at the top, a mark a seed, a bar at the median."""
    [workload] = study.workloads()
    chart = row_figures.times(study, workload, is_sorted=True)
    assert chart is not None, f"{STUDY} has no times"
    return chart


def load() -> Study:
    """The committed study, without the seconds of a machine that had other work."""
    return hidden_seconds.without_seconds(studies.load(STUDY))


if __name__ == "__main__":
    drawing.save(figure_of(picture(load())), PICTURE.parent, PICTURE.stem, ["svg"])
