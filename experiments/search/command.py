"""python -m experiments.search --config=configs/digits.py [--budget_minutes=M] [--compositions=N]

Finds an activation for a configuration: successive halving over the registered functions (or
--activations=SPEC,...) and N pairs of two of them, by validation accuracy; then the best three and
ReLU are trained anew with paired seeds and compared on the test images. A search that was stopped,
or is given a larger budget, goes on when the same command is given. Expected time: the budget. Most
of a short one is compilation: a new function takes seconds before its first step.
"""

if __name__ == "__main__":  # before the slow imports: it may start the process again
    from jaxact import packages
    from jaxact.runs.process import huge_pages, signals

    huge_pages.restart()
    signals.end_on_signals()  # also while the imports below take their seconds
    packages.exit_without("matplotlib", "optuna")

import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from experiments.common import outcomes
from experiments.search.experiment import Settings, candidates_of, perform, rungs_of
from jaxact import command_line, data
from jaxact.config import check
from jaxact.errors import Interrupted

CONFIG = command_line.define_config()
ACTIVATIONS = flags.DEFINE_string(
    "activations", None, "Specs, separated by commas. Default: every registered elementwise one."
)
COMPOSITIONS = flags.DEFINE_integer(
    "compositions", 0, "Pairs of two registered functions to try as well.", lower_bound=0
)
BUDGET = flags.DEFINE_float("budget_minutes", 1.0, "Time to spend in all.", lower_bound=0.0)
FIRST_EPOCHS = flags.DEFINE_integer("first_epochs", 1, "Epochs of the first rung.", lower_bound=1)
FACTOR = flags.DEFINE_integer(
    "reduction_factor",
    3,
    "A rung has so many times the epochs of the one before, up to config.epochs, and about one in "
    "so many candidates reaches it.",
    lower_bound=2,
)
FINALISTS = flags.DEFINE_integer("finalists", 3, "Besides ReLU.", lower_bound=1)
FINAL_SEEDS = flags.DEFINE_integer("final_seeds", 5, "Runs of each finalist.", lower_bound=1)
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the search. Default: runs/search-DATASET-MODEL."
)


def search() -> None:
    """Searches as the flags say, prints the answer and writes it."""
    begin = time.perf_counter()
    config = check(CONFIG.value)
    settings = Settings(
        specs=candidates_of(ACTIVATIONS.value, config.seed),
        pairs=COMPOSITIONS.value,
        rungs=rungs_of(FIRST_EPOCHS.value, FACTOR.value, config.epochs),
        factor=FACTOR.value,
        finalists=FINALISTS.value,
        seeds=FINAL_SEEDS.value,
        seconds=60 * BUDGET.value,
    )
    workdir = Path(WORKDIR.value or f"runs/search-{data.title(config.dataset)}-{config.model}")
    try:
        outcome = perform(config, settings, workdir)
    except Interrupted as error:
        raise Interrupted(
            f"{str(error).split(';')[0]}; what was tried is kept: to go on, give the same command "
            f"with --workdir={workdir}"
        ) from error
    record = {
        "command": f"python -m experiments.search {shlex.join(sys.argv[1:])}".rstrip(),
        "seconds": time.perf_counter() - begin,
    }
    outcomes.show(outcome, outcomes.write(outcome, workdir, record))
    if best := outcome.details["winner"]:
        print(f"to use it: --config.activation={shlex.quote(best)}")


def main(argv: Sequence[str]) -> int:
    del argv
    return command_line.exit_code(search)


if __name__ == "__main__":
    app.run(main, flags_parser=command_line.parse)
