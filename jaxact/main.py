"""One training run: `python -m jaxact.main`."""

if __name__ == "__main__":  # before the slow imports: it may start the process again
    from jaxact.runs.process import start

    start.begin()

import sys
import time
from pathlib import Path

from jaxact import command_line
from jaxact.command import Option, Options
from jaxact.compilation.clock import process_age_seconds
from jaxact.runs import dry_run, fit, progress
from jaxact.runs.process import hosts
from jaxact.runs.records import surroundings

COMMAND = command_line.ConfigCommand(
    "python -m jaxact.main",
    "Trains one network with one activation, and leaves its records in a folder.",
    {
        "workdir": Option(
            None,
            "folder of the run; one that holds this run already is resumed; a new one in runs/, if "
            "not given",
            Path,
        ),
        "dry_run": Option(False, dry_run.MEANING),
    },
)


def train(options: Options) -> None:
    """Trains as the options say, and prints the result; a dry run only estimates."""
    if options.dry_run:
        dry_run.show(options.config, options.workdir and Path(options.workdir))
        return
    started = time.perf_counter() - process_age_seconds()
    new = hosts.of_first(str(command_line.new_workdir(options.config)))
    workdir = Path(options.workdir or new)
    summary = fit.fit(options.config, workdir, started)
    if not hosts.is_first():
        return
    progress.print_summary(summary, is_timed=not surroundings.is_marked(workdir))
    print(f"records: {workdir}")


if __name__ == "__main__":
    sys.exit(COMMAND.run(train))
