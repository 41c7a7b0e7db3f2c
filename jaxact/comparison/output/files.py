"""The files of a comparison that are made from its study: table, figures, report."""

from pathlib import Path

from jaxact.command import Option
from jaxact.comparison import answers as findings
from jaxact.comparison.output.tables import latex, study_table
from jaxact.comparison.study import DONE, Study
from jaxact.packages import needed_for
from jaxact.presentation.tables import escape
from jaxact.runs.records import record_files

FIGURES = "figures"
PDF_OPTION = Option(
    False, "also writes each figure as PDF, for papers; once there, they are kept up to date"
)


def write_tables(study: Study, workdir: Path) -> None:
    """Writes `table.md` (with the answer and the paper's findings), `.csv`, `.json` and `.tex`."""
    answers = "\n\n".join(
        escape(f"{study.workload_title(workload)}: {findings.answer(study, workload)}")
        for workload in study.workloads()
    )
    parts = (f"{answers}\n", study_table.as_markdown(study), findings.as_markdown(study))
    record_files.write_text(workdir / "table.md", "\n".join(filter(None, parts)))
    record_files.write_text(workdir / "table.csv", study_table.as_csv(study))
    record_files.write_json(workdir / "table.json", study_table.as_json(study))
    record_files.write_text(workdir / "table.tex", latex.as_latex(study))


def write_all(study: Study, workdir: Path, pdf: bool = False) -> list[str]:
    """Writes the tables, the figures and the report; returns what there is to look at, and where.

    Figures and report need one run that is done.

    Args:
      pdf: whether figures are written as PDF, too.
    """
    write_tables(study, workdir)
    written = [f"table: {workdir / 'table.md'}"]
    if study.with_status(DONE):
        # matplotlib and jinja2: slow to import, and needed once there is something to draw
        with needed_for("the report"):
            from jaxact.comparison.output import figures, report

        figures.draw_all(study, workdir / FIGURES, pdf)
        written.append(f"figures: {workdir / FIGURES}")
        written.append(f"report: {report.write_report(study, workdir)}")
    return written
