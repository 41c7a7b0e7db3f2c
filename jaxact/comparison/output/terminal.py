"""A comparison on the terminal: `show(study)`."""

from rich.console import Console

from jaxact.comparison import answers
from jaxact.comparison.analysis import sweep
from jaxact.comparison.output.tables import costs, study_table
from jaxact.comparison.study import Study
from jaxact.presentation import tables


def show(study: Study, console: Console | None = None) -> None:
    """The tables, the answer of each workload, and what went wrong, on stdout if not elsewhere."""
    console = console or tables.console()
    for workload in study.workloads():
        console.print(study_table.as_rich(study, workload))
        console.print(answers.answer(study, workload), markup=False)
        if cost := costs.line(study, workload):
            console.print(cost, markup=False)
    if sweep.is_sweep(study):
        for dataset in study.plan.datasets:
            console.print(study_table.sweep_as_rich(study, dataset))
    for note in study_table.notes(study):
        console.print(note, markup=False)
