"""The table of a comparison, on the terminal, in Markdown, as CSV and as JSON.

Of the runs of an activation it holds: how many reached the target; medians of the first epoch and
of the training seconds at the target (a run that never got there counts as infinite), of the
training time, of the mean latency of one sample and of a step's time; the mean error at the end;
95 % intervals; and the p-values of the differences to the baseline, paired by seed and corrected
for all of the column (Holm). The paper's own row stands below ours where it has one.
"""

import csv
import dataclasses
import io
import math
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from jaxact import statistics
from jaxact.comparison.analysis import measures, sweep
from jaxact.comparison.analysis.measures import Measure
from jaxact.comparison.paper import tables
from jaxact.comparison.study import DIVERGED, FAILED, MISSING, Study, Workload, rate_words
from jaxact.config import Config
from jaxact.presentation.columns import (
    Column,
    Row,
    finite,
    interval_text,
    mark_best,
    markdown_table,
    marked_cell,
    new_table,
    with_interval,
)
from jaxact.presentation.tables import escape

MEASURED, PAPER = "measured", "paper"


# The terminal's tables, both full at 80 columns: a further column stands in neither.
FIGURES, DETAILS = ("figures",), ("details",)
BOTH = FIGURES + DETAILS


@dataclasses.dataclass(frozen=True)
class Figure(Column):
    """A column, and what its figures are.

    Attributes:
      tables: of the terminal; Markdown, CSV, JSON and the report hold every column.
      measure: of a run, if it is one.
      measure_of: gives the measure, where that depends on the configuration.
      summarize: of the runs' figures.
      tests: the measure of which it holds the p-values.
      legend: a sentence on it alone.
    """

    tables: tuple[str, ...] = ()
    measure: Measure | None = None
    measure_of: Callable[[Config], Measure] | None = None
    summarize: Callable[[Sequence[float]], statistics.Estimate] = statistics.median
    tests: Measure | None = None
    legend: str = ""


COLUMNS = (
    Figure("activation", "activation", tables=BOTH),
    Figure("reached", "reached", best="high", tables=FIGURES),
    Figure("epoch_to_target", "epoch", "{:g}", "low", True, FIGURES, measures.epoch_to_target),
    Figure(
        *("seconds_to_target", "s to target", "{:.2f}", "low", True, BOTH),
        measure=measures.seconds_to_target,
    ),
    Figure("train_seconds", "train s", "{:.2f}", "low", True, FIGURES, measures.train_seconds),
    Figure("latency_ms", "ms/sample", "{:.4f}", "low", True, FIGURES, measures.latency_ms),
    Figure(
        *("error_percent", "error %", "{:.2f}", "low", True, BOTH, measures.error_percent),
        summarize=statistics.mean,
    ),
    Figure("error_p_value", "p error", "{:.3f}", tables=DETAILS, tests=measures.error_percent),
    Figure("seconds_p_value", "p time", "{:.3f}", tables=DETAILS, tests=measures.seconds_to_target),
    Figure("step_ms", "step ms", "{:.2f}", "low", True, DETAILS, measure_of=measures.step_ms),
    Figure("parameters", "parameters", "{:,.0f}", tables=DETAILS, measure=measures.parameters),
    Figure(
        *("train_memory_mib", "MiB", "{:,.1f}", "low", False, DETAILS, measures.train_memory_mib),
        legend="MiB: held by the compiled training steps.",
    ),
)
_FIGURES_LEGEND = (
    "epoch, s to target: the first epoch at the target, and the training time at its end. Medians "
    "over the seeds; error: mean."
)
_MARKS_LEGEND = "[95 % interval]. Bold: the best of a column, if a difference shows."
_TESTS_LEGEND = (
    "p: of no difference to the baseline, paired by seed, Holm-corrected; N/A with fewer than 5 "
    "pairs"
)
_TIMES_TESTS_LEGEND = ", for time also where not every run reached the target"


