"""`python -m experiments.NAME`, from its first moment."""

import importlib
import sys

from jaxact.runs.process import start


def run(name: str) -> None:
    """Ends the process with the exit code of an experiment.

    Its `experiment` has `COMMAND` and `perform`, its `figures` have `draw`.
    """
    start.begin("matplotlib")
    from experiments.common import outcomes  # slow: the process may have started again meanwhile

    experiment = importlib.import_module(f"experiments.{name}.experiment")
    figures = importlib.import_module(f"experiments.{name}.figures")
    sys.exit(outcomes.run(experiment.COMMAND, experiment.perform, figures.draw))
