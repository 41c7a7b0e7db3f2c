"""Results made elsewhere, compared as a comparison's own are: `jaxact compare-results FILE.csv`."""

import sys
from pathlib import Path

from jaxact import paths
from jaxact.command import Command, Option, Options
from jaxact.comparison import results_file, study as studies
from jaxact.comparison.elsewhere import Elsewhere
from jaxact.comparison.output import files
from jaxact.comparison.output.terminal import show
from jaxact.comparison.results_file import Results
from jaxact.comparison.study import DIVERGED, DONE, Plan, Run, Study, folder_name
from jaxact.errors import ConfigError, did_you_mean
from jaxact.runs.records import workdirs

STDIN = "-"
COMMAND = Command(
    "jaxact compare-results",
    f"""\
Compares results that were made anywhere: the table, the answer, figures and a report as of runs of
jaxact's own, from a CSV file with a line a run. Its first line names the columns,
{results_file.EXAMPLE}; runs with one number of a seed are pairs.""",
    {
        "baseline": Option(
            None, "what the others are tested against; relu, else the first, if not given", str
        ),
        "title": Option(None, "what the results are called; as the file, if not given", str),
        "target": Option(None, "what the seconds lead to, such as '98 % accuracy'", str),
        "workdir": Option(
            None, "folder for what is written; runs/results-NAME, if not given", Path
        ),
        "pdf": files.PDF_OPTION,
    },
    arguments=("FILE",),
    examples=("results.csv", "results.csv --baseline='ReLU' --target='98 %' --pdf", "- < FILE"),
    notes="""\
activation  any text; relu and other names of jaxact are also drawn as functions in the report
seed        a whole number from 0
error       on the test set, in percent, or `diverged`
seconds     of training to the target; empty, inf or never where it was not reached
dataset     where there are several""",
)


def compare_results(options: Options) -> None:
    """Reads the results, prints the answer and writes all that a comparison writes.

    Raises:
      ConfigError: the file, an option or the folder is wrong; nothing is written.
    """
    name, content = _content(options.file)
    results = results_file.read(name, content)
    stem = "stdin" if options.file == STDIN else Path(name).stem
    title = _line("title", options.title) or ("Results" if options.file == STDIN else stem)
    study = study_of(results, title, _line("target", options.target), options.baseline)
    workdir = Path(options.workdir or f"runs/results-{folder_name(stem)}")
    check_place(workdir, title)
    show(study)
    with workdirs.told(workdir):
        workdir.mkdir(parents=True, exist_ok=True)
        study.save(workdir)
        written = files.write_all(study, workdir, options.pdf)
    print(*written, sep="\n")


def study_of(results: Results, title: str, target: str = "", baseline: str | None = None) -> Study:
    """Results as a study, with a run for each activation, data set and seed.

    Args:
      title: what they are called.
      target: what their seconds lead to; "": it is not said.
      baseline: an activation; None: relu, however it is written, else the first one.

    Raises:
      ConfigError: there is no such activation; or a target without seconds.
    """
    if target and not results.is_timed:
        raise ConfigError("--target is what the column seconds leads to, and the file has none")
    activations = tuple(dict.fromkeys(run.activation for run in results.runs))
    plan = Plan.of_results(
        Elsewhere(
            title=title,
            seeds=tuple(sorted({run.seed for run in results.runs})),
            target=target,
            is_timed=results.is_timed,
            notes=results.notes,
        ),
        datasets=tuple(dict.fromkeys(run.dataset for run in results.runs)),
        activations=activations,
        baseline=_baseline(baseline, activations),
    )
    found = {(run.dataset, run.activation, run.seed): run for run in results.runs}
    runs = []
    for config in plan.runs():
        run = Run(config.dataset, config.learning_rate, config.activation, config.seed)
        result = found.get((run.dataset, run.activation, run.seed))
        runs.append(run if result is None else _ended(run, result, results.is_timed))
    return Study(plan, tuple(runs))


def _ended(run: Run, result: results_file.Result, is_timed: bool) -> Run:
    identity = (run.dataset, run.learning_rate, run.activation, run.seed)
    if result.error_percent is None:
        return Run(*identity, status=DIVERGED, note=f"as line {result.line} says")
    summary = {"error_percent": result.error_percent}
    if is_timed:
        seconds = {"seconds_to_target": result.seconds}
        summary |= {"reached_target": result.seconds is not None, **seconds}
    return Run(*identity, status=DONE, summary=summary)


def _baseline(wanted: str | None, activations: tuple[str, ...]) -> str:
    if wanted is None:
        relus = (name for name in activations if name.casefold() == "relu")
        return next(relus, activations[0])
    if wanted not in activations:
        raise ConfigError(
            f"--baseline={wanted} must be one of the activations: {', '.join(activations)}"
            + did_you_mean(wanted, activations)
        )
    return wanted


def _line(option: str, text: str | None) -> str:
    """The text of an option as a line; "" where it is not given."""
    line = " ".join((text or "").split())
    if text is not None and not (line and line.isprintable()):
        raise ConfigError(f"--{option}={text} must be a text that can be printed")
    return line


def _content(file: str) -> tuple[str, bytes]:
    """A file's name and its bytes, or those of stdin."""
    if file == STDIN:
        return "stdin", sys.stdin.buffer.read()
    path = Path(paths.local(file, "FILE"))
    try:
        return str(path), path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{path} cannot be read ({reason}); give a CSV file, or -") from error


def check_place(workdir: Path, title: str) -> None:
    """Refuses a folder that holds anything but these results, or none yet.

    Raises:
      ConfigError: it does, or cannot be written in.
    """
    workdirs.check_place(workdir)
    if (workdir / studies.STUDY).exists():
        elsewhere = studies.load(workdir).plan.elsewhere
        if elsewhere is None or elsewhere.title != title:
            held = "runs of jaxact's" if elsewhere is None else f"the results {elsewhere.title!r}"
            raise ConfigError(
                f"--workdir={workdir} holds {held}, not {title!r}; choose another folder"
            )
    elif workdir.exists() and any(workdir.iterdir()):
        raise ConfigError(
            f"--workdir={workdir} holds files but no {studies.STUDY}; choose another folder"
        )