def legend(study: Study) -> str:
    """The meaning of the columns and marks of a study's table, and its baseline."""
    columns = columns_of(study)
    tests = f"{_TESTS_LEGEND}{_TIMES_TESTS_LEGEND if study.plan.is_timed else ''}."
    parts = [_FIGURES_LEGEND, _MARKS_LEGEND, tests]
    if (elsewhere := study.plan.elsewhere) is not None:
        target = elsewhere.target or "the target"
        meanings = {
            "reached": f"reached: the runs that came to {target}.",
            "seconds_to_target": f"s to target: seconds to {target}, the median over the seeds.",
            "error_percent": "error: the mean over the seeds.",
        }
        parts = [meanings[column.name] for column in columns if column.name in meanings]
        parts += [_MARKS_LEGEND] if len(study.plan.activations) > 1 else ["[95 % interval]."]
        parts += [tests] if any(column.tests for column in columns) else []
    parts += [column.legend for column in columns if column.legend]
    if elsewhere is None or any(column.tests for column in columns):
        parts.append(f"Baseline: {study.plan.baseline}.")
    return " ".join(parts)


def columns_of(study: Study) -> list[Figure]:
    """The columns of a study's table: of results made elsewhere, those that it has figures for."""
    if study.plan.elsewhere is None:
        return list(COLUMNS)
    table = [row for workload in study.workloads() for row in rows(study, workload)]
    return [column for column in COLUMNS if any(row[column.name] is not None for row in table)]


def rows(study: Study, workload: Workload) -> list[Row]:
    """A row an activation, in the plan's order, each followed by the paper's where it has one.

    Keys: the names of `COLUMNS`; `<name>_low` and `<name>_high` where there is an interval, inf
    where misses make it so; `source`, MEASURED or PAPER; `best`, the columns in which the row
    is marked; `is_baseline`. A missing figure, or an infinite one, is None.
    """
    p_values = {
        column.name: _p_values(study, workload, column.tests) for column in COLUMNS if column.tests
    }
    measured = []
    for activation in study.plan.activations:
        row = _measured(study, workload, activation)
        row |= {name: values.get(activation) for name, values in p_values.items()}
        measured.append(row)
    floors = [measures.latency_floor_ms(run) for run in study.runs]
    floor = statistics.median(floors).value
    mark_best(measured, COLUMNS, {"latency_ms": 0.0 if math.isnan(floor) else floor})
    table = tables.table_of(workload.dataset, study.plan.config.model)  # none made elsewhere
    both = []
    for row in measured:
        both.append(row)
        if table and row["activation"] in table.rows:
            both.append(_of_paper(row["activation"], table.rows[row["activation"]]))
    return both


def _measured(study: Study, workload: Workload, activation: str) -> Row:
    made = study.made(workload, activation)
    row: Row = {
        "activation": activation,
        "source": MEASURED,
        "is_baseline": activation == study.plan.baseline,
        "best": [],
        "reached": reached(study, workload, activation) if study.plan.is_timed else None,
        "reached_share": measures.reached(made) / len(made) if made else None,
    }
    for column in COLUMNS:
        measure = column.measure_of(study.plan.config) if column.measure_of else column.measure
        if measure is None:
            continue
        runs = study.of(workload, activation)
        cells = with_interval(column.name, *column.summarize([measure(run) for run in runs]))
        row |= cells if column.has_interval else {column.name: cells[column.name]}
    return row


def reached(study: Study, workload: Workload, activation: str) -> str:
    """The runs that reached the target, and what became of the rest: `1/4 (2 diverged)`."""
    made = study.made(workload, activation)
    missing = "to do" if study.plan.elsewhere is None else "missing"
    words = {DIVERGED: "diverged", FAILED: "failed", MISSING: missing}
    notes = measures.count_statuses(study.of(workload, activation), words)
    return f"{measures.reached(made)}/{len(made)}" + (f" ({notes})" if notes else "")


