"""python -m jaxact.main --config=configs/cifar.py [--config.FIELD=VALUE ...] [--workdir=DIR]"""

if __name__ == "__main__":  # before the slow imports: it may start the process again
    from jaxact.runs.process import huge_pages, signals

    huge_pages.restart()
    signals.end_on_signals()  # also while the imports below take their seconds

import time
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from jaxact import command_line
from jaxact.compilation.clock import process_age_seconds
from jaxact.config import check
from jaxact.runs import loop, progress

CONFIG = command_line.define_config()
WORKDIR = flags.DEFINE_string(
    "workdir",
    None,
    "Folder of the run; one that holds this run already is resumed. Default: a new one in runs/.",
)


def train() -> None:
    """Trains as the flags say, and prints the result."""
    started = time.perf_counter() - process_age_seconds()
    config = check(CONFIG.value)
    workdir = Path(WORKDIR.value) if WORKDIR.value else command_line.new_workdir(config)
    progress.print_summary(loop.fit(config, workdir, started))
    print(f"records: {workdir}")


def main(argv: Sequence[str]) -> int:
    del argv
    return command_line.exit_code(train)


if __name__ == "__main__":
    app.run(main, flags_parser=command_line.parse)
