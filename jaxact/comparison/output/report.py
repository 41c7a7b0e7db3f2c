"""The report of a comparison: one page that works without a network."""

import base64
import hashlib
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

import jaxact
from jaxact import statistics
from jaxact.comparison import answers, study as studies
from jaxact.comparison.analysis import hidden_seconds, machines, measures, sweep, verdicts
from jaxact.comparison.output import cost_figures, parts, report_content as content, titles
from jaxact.comparison.output.tables import rows as table_rows, study_table
from jaxact.comparison.study import Study, Workload
from jaxact.presentation import columns as cells
from jaxact.presentation.chart import HeatMaps, as_data
from jaxact.runs.records import record_files

REPORT = "report.html"
PAGE = Path(__file__).parent / "report_page"
SCRIPTS = (  # in the order in which they stand on the page
    *("page.js", "scales.js", "marks.js", "drawing.js", "reading.js"),
    *("charts.js", "explorer.js", "health.js", "start.js"),
)
MARKS = {"confirmed": "✓", "refuted": "✗", "undecided": "?"}
HEALTH_WORDS = {
    "dead": "dead units",
    "saturated": "saturated outputs",
    "gradient_norm": "gradient norm",
    "mean": "mean output",
    "deviation": "standard deviation",
}
NO_VALUE = "N/A"


def write_report(study: Study, workdir: Path) -> Path:
    """Writes `report.html`, one file that needs no other and no network; returns its path."""
    path = workdir / REPORT
    record_files.write_text(path, page(study))
    return path


def page(study: Study) -> str:
    """The report of a comparison as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # tojson escapes <, >, & and ', and json.dumps U+2028: no name can end the script it stands in
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    plan = study.plan
    activations = content.drawn(plan.activations)
    explored = content.explored(plan.activations, plan.elsewhere is None)
    workloads = [_workload(study, workload) for workload in study.workloads()]
    profile, facts = cost_figures.performance_profile(study), content.environment(study)
    javascript = _javascript()
    return environment.get_template("page.html").render(
        title=_title(study),
        summary=_summary(study),
        model=plan.config.model if plan.elsewhere is None else plan.elsewhere.title,
        elsewhere=plan.elsewhere,
        is_timed=plan.is_timed,
        notes=[*hidden_seconds.notes(study), *machines.notes(study)],
        baseline=plan.baseline,
        seeds=measures.most_seeds(study),
        intervals=statistics.intervals_in_words(measures.most_seeds(study)),
        margins=f"{plan.margin_points:g} points of error or {statistics.SHARE.words('')} of a time",
        is_sequential=plan.is_sequential,
        matrix_legend=study_table.MATRIX_LEGEND,
        eval_split=plan.config.eval_split,
        latency_samples=plan.config.latency_samples,
        targets=_targets(study),
        series=activations,
        most_rows=parts.MOST,
        workloads=workloads,
        profile=profile,
        sweeps=_sweeps(study),
        findings=answers.paper_findings(study),
        marks=MARKS,
        explorer=explored,
        has_functions=plan.elsewhere is None or any(not f["reason"] for f in explored["functions"]),
        configuration=content.configuration(study),
        environment=facts,
        differing=[fact.field for fact in facts if len(fact.values) > 1],
        shown=lambda value: NO_VALUE if value is None or value == "" else value,
        version=jaxact.__version__,
        data={
            "series": activations,
            "explorer": explored,
            "profile": profile and as_data(profile, plan.activations),
            "workloads": [workload["data"] for workload in workloads],
        },
        # Our own: the only texts that the template takes unescaped.
        css=(PAGE / "page.css").read_text(encoding="utf-8"),
        javascript=javascript,
        script_hash=_script_hash(javascript),
    )


def _javascript() -> str:
    """Our scripts as one, apart from the names of everything else on the page."""
    parts = [(PAGE / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return '"use strict";\n{\n' + "\n".join(parts) + "}\n"


def _script_hash(script: str) -> str:
    """A script as a Content-Security-Policy names it; the browser runs no other."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _title(study: Study) -> str:
    if study.plan.elsewhere is not None:
        return study.plan.elsewhere.title
    datasets = " and ".join(map(study.plan.title, study.plan.datasets))
    return f"Which activation for {study.plan.config.model} on {datasets}?"


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _targets(study: Study) -> str:
    """`98 %`, or each data set's own."""
    if study.plan.elsewhere is not None:
        return study.plan.goal(study.plan.datasets[0])
    targets = {name: _percent(study.plan.target_accuracy(name)) for name in study.plan.datasets}
    if len(set(targets.values())) == 1:
        return next(iter(targets.values()))
    return ", ".join(f"{target} ({study.plan.title(name)})" for name, target in targets.items())


