"""The files of a comparison that are made from its study: table, figures, report."""

from pathlib import Path

from experiments import figures, report, tables
from experiments.study import DONE, Study
from jaxact.training import records

FIGURES = "figures"


def write_tables(study: Study, workdir: Path) -> None:
    """Writes `table.md`, `table.csv` and `table.json`."""
    records.write_text(workdir / "table.md", tables.as_markdown(study))
    records.write_text(workdir / "table.csv", tables.as_csv(study))
    records.write_json(workdir / "table.json", tables.as_json(study))


def write_all(study: Study, workdir: Path) -> list[str]:
    """Writes the tables, the figures and the report; returns what there is to look at, and where.

    Figures and report need one run that is done.
    """
    write_tables(study, workdir)
    written = [f"table: {workdir / 'table.md'}"]
    if study.with_status(DONE):
        figures.draw_all(study, workdir / FIGURES)
        written.append(f"figures: {workdir / FIGURES}")
        written.append(f"report: {report.write_report(study, workdir)}")
    return written
