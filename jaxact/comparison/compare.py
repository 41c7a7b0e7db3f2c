"""python -m experiments.compare --config=configs/mnist.py [--activations=SPEC,SPEC,...] [--seeds=N]

Trains one network with each activation, seed by seed, and tells how they compare: a table, figures
and a report. Runs are paired: run k of every activation has the same initial weights, order of
images and augmentation; seeds are 0 to N-1. Finished runs are not made again, so a comparison that
was stopped goes on when the same command is given; more seeds, activations or epochs extend it.
"""

if __name__ == "__main__":  # before the slow imports: it may start the process again
    from jaxact.runs.process import huge_pages, signals

    huge_pages.restart()
    signals.end_on_signals()  # also while the imports below take their seconds

from collections.abc import Sequence
from pathlib import Path

from absl import app, flags
from rich.console import Console

from jaxact import command_line, data
from jaxact.comparison import answers, study as studies
from jaxact.comparison.analysis import sweep
from jaxact.comparison.engines.local import make_runs
from jaxact.comparison.options import make_plan
from jaxact.comparison.output import dawnbench, files, study_table
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.study import FAILED, MISSING, Study
from jaxact.config import check
from jaxact.errors import Interrupted, JaxactError
from jaxact.runs.process.signals import stop_on_signals

WIDTH_OF_A_FILE = 200  # output that is no terminal's is not cropped

CONFIG = command_line.define_config()
ACTIVATIONS = flags.DEFINE_string(
    "activations", ",".join(PAPER_ACTIVATIONS), "Specs, separated by commas."
)
SEEDS = flags.DEFINE_integer("seeds", 3, "Runs of each activation.", lower_bound=1)
LEARNING_RATES = flags.DEFINE_string(
    "learning_rates", None, "Rates to try with each activation. Default: config.learning_rate."
)
DATASETS = flags.DEFINE_string(
    "datasets", None, "Data sets to compare on, separated by commas. Default: config.dataset."
)
TARGETS = flags.DEFINE_string(
    "target_accuracies",
    None,
    "Accuracy to reach on each of --datasets. Default: config.target_accuracy on all.",
)
BASELINE = flags.DEFINE_string(
    "baseline", None, "What the others are tested against. Default: relu, else the first."
)
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the comparison. Default: runs/compare-DATASET-MODEL."
)
COMPILE_AHEAD = flags.DEFINE_integer(
    "compile_ahead",
    None,
    "Programs of activations to come that are compiled at once, in threads, while one trains. "
    "Default: up to 4 on an accelerator, by the processor's cores; on a CPU 0.",
    lower_bound=0,
)
FORMAT = flags.DEFINE_enum(
    "format", None, ["dawnbench"], "Also writes each run as a DAWNBench entry: WORKDIR/dawnbench."
)
AUTHOR = flags.DEFINE_string("author", None, "Of the DAWNBench entries.")
AUTHOR_EMAIL = flags.DEFINE_string("author_email", None, "Of the DAWNBench entries.")


class RunsFailed(JaxactError):
    """Some runs ended in an error that is no outcome of training."""


def compare() -> None:
    """Compares as the flags say, prints the answer and writes it.

    Raises:
      ConfigError, DataError: before any run is made.
      Interrupted: by SIGTERM or SIGINT; what is there has been written.
      RunsFailed: after all else.
    """
    config = check(CONFIG.value)
    plan = make_plan(
        config,
        ACTIVATIONS.value,
        SEEDS.value,
        datasets=DATASETS.value,
        learning_rates=LEARNING_RATES.value,
        target_accuracies=TARGETS.value,
        baseline=BASELINE.value,
    )
    author = dawnbench.author(AUTHOR.value, AUTHOR_EMAIL.value) if FORMAT.value else None
    names = "-".join(map(data.title, plan.datasets))
    workdir = Path(WORKDIR.value or f"runs/compare-{names}-{config.model}")
    study = studies.begin(workdir, plan)
    with stop_on_signals() as stop:
        study = make_runs(study, workdir, stop, COMPILE_AHEAD.value)
        show(study)
        written = files.write_all(study, workdir)
    if author:
        entries = dawnbench.export(study, workdir / dawnbench.FOLDER, author)
        written.append(f"DAWNBench entries: {len(entries)} in {workdir / dawnbench.FOLDER}")
    print(*written, f"runs: {workdir}", sep="\n")
    missing, failed = study.with_status(MISSING), study.with_status(FAILED)
    if missing:
        raise Interrupted(
            f"stopped by {stop.name} after {len(study.runs) - len(missing)} of {len(study.runs)} "
            f"runs; to go on, give the same command with --workdir={workdir}"
        )
    if failed:
        raise RunsFailed(
            f"{len(failed)} of {len(study.runs)} runs failed, as listed above; the same command "
            "tries them again"
        )


def show(study: Study) -> None:
    """The tables, the answer of each workload, and what went wrong, on stdout."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_A_FILE
    for workload in study.workloads():
        console.print(study_table.as_rich(study, workload))
        console.print(answers.answer(study, workload), markup=False)
    if sweep.is_sweep(study):
        for dataset in study.plan.datasets:
            console.print(study_table.sweep_as_rich(study, dataset))
    for note in (*study_table.not_done(study), *study_table.disturbed(study)):
        console.print(note, markup=False)


def main(argv: Sequence[str]) -> int:
    del argv
    return command_line.exit_code(compare)


if __name__ == "__main__":
    app.run(main, flags_parser=command_line.parse)