def _summary(study: Study) -> str:
    """The subject of the comparison, in a line."""
    plan = study.plan

    def count(number: int, word: str) -> str:
        return f"{number} {word}{'' if number == 1 else 's'}"

    done = len(study.with_status(studies.DONE))
    if plan.elsewhere is not None:
        made = [run for run in study.runs if run.status != studies.MISSING]
        return (
            f"{count(len(plan.activations), 'activation')}, {count(plan.seeds, 'seed')}, "
            f"{count(len(made), 'run')}, made elsewhere."
        )
    return (
        f"{count(len(plan.activations), 'activation')}, {count(plan.seeds, 'seed')} each, "
        f"{count(plan.config.epochs, 'epoch')}, target {_targets(study)} on the "
        f"{plan.config.eval_split} set; {done} of {count(len(study.runs), 'run')} done."
    )


def _workload(study: Study, workload: Workload) -> dict[str, Any]:
    """The page's content for one workload; `data` is for its charts."""
    found = titles.findings(study, workload)
    charts = content.charts(study, workload, found)
    curves = content.curves(study, workload, found)
    health = content.health(study, workload)
    plan, names = study.plan, study.plan.activations
    target = plan.target_accuracy(workload.dataset) if plan.elsewhere is None else None
    return {
        "name": study.workload_title(workload),
        "answer": re.split(r"(?<=\.) ", answers.answer(study, workload)),  # its sentences
        "target": f"{_percent(target)} accuracy" if target is not None else _targets(study),
        "table": _results(study, workload),
        "comparisons": _comparisons(study, workload),
        "matrices": study_table.matrices(study, workload),
        "lost": content.lost(study, workload),
        "charts": charts,
        "curves": {name: by_way["eval-epoch"] for name, by_way in curves.items()},
        "in_colour": content.in_colour(curves) if parts.is_survey(study) else "",
        "has_seconds": measures.time_axis(study, workload) is measures.SECONDS,
        "health": health,
        "health_words": [(field, HEALTH_WORDS[field]) for field in health],
        "health_tables": [_health_table(field, maps) for field, maps in health.items()],
        "data": {
            "charts": {name: as_data(chart, names) for name, chart in charts.items()},
            "curves": {
                name: {way: as_data(chart, names) for way, chart in by_way.items()}
                for name, by_way in curves.items()
            },
            "health": {field: as_data(maps, names) for field, maps in health.items()},
        },
    }


def _results(study: Study, workload: Workload) -> dict[str, Any]:
    rows = table_rows.rows(study, workload)
    note = f"{table_rows.legend(study)} {table_rows.paper_legend(study, workload)}".strip()
    columns = [column for column in table_rows.columns_of(study) if not column.tests]
    return {**_table(columns, rows), "note": note}  # tests stand in tables of their own


def _sweeps(study: Study) -> list[dict[str, Any]]:
    """The tables of a sweep of learning rates: every activation's own best on each data set."""
    if not sweep.is_sweep(study):
        return []
    return [
        {**_table(sweep.columns(study), sweep.rows(study, name)), "title": sweep.title(study, name)}
        for name in study.plan.datasets
    ]


def _table(columns: Sequence[cells.Column], rows: Sequence[cells.Row]) -> dict[str, Any]:
    """A table of `jaxact.presentation.columns` as the page's templates show it."""
    columns = [c for c in columns if any(row[c.name] is not None for row in rows)]

    def cell(row: cells.Row, column: cells.Column) -> dict[str, Any]:
        key = "reached_share" if column.name == "reached" else column.name
        return {
            "text": cells.value_text(row, column),
            "value": row[key],
            "interval": "" if row[column.name] is None else cells.interval_text(row, column),
            "best": column.name in row["best"],
        }

    return {
        "columns": columns,
        "rows": [
            {
                "is_paper": row.get("source") == table_rows.PAPER,
                "cells": [cell(row, column) for column in columns],
            }
            for row in rows
        ],
    }


def _comparisons(study: Study, workload: Workload) -> list[dict[str, Any]]:
    """Tables of every rival against the baseline, one for each measure with pairs."""
    families = []
    axis = measures.time_axis(study, workload)
    for title, measure in (
        ("Error, in points", measures.error_percent),
        (
            f"{axis.unit.capitalize()} to target" if axis.unit != "s" else "Seconds to target",
            axis.measure,
        ),
    ):
        found = [c for c in verdicts.against_baseline(study, workload, measure) if c.pairs]
        if found:
            rows = [{"name": c.name, "texts": _texts(c)} for c in found]
            families.append({"title": title, "rows": rows})
    return families


def _texts(comparison: statistics.Comparison) -> list[str]:
    cells = table_rows.comparison_cells(comparison)
    return [text.replace("-", "\N{MINUS SIGN}") for text in cells]


def _health_table(field: str, maps: HeatMaps) -> dict[str, Any]:
    """The last epoch of heat maps in words."""

    def text(value: float) -> str:
        return NO_VALUE if math.isnan(value) else maps.scale.reading.format(f"{value:.3g}")

    rows = [(panel.name, [text(layer[-1]) for layer in panel.values]) for panel in maps.panels]
    return {"title": HEALTH_WORDS[field].capitalize(), "layers": maps.rows, "rows": rows}
