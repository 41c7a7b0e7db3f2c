"""The table of a comparison, on the terminal, in Markdown, as CSV and as JSON."""

import csv
import dataclasses
import html
import io
from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from jaxact import statistics
from jaxact.comparison import answers
from jaxact.comparison.analysis import hidden_seconds, machines, measures, sweep, verdicts
from jaxact.comparison.output.tables.columns import DETAILS, FIGURES, VERDICTS, Figure
from jaxact.comparison.output.tables.rows import (
    COLUMNS,
    MEASURED,
    PAPER,
    RATIO,
    columns_of,
    legend,
    paper_legend,
    rows,
)
from jaxact.comparison.study import DIVERGED, FAILED, Study, Workload, rate_words
from jaxact.presentation import numbers, tables
from jaxact.presentation.columns import (
    Column,
    Row,
    finite,
    html_table,
    interval_text,
    markdown_table,
    marked_cell,
    new_table,
)
from jaxact.presentation.tables import escape

MOST_IN_MATRIX = 12  # activations: beyond, the matrix is in table.json alone


def title(study: Study, workload: Workload) -> str:
    """The subject of the comparison, in a line."""
    plan = study.plan
    parts = [plan.subject(workload.dataset)]
    count = plan.seeds
    if plan.elsewhere is None:
        parts.append(
            f"target {plan.goal(workload.dataset)}, {numbers.count(plan.config.epochs, 'epoch')}"
        )
        parts.append(rate_words(workload))
    else:  # each data set may have seeds of its own
        made = [run for name in plan.activations for run in study.made(workload, name)]
        count = len({run.seed for run in made})
    seeds = numbers.count(count, "seed")
    return ", ".join([*parts, f"{seeds}, added until decided" if plan.is_sequential else seeds])


def as_rich(study: Study, workload: Workload) -> Group:
    """The terminal's tables: figures, `*` at the best of a column; intervals, costs; verdicts."""
    table = rows(study, workload)
    columns = columns_of(study)
    baseline, seeds = study.plan.baseline, measures.most_seeds(study)
    parts = [new_table(title(study, workload), shown := _of(columns, FIGURES))]
    for row in table:
        style = "dim" if row["source"] == PAPER else ""
        parts[0].add_row(*(marked_cell(row, column) for column in shown), style=style)

    def detail(row: Row, column: Figure) -> Any:
        if column in shown and column.has_interval:
            return interval_text(row, column) or "N/A"
        return marked_cell(row, column)

    measured = [row for row in table if row["source"] == MEASURED]
    words = f"brackets: {statistics.intervals_in_words(seeds)}"
    for heading, kind in ((words, DETAILS), (f"against {baseline}", VERDICTS)):
        of_kind = _of(columns, kind)
        more = [column for column in of_kind[1:] if kind == VERDICTS or column not in shown]
        has_intervals = any(interval_text(row, c) for row in measured for c in of_kind)
        has_figures = any(row[column.name] is not None for row in measured for column in more)
        if has_figures or (kind == DETAILS and has_intervals):
            parts.append(new_table(heading, of_kind, padding=0))
            for row in measured:
                parts[-1].add_row(*(detail(row, column) for column in of_kind))
    return Group(*parts)


def _of(columns: Sequence[Figure], kind: tuple[str, ...]) -> list[Figure]:
    return [column for column in columns if kind[0] in column.tables]


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
        if note := paper_legend(study, workload):
            parts.append(f"{note}\n")
    if sweep.is_sweep(study):
        for dataset in study.plan.datasets:
            table = markdown_table(sweep.columns(study), sweep.rows(study, dataset))
            parts.append(f"## {sweep.title(study, dataset)}\n\n{table}")
    parts.append(f"{escape(legend(study))}\n")
    if lines := notes(study):
        parts.append("".join(f"- {escape(line)}\n" for line in lines))
    for workload in study.workloads():
        for name, headings, cells in matrices(study, workload):
            heading = escape(f"All pairs, {name}: {study.workload_title(workload)}")
            table = tables.markdown(
                list(map(escape, headings)), [[*map(escape, row)] for row in cells]
            )
            parts.append(f"## {heading}\n\n{table}\n{MATRIX_LEGEND}\n")
    return "\n".join(parts)


def as_html(study: Study) -> str:
    """The answer and the figures of each workload, for a notebook's cell."""
    parts = []
    figures, tests = (_of(columns_of(study), kind) for kind in (FIGURES, VERDICTS))
    for workload in study.workloads():
        made = rows(study, workload)
        is_tested = any(row[column.name] is not None for row in made for column in tests[1:])
        more = [column for column in tests if column not in figures] if is_tested else []
        table = html_table([*figures, *more], made)
        heading, text = title(study, workload), answers.answer(study, workload)
        parts.append(f"<p><b>{html.escape(heading)}</b><br>{html.escape(text)}</p>\n{table}")
    parts += [f"<p>{html.escape(line)}</p>" for line in notes(study)]
    return "\n".join(parts)


