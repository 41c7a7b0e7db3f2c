"""A column of the table of a comparison, and what its figures are."""

import dataclasses
from collections.abc import Callable, Sequence

from jaxact import statistics
from jaxact.comparison.analysis.measures import Measure
from jaxact.comparison.study import Study
from jaxact.config import Config
from jaxact.presentation.columns import Column

# The terminal's tables, of 80 columns each.
FIGURES, DETAILS, VERDICTS = ("figures",), ("details",), ("verdicts",)
BOTH = FIGURES + DETAILS


@dataclasses.dataclass(frozen=True)
class Figure(Column):
    """A column, and what its figures are.

    Attributes:
      tables: of the terminal; Markdown, CSV, JSON and the report hold every column.
      measure: of a run, if it is one.
      measure_of: gives the measure, where that depends on the configuration.
      summarize: of the runs' figures.
      tests: the measure of whose comparison with the baseline it holds a figure.
      shows: which one, an attribute of a `Comparison`.
      legend: a sentence on it alone.
    """

    tables: tuple[str, ...] = ()
    measure: Measure | None = None
    measure_of: Callable[[Config], Measure] | None = None
    summarize: Callable[[Sequence[float]], statistics.Estimate] = statistics.median
    tests: Measure | None = None
    shows: str = "corrected_p_value"
    legend: str = ""

    def measure_in(self, study: Study) -> Measure | None:
        """The measure of a run, for runs of a study; None where it is none."""
        return self.measure_of(study.plan.config) if self.measure_of else self.measure
