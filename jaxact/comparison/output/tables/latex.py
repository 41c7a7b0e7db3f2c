"""The table of a comparison in LaTeX, for papers: `table.tex`."""

from jaxact.comparison.analysis import sweep
from jaxact.comparison.output.tables import rows as table_rows, study_table
from jaxact.comparison.study import Study
from jaxact.presentation import latex


def as_latex(study: Study) -> str:
    """A table a workload, and one of each sweep, as in Markdown; to be `\\input`."""
    parts = [f"% Made by jaxact from study.json. In the preamble: {latex.PREAMBLE}\n"]
    columns = table_rows.columns_of(study)
    for workload in study.workloads():
        table = table_rows.rows(study, workload)
        note = f"{table_rows.legend(study)} {table_rows.paper_legend(study, workload)}".strip()
        title, label = study_table.title(study, workload), study.title(workload)
        parts.append(latex.table(columns, table, title, label, note))
    if sweep.is_sweep(study):
        for dataset in study.plan.datasets:
            title = sweep.title(study, dataset)
            note = " ".join(sweep.at_an_edge(study, dataset))
            label = f"{study.plan.subject(dataset)}, own rates"
            rows = sweep.rows(study, dataset)
            parts.append(latex.table(sweep.columns(study), rows, title, label, note))
    return "\n".join(parts)
