"""A comparison, from its options to its files."""

import contextlib
import dataclasses
from collections.abc import Callable, Collection
from pathlib import Path

from jaxact.command import Option, Options
from jaxact.command_line import ConfigCommand
from jaxact.comparison import growth, study as studies
from jaxact.comparison.analysis import churn, hidden_seconds
from jaxact.comparison.engines import choice, dry_run, lanes
from jaxact.comparison.engines.engine import Engine
from jaxact.comparison.engines.in_process import InProcess
from jaxact.comparison.engines.making import make_runs
from jaxact.comparison.growth import MOST_SEEDS
from jaxact.comparison.live import StudyView
from jaxact.comparison.options import make_plan, split_remake
from jaxact.comparison.output import dawnbench, files
from jaxact.comparison.output.terminal import show
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.plan import DECIDED, Plan
from jaxact.comparison.price import OPTIONS as PRICE, price_of
from jaxact.comparison.study import FAILED, MISSING, Study
from jaxact.errors import Interrupted, JaxactError
from jaxact.runs.process import determinism, devices
from jaxact.runs.process.signals import StopRequest, stop_on_signals
from jaxact.runs.records import workdirs
from jaxact.statistics import POINTS

COMMAND = ConfigCommand(
    "python -m experiments.compare",
    """\
Trains one network with each activation, seed by seed, and tells how they compare: a table, figures
and a report. Runs are paired: run k of every activation has the same initial weights, order of
images and augmentation; seeds are config.seed and those after it. Finished runs are not made again,
so a comparison that was stopped goes on when the same command is given; more seeds, activations or
epochs extend it.""",
    {
        "activations": Option(",".join(PAPER_ACTIVATIONS), "specs, separated by commas"),
        "seeds": Option(3, "runs of each activation", least=1),
        "until": Option(
            None,
            "adds seeds until the error of each activation is told from the baseline's or shown to "
            "equal it, by tests that stay valid however often they are looked at",
            (DECIDED,),
        ),
        "max_seeds": Option(
            None,
            f"with --until: the most seeds; {MOST_SEEDS}, if not given",
            int,
            least=1,
        ),
        "margin_points": Option(
            POINTS.size, "a difference of errors, in percentage points, that is of no account"
        ),
        "aa": Option(
            None,
            "an activation that is the same function as another of them, kept as an A/A pair: what "
            "differs between the two is the machine's noise",
            str,
        ),
        "learning_rates": Option(
            None,
            "rates of which the best is chosen for each activation, on validation images; "
            "config.learning_rate, if not given",
            str,
        ),
        "rate_seeds": Option(
            None,
            "with --learning_rates: seeds that choose, before those shown; 1, if not given",
            int,
            least=1,
        ),
        "datasets": Option(
            None, "to compare on, separated by commas; config.dataset, if not given", str
        ),
        "target_accuracies": Option(
            None,
            "to reach on each of --datasets; config.target_accuracy on all, if not given",
            str,
        ),
        "baseline": Option(
            None, "what the others are tested against; relu, else the first, if not given", str
        ),
        "workdir": Option(
            None, "folder of the comparison; runs/compare-DATASET-MODEL, if not given", Path
        ),
        "remake": Option(
            None,
            "specs, separated by commas, whose runs are made anew, because the function has "
            "changed, say; the old ones go as soon as it is certain that the new ones begin",
            str,
        ),
        "dry_run": dry_run.OPTION,
        **choice.OPTIONS,
        **PRICE,
        "pdf": files.PDF_OPTION,
        "format": Option(
            None, "also writes each run as a DAWNBench entry: WORKDIR/dawnbench", ("dawnbench",)
        ),
        "author": Option(None, "of the DAWNBench entries", str),
        "author_email": Option(None, "of the DAWNBench entries", str),
    },
)


class RunsFailed(JaxactError):
    """Some runs ended in an error that is no outcome of training."""