def _p_values(study: Study, workload: Workload, measure: measures.Measure) -> dict[str, float]:
    """Corrected p-values against the baseline, of activations whose runs all have a figure."""
    values = measures.by_seed(study, workload, measure)
    if measure is measures.seconds_to_target:
        values = {name: times for name, times in values.items() if math.inf not in times}
    if study.plan.baseline not in values:
        return {}
    return {
        comparison.name: comparison.corrected_p_value
        for comparison in statistics.compare(values, study.plan.baseline)
        if not math.isnan(comparison.corrected_p_value)
    }


def _of_paper(activation: str, figures: tables.PaperRow) -> Row:
    names = [column.name for column in COLUMNS]
    empty: Row = dict.fromkeys(names)
    intervals = [column.name for column in COLUMNS if column.has_interval]
    empty |= {f"{name}_{end}": None for name in intervals for end in ("low", "high")}
    return empty | {
        "activation": f"{activation} (paper)",
        "source": PAPER,
        "is_baseline": False,
        "best": [],
        "reached": "0/1" if figures.epoch_to_target is None else "1/1",
        "reached_share": None,
        "blank": [
            name for name in names if name not in (*figures._fields, "activation", "reached")
        ],
        **figures._asdict(),
    }


def title(study: Study, workload: Workload) -> str:
    """The subject of the comparison, in a line."""
    plan = study.plan
    parts = [plan.subject(workload.dataset)]
    count = plan.seeds
    if plan.elsewhere is None:
        parts.append(f"target {plan.goal(workload.dataset)}, {plan.config.epochs} epochs")
        parts.append(rate_words(workload))
    else:  # each data set may have seeds of its own
        made = [run for name in plan.activations for run in study.made(workload, name)]
        count = len({run.seed for run in made})
    return ", ".join([*parts, "1 seed" if count == 1 else f"{count} seeds"])


def as_rich(study: Study, workload: Workload) -> Group:
    """The terminal's tables: figures, `*` at the best of a column; intervals, tests, costs."""
    table = rows(study, workload)
    columns = columns_of(study)
    shown, detailed = ([c for c in columns if t[0] in c.tables] for t in (FIGURES, DETAILS))
    figures = new_table(title(study, workload), shown)
    for row in table:
        style = "dim" if row["source"] == PAPER else ""
        figures.add_row(*(marked_cell(row, column) for column in shown), style=style)
    baseline = study.plan.baseline
    heading = f"95 % intervals, tests against {baseline}, costs"
    if study.plan.elsewhere is not None:
        tested = any(column.tests for column in columns)
        heading = f"95 % intervals, tests against {baseline}" if tested else "95 % intervals"
        if not tested and not any(interval_text(row, c) for row in table for c in detailed):
            return Group(figures)
    details = new_table(heading, detailed, padding=0)
    for row in table:
        if row["source"] == MEASURED:
            details.add_row(
                *(
                    (interval_text(row, column) or "N/A")
                    if column in shown and column.has_interval
                    else marked_cell(row, column)
                    for column in detailed
                )
            )
    return Group(figures, details)


def sweep_as_rich(study: Study, dataset: str) -> Table:
    """The sweep for the terminal: each activation's validation errors and the rate chosen."""
    columns = sweep.columns(study)
    table = new_table(sweep.title(study, dataset), columns)
    for row in sweep.rows(study, dataset):
        table.add_row(*(marked_cell(row, column) for column in columns))
    return table


def as_markdown(study: Study) -> str:
    """A section a workload, then what diverged or failed, and why."""
    parts, columns = [], columns_of(study)
    for workload in study.workloads():
        table = rows(study, workload)
        heading = escape(title(study, workload))
        parts.append(f"## {heading}\n\n{markdown_table(columns, table)}")
        if any(row["source"] == PAPER for row in table):
            parts.append(f"{paper_legend(study, workload)}\n")
    if sweep.is_sweep(study):
        for dataset in study.plan.datasets:
            table = markdown_table(sweep.columns(study), sweep.rows(study, dataset))
            parts.append(f"## {sweep.title(study, dataset)}\n\n{table}")
    parts.append(f"{escape(legend(study))}\n")
    if lines := notes(study):
        parts.append("".join(f"- {escape(line)}\n" for line in lines))
    return "\n".join(parts)