MATRIX_LEGEND = (
    "The row's mean less the column's; seeds won, tied, lost (lower wins); p of no difference, "
    "Holm-corrected over all pairs of error and time together; the verdict on the row. After "
    "Ismail-Fawaz et al. 2023."
)


def matrices(study: Study, workload: Workload) -> list[tuple[str, list[str], list[list[str]]]]:
    """Every rival against every other, by error and by time: what, headings, and cells.

    None where there are fewer than three rivals, more than MOST_IN_MATRIX, or too few seeds.
    """
    if not 2 < len(study.plan.rivals) <= MOST_IN_MATRIX:
        return []
    axis = measures.time_axis(study, workload)
    titles = {measures.error_percent: "error, points", axis.measure: f"time, {axis.unit}"}
    kinds = verdicts.spoken_of(study, workload)
    found = []
    for measure, matrix in verdicts.between(study, workload, *kinds).items():
        if any(comparison.is_tested for comparison in matrix.pairs.values()):
            cells = [
                [name, *(_pair_cell(matrix.pairs.get((name, o))) for o in matrix.names)]
                for name in matrix.names
            ]
            found.append((titles[measure], ["", *matrix.names], cells))
    return found


def _pair_cell(comparison: statistics.Comparison | None) -> str:
    """`-0.24, 9/0/1, p = 0.012, better`."""
    if comparison is None:
        return ""
    if not comparison.is_tested:
        return "-"
    difference = comparison.difference.value
    shown = tables.text(difference) if not abs(difference) < 1e12 else numbers.SIGNED(difference)
    record = f"{comparison.wins}/{comparison.ties}/{comparison.losses}"
    p_value = numbers.p_value(comparison.corrected_p_value, "p")
    return f"{shown}, {record}, {p_value}, {comparison.verdict}"


def notes(study: Study) -> list[str]:
    """The lines below a table: what diverged or failed, and what its reader should know."""
    own = study.plan.elsewhere.notes if study.plan.elsewhere is not None else ()
    return [
        *not_done(study),
        *disturbed(study),
        *hidden_seconds.notes(study),
        *machines.notes(study),
        *own,
    ]


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
    price = {} if study.price is None else study.price.as_cells()
    names: list[str] = [*price]
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
            writer.writerow({**_identity(study, workload), **row, **price})
    return text.getvalue()


def _identity(study: Study, workload: Workload) -> dict[str, Any]:
    """The fields that tell a workload, as far as they are known."""
    if study.plan.elsewhere is None:
        return dataclasses.asdict(workload)
    return {"dataset": workload.dataset} if workload.dataset else {}


def as_json(study: Study) -> dict[str, Any]:
    """The table as JSON, with all pairs and what diverged; null: no figure, or infinite."""
    columns = columns_of(study)
    return {
        "baseline": study.plan.baseline,
        "workloads": [
            {
                **_identity(study, workload),
                **_target(study, workload),
                "rows": finite(_known(rows(study, workload), columns)),
                "pairs": finite(_pairs(study, workload)),
            }
            for workload in study.workloads()
        ],
        "sweeps": {
            dataset: finite(sweep.rows(study, dataset))
            for dataset in study.plan.datasets
            if sweep.is_sweep(study)
        },
        "not_done": not_done(study),
        "price": None if study.price is None else study.price.as_cells(),
        "notes": notes(study),
    }


def _pairs(study: Study, workload: Workload) -> list[dict[str, Any]]:
    """Each pair of rivals once, by error and by time, where it is tested."""
    found = verdicts.between(study, workload, *verdicts.spoken_of(study, workload))
    return [
        {
            "of": measure.__name__,
            **comparison._asdict(),
            "difference": comparison.difference.value,
        }
        for measure, matrix in found.items()
        for place, name in enumerate(matrix.names)
        for other in matrix.names[place + 1 :]
        if (comparison := matrix.pairs[name, other]).is_tested
    ]


def _target(study: Study, workload: Workload) -> dict[str, Any]:
    if (elsewhere := study.plan.elsewhere) is None:
        return {"target_accuracy": study.plan.target_accuracy(workload.dataset)}
    return {"target": elsewhere.target} if elsewhere.target else {}


def _known(table: Sequence[Row], columns: Sequence[Column]) -> list[Row]:
    """Rows without the figures of other columns."""
    names = {column.name for column in (*COLUMNS, RATIO)} - {column.name for column in columns}
    left_out = {f"{name}{end}" for name in names for end in ("", "_low", "_high", "_share")}
    return [{key: row[key] for key in row if key not in left_out} for row in table]
