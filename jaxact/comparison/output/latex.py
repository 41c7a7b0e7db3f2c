"""The table of a comparison in LaTeX, for papers: `table.tex`."""

from jaxact.comparison.analysis import sweep
from jaxact.comparison.output import study_table
from jaxact.comparison.study import Study
from jaxact.presentation import latex


def as_latex(study: Study) -> str:
    """A table a workload, and one of each sweep, as in Markdown; to be `\\input`."""
    parts = [f"% Made by jaxact from study.json. In the preamble: {latex.PREAMBLE}\n"]
    columns = study_table.columns_of(study)
    for workload in study.workloads():
        table = study_table.rows(study, workload)
        note = study_table.legend(study)
        if any(row["source"] == study_table.PAPER for row in table):
            note = f"{note} {study_table.paper_legend(study, workload)}"
        title, label = study_table.title(study, workload), study.title(workload)
        parts.append(latex.table(columns, table, title, label, note))
    if sweep.is_sweep(study):
        for dataset in study.plan.datasets:
            title = sweep.title(study, dataset)
            note = "Each activation at the common learning rate, and at its own best."
            label = f"{study.plan.subject(dataset)}, own best rates"
            rows = sweep.rows(study, dataset)
            parts.append(latex.table(sweep.COLUMNS, rows, title, label, note))
    return "\n".join(parts)
