"""Charts of a row an activation: the error of each run, and when it reached the target."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.output.parts import entries, far, is_survey, limits_about, lost_note
from jaxact.comparison.output.titles import Findings, findings, titled
from jaxact.comparison.study import Run, Study, Workload
from jaxact.presentation.chart import (
    Axis,
    Centre,
    Chart,
    Label,
    Mark,
    Points,
    Rule,
    Zone,
    numbers,
)
from jaxact.statistics import Estimate

SPREAD = 0.5  # of a row's height, over which its runs are dealt out
MARGIN = 0.05  # of the axis, about what it shows
ZONE = 0.14  # of the axis, beside it where a figure has no place on it


class _Rows(NamedTuple):
    """The figure of a run that a chart is of, and how those of many seeds are put."""

    axis: Axis
    measure: Callable[[Run], float]
    centre: Callable[[Sequence[float]], Estimate]
    word: str
    interval: str


def error(study: Study, workload: Workload, found: Findings | None = None) -> Chart | None:
    """Test error in percent of every run, and the means with their intervals.

    Args:
      found: the findings of the workload, where they are known already.
    """
    runs = {
        spec: [run for run in study.of(workload, spec) if measures.error_percent(run) >= 0]
        for spec in study.plan.activations
    }
    is_own = study.plan.elsewhere is None
    axis = Axis("test error after the last epoch (%)" if is_own else "error (%)", "{} %")
    interval = statistics.interval_words(measures.most_seeds(study))
    rows = _Rows(axis, measures.error_percent, statistics.mean, "mean", interval)
    notes = {spec: lost_note(study.made(workload, spec)) for spec in runs}
    chart = _chart(study, rows, runs, notes, is_survey(study))
    return chart and titled(chart, study, workload, (found or findings(study, workload)).errors)


def times(
    study: Study,
    workload: Workload,
    found: Findings | None = None,
    is_sorted: bool | None = None,
) -> Chart | None:
    """The time at which each run reached the target, in seconds of training or epochs.

    Args:
      found: the findings of the workload, where they are known already.
      is_sorted: whether the soonest stands at the top; as a survey, if not given.
    """
    if not study.plan.is_timed:
        return None
    axis = measures.time_axis(study, workload)
    runs = {
        spec: measures.on_axis(axis, study.made(workload, spec)) for spec in study.plan.activations
    }
    goal = study.plan.goal(workload.dataset)
    is_timed = axis is measures.SECONDS
    title = f"training time to {goal} (s)" if is_timed else f"epochs to {goal}"
    interval = statistics.interval_words(measures.most_seeds(study), "median")
    drawn = Axis(title, axis.reading, is_counted=not is_timed)
    rows = _Rows(drawn, axis.measure, statistics.median, "median", interval)
    notes = {spec: f" ({measures.reached(made)}/{len(made)})" for spec, made in runs.items()}
    is_first = is_survey(study) if is_sorted is None else is_sorted
    chart = _chart(study, rows, runs, notes, is_first)
    return chart and titled(chart, study, workload, (found or findings(study, workload)).times)


def _chart(
    study: Study,
    rows: _Rows,
    runs: Mapping[str, Sequence[Run]],
    notes: Mapping[str, str],
    is_sorted: bool,
) -> Chart | None:
    """A row an activation that has runs, without a title; sorted, the best stands at the top.

    A survey has dots alone, and a line through that of the baseline.
    """
    values = {spec: [*map(rows.measure, made)] for spec, made in runs.items() if made}
    if not values:
        return None
    centres = {spec: rows.centre(of_spec) for spec, of_spec in values.items()}
    is_dotted, baseline = is_survey(study), study.plan.baseline
    figures = [end for centre in centres.values() for end in centre]
    last = math.inf
    if is_sorted:
        centres = dict(sorted(centres.items(), key=lambda item: item[1].value))
    if is_dotted:
        notes = {**notes, baseline: " (baseline)" + notes[baseline]}
        last = far(centre.value for centre in centres.values())
    else:
        figures += [value for of_spec in values.values() for value in of_spec]
    low, high = limits_about([value for value in figures if value <= last], MARGIN)
    outside = [value for value in figures if value > last or value == math.inf]
    zone = Zone(high, high + ZONE * (high - low), _beyond(outside))

    def place(value: float) -> float:
        is_outside = value > last or value == math.inf
        return (zone.low + zone.high) / 2 if is_outside else value

    marks: list[Mark] = [zone] if outside else []
    if is_dotted and baseline in centres and place(centres[baseline].value) < high:
        marks.append(Rule("x", centres[baseline].value, is_dashed=False))
    for row, (spec, estimate) in enumerate(centres.items()):
        centre = _centre(spec, row, estimate, place, rows, is_dotted)
        if is_dotted:
            marks.append(centre)
            if math.isfinite(estimate.value) and centre.value != estimate.value:
                marks.append(Label(spec, centre.value, row, _words(rows.axis, estimate.value)))
            continue
        marks += [centre] if math.isfinite(estimate.value) else []
        places = [place(value) for value in values[spec]]
        heights = SPREAD * (np.linspace(0, 1, len(places)) - 0.5) * (len(places) > 1)
        seeds = tuple(f"seed {run.seed}" for run in runs[spec])
        marks.append(Points(spec, numbers(places), numbers(row + heights), notes=seeds))
    return Chart(
        title="",
        x=rows.axis.between(low, zone.high if outside else high),
        y=Axis("activation", "", rows=tuple(centres)),
        marks=tuple(marks),
        legend=entries(study.plan.activations, centres, notes),
        caption=_caption(study, rows, is_dotted),
    )


def _centre(
    spec: str,
    row: int,
    estimate: Estimate,
    place: Callable[[float], float],
    rows: _Rows,
    is_dot: bool,
) -> Centre:
    """The centre of a row, said in words where a part of it has no place on the axis."""
    value, low, high = map(place, estimate)
    text = ""
    places = zip((value, low, high), estimate, strict=True)
    if any(at != end for at, end in places if not math.isnan(end)):
        ends = " to ".join(_words(rows.axis, end) for end in estimate[1:] if not math.isnan(end))
        has_ends = ends and math.isfinite(estimate.value)
        text = _words(rows.axis, estimate.value) + (f" ({ends})" if has_ends else "")
    return Centre(spec, row, value, low, high, rows.word, is_dot, text)


def _words(axis: Axis, value: float) -> str:
    return axis.reading.format(f"{value:.3g}") if math.isfinite(value) else "never"


def _beyond(values: Sequence[float]) -> str:
    """The words for figures without a place on the axis: never, more, or both."""
    words = ("more" * any(map(math.isfinite, values)), "never" * (math.inf in values))
    return " or ".join(filter(None, words))


def _caption(study: Study, rows: _Rows, is_dotted: bool) -> str:
    seeds, centre = measures.most_seeds(study), f"{rows.word}, line: its {rows.interval}"
    if not is_dotted:
        return f"A mark for each seed, from top to bottom; bar: {centre}."
    dots = "One seed" if seeds == 1 else f"{seeds} seeds; dot: {centre}"
    return f"{dots}. The thin line is at {study.plan.baseline}, the baseline."