def make(
    study: Study,
    workdir: Path,
    stop: StopRequest,
    *,
    remake: Collection[str] = (),
    most_seeds: int = 0,
    engine: Engine | None = None,
    follow: Callable[[Study], StudyView] = StudyView,
) -> tuple[Study, Plan | None]:
    """Makes the runs that a study lacks, and adds those that they call for.

    Args:
      study: from `jaxact.comparison.study.begin`.
      stop: asked between dispatches whether to stop.
      remake: the activations whose runs are made anew.
      most_seeds: up to which seeds are added while the answer is not clear.
      engine: makes the runs, and is closed; None: this process, one after the other.
      follow: makes what shows the study's progress.

    Returns:
      The study, which is saved; and the plan to go on with, where it was stopped before more seeds
      or rates could be added.

    Raises:
      ConfigError, DataError: before any run is made.
      WorkdirError: the folder cannot be written, or another process is at work in it.
    """
    engine = engine or InProcess()
    if isinstance(engine, lanes.SeedsAtOnce):
        engine.refuse_cpu()
    with contextlib.closing(engine), workdirs.told(workdir):
        study = make_runs(study, workdir, stop, engine, remake, follow)
        most_seeds = max(most_seeds, study.plan.seeds)
        while (more := growth.grown(study, most_seeds, lanes.seeds_of(engine))) and not stop:
            study = dataclasses.replace(studies.begin(workdir, more), price=study.price)
            study = make_runs(study, workdir, stop, engine, (), follow)
        study = churn.with_churn(study, workdir)
        study.save(workdir)
    return study, more


def compare(options: Options) -> None:
    """Compares as the options say, prints the answer and writes it; a dry run only estimates.

    Raises:
      ConfigError, DataError: before any run is made.
      Interrupted: by SIGTERM or SIGINT; what is there has been written.
      RunsFailed: after all else.
    """
    config = options.config
    plan = make_plan(
        config,
        options.activations,
        options.seeds,
        datasets=options.datasets,
        learning_rates=options.learning_rates,
        target_accuracies=options.target_accuracies,
        baseline=options.baseline,
        aa=options.aa,
        rate_seeds=options.rate_seeds,
        until=options.until,
        max_seeds=options.max_seeds,
        margin_points=options.margin_points,
        given=options.given,
    )
    price = price_of(options.price_per_hour, options.currency)
    author = dawnbench.author(options.author, options.author_email) if options.format else None
    names = "-".join(map(plan.title, plan.datasets))
    workdir = Path(options.workdir or f"runs/compare-{names}-{config.model}")
    if (workdir / studies.STUDY).exists():
        plan = plan.going_on(studies.load(workdir).plan)
    remake = split_remake(options.remake, plan)
    determinism.ask(config.deterministic)  # before JAX starts
    engine = None if options.dry_run else choice.engine_of(vars(options))
    devices.start()  # or each run would say that it failed
    study = studies.begin(workdir, plan, remake)
    study = dataclasses.replace(study, price=price or study.price)
    if options.dry_run:
        if options.seeds_at_once > 1:
            lanes.SeedsAtOnce(options.seeds_at_once, options.seeds_at_once_on_cpu).refuse_cpu()
        most = (options.max_seeds or MOST_SEEDS) if options.until else None
        dry_run.show(dry_run.of_study(study, workdir, most, remake), workdir, study.price)
        if options.seeds_at_once > 1 or options.parallel or options.engine != choice.LOCAL:
            print("the time is that of one run after another; of runs at once it is not foretold")
        return
    with stop_on_signals() as stop:
        study, more = make(
            study,
            workdir,
            stop,
            remake=remake,
            most_seeds=(options.max_seeds or MOST_SEEDS) if options.until else 0,
            engine=engine,
        )
        drawn = hidden_seconds.without_seconds(study)
        show(drawn)
        with workdirs.told(workdir):
            written = files.write_all(drawn, workdir, options.pdf)
    if author:
        written += dawnbench.exported(study, workdir / dawnbench.FOLDER, author)
    missing, failed = study.with_status(MISSING), study.with_status(FAILED)
    is_at_end = plan.is_sequential and not (missing or more)
    for title, names in growth.open_questions(study).items() if is_at_end else ():
        print(f"{title}: undecided after {study.plan.seeds} seeds: {', '.join(names)}")
    print(*written, f"runs: {workdir}", sep="\n")
    same = "the same command without --remake" if remake else "the same command"
    if missing or more:
        raise Interrupted(
            f"stopped by {stop.name} after {len(study.runs) - len(missing)} of {len(study.runs)} "
            f"runs{' so far' if more else ''}; to go on, give {same} with --workdir={workdir}"
        )
    if failed:
        raise RunsFailed(
            f"{len(failed)} of {len(study.runs)} runs failed, as listed above; {same} tries them "
            "again"
        )
