"""The command of the search: its options, what it prints and writes."""

import shlex
import sys
import time
from pathlib import Path

from experiments.common import outcomes
from experiments.search import figures
from experiments.search.experiment import Settings, candidates_of, perform, rungs_of
from jaxact import data
from jaxact.command import Option, Options
from jaxact.command_line import ConfigCommand
from jaxact.errors import ConfigError, Interrupted
from jaxact.runs.process import determinism, devices

COMMAND = ConfigCommand(
    "python -m experiments.search",
    """\
Finds an activation for a configuration: successive halving over the registered functions (or
--activations=SPEC,...) and N pairs of two of them, by validation accuracy; then the best three and
ReLU are trained anew with paired seeds and compared on the test images. A search that was stopped,
or is given a larger budget, goes on when the same command is given. Expected time: the budget. Most
of a short one is compilation: a new function takes seconds before its first step.""",
    {
        "activations": Option(
            None, "specs, separated by commas; every registered elementwise one, if not given", str
        ),
        "compositions": Option(0, "pairs of two registered functions to try as well", least=0),
        "budget_minutes": Option(1.0, "time to spend in all", least=0),
        "first_epochs": Option(1, "epochs of the first rung", least=1),
        "reduction_factor": Option(
            3,
            "a rung has so many times the epochs of the one before, up to config.epochs, and about "
            "one in so many candidates reaches it",
            least=2,
        ),
        "finalists": Option(3, "besides ReLU", least=1),
        "final_seeds": Option(5, "runs of each finalist", least=1),
        "from_result": outcomes.FROM_RESULT,
        "workdir": Option(
            None, "folder of the search; runs/search-DATASET-MODEL, if not given", Path
        ),
    },
)

DECIDED = {  # fields of the configuration
    "activation": "it tries those of --activations",
    "eval_split": "candidates are chosen on validation images, finalists compared on test images",
    "distributed": "it trains in one process",
}


def search(options: Options) -> None:
    """Searches as the options say, prints the answer and writes it."""
    begin = time.perf_counter()
    config = options.config
    workdir = Path(options.workdir or f"runs/search-{data.title(config.dataset)}-{config.model}")
    if options.from_result:
        print(*outcomes.redraw(COMMAND.name, figures.draw, workdir), sep="\n")
        return
    for name, reason in DECIDED.items():
        if name in options.given:
            raise ConfigError(f"config.{name} is decided by the search ({reason}): leave it out")
    settings = Settings(
        specs=candidates_of(options.activations, config.seed),
        pairs=options.compositions,
        rungs=rungs_of(options.first_epochs, options.reduction_factor, config.epochs),
        factor=options.reduction_factor,
        finalists=options.finalists,
        seeds=options.final_seeds,
        seconds=60 * options.budget_minutes,
    )
    determinism.ask(config.deterministic)  # before JAX starts
    devices.start()  # or each candidate would say that it failed
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
    outcomes.show(outcome, outcomes.write(outcome, figures.draw, workdir, record))
    if best := outcome.details["winner"]:
        print(f"to use it: --config.activation={shlex.quote(best)}")
