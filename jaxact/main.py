"""python -m jaxact.main --config=configs/cifar.py [--config.FIELD=VALUE ...] [--workdir=DIR]"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from jaxact import command_line
from jaxact.errors import JaxactError
from jaxact.training.clock import process_age_seconds

CONFIG = command_line.define_config()
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the run; one that holds this run is resumed. Default: a new one in runs/."
)


def main(argv: Sequence[str]) -> int:
    """Trains as the flags say and returns the exit code."""
    del argv
    from jaxact.training import loop, progress

    started = time.perf_counter() - process_age_seconds()
    workdir = Path(WORKDIR.value) if WORKDIR.value else command_line.new_workdir(CONFIG.value)
    try:
        summary = loop.fit(CONFIG.value, workdir, started)
    except JaxactError as error:
        print(f"jaxact: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("jaxact: stopped before training began; nothing was lost", file=sys.stderr)
        return 130
    progress.print_summary(summary)
    print(f"records: {workdir}")
    return 0


if __name__ == "__main__":
    app.run(main, flags_parser=command_line.parse)