def paper_legend(study: Study, workload: Workload) -> str:
    """The meaning of the paper's rows."""
    table = tables.table_of(workload.dataset, study.plan.config.model)
    if table is None:
        return ""
    return (
        f"(paper): its {table.title}, target {100 * table.target_accuracy:g} %, {table.epochs} "
        "epochs, one run on a GTX 1060."
    )


def notes(study: Study) -> list[str]:
    """The lines below a table: what diverged or failed, and what its reader should know."""
    own = study.plan.elsewhere.notes if study.plan.elsewhere is not None else ()
    return [*not_done(study), *disturbed(study), *own]


def not_done(study: Study) -> list[str]:
    """A line for each run that diverged or failed, with its cause."""
    return [
        f"{study.plan.label(run)} {run.status}: {run.note}"
        for run in study.with_status(DIVERGED, FAILED)
    ]


def disturbed(study: Study) -> list[str]:
    """A line about the runs beside which other work ran, where there are any."""
    seconds = [run.summary.get("beside_compilation_seconds", 0.0) for run in study.runs]
    count = sum(value > 0 for value in seconds)
    if not count:
        return []
    return [
        f"{count} of {len(study.runs)} runs trained while programs of others were compiled "
        f"({sum(seconds):.0f} s in all), which may have slowed them: with --compile_ahead=0, and "
        "another --workdir, each trains alone"
    ]


def as_csv(study: Study) -> str:
    """Every workload's rows, unrounded; a missing figure is empty, an interval's end may be inf."""
    text = io.StringIO()
    names: list[str] = []
    for column in columns_of(study):
        ends = [f"{column.name}_{end}" for end in ("low", "high")] if column.has_interval else []
        names += [column.name, *ends]
    writer = csv.DictWriter(
        text,
        [*_identity(study, study.workloads()[0]), "source", *names],
        extrasaction="ignore",
        lineterminator="\n",
    )
    writer.writeheader()
    for workload in study.workloads():
        for row in rows(study, workload):
            writer.writerow({**_identity(study, workload), **row})
    return text.getvalue()


def _identity(study: Study, workload: Workload) -> dict[str, Any]:
    """The fields that tell a workload, as far as they are known."""
    if study.plan.elsewhere is None:
        return dataclasses.asdict(workload)
    return {"dataset": workload.dataset} if workload.dataset else {}


def as_json(study: Study) -> dict[str, Any]:
    """The table as JSON, with what diverged or failed; null: no figure, or infinite."""
    columns = columns_of(study)
    return {
        "baseline": study.plan.baseline,
        "workloads": [
            {
                **_identity(study, workload),
                **_target(study, workload),
                "rows": finite(_known(rows(study, workload), columns)),
            }
            for workload in study.workloads()
        ],
        "sweeps": {
            dataset: finite(sweep.rows(study, dataset))
            for dataset in study.plan.datasets
            if sweep.is_sweep(study)
        },
        "not_done": not_done(study),
    }


def _target(study: Study, workload: Workload) -> dict[str, Any]:
    if (elsewhere := study.plan.elsewhere) is None:
        return {"target_accuracy": study.plan.target_accuracy(workload.dataset)}
    return {"target": elsewhere.target} if elsewhere.target else {}


def _known(table: Sequence[Row], columns: Sequence[Figure]) -> list[Row]:
    """Rows without the figures of other columns."""
    names = {column.name for column in COLUMNS} - {column.name for column in columns}
    left_out = {f"{name}{end}" for name in names for end in ("", "_low", "_high", "_share")}
    return [{key: row[key] for key in row if key not in left_out} for row in table]
