from jaxact.runs.process import start

start.begin("matplotlib", "optuna")

import sys  # noqa: E402

from experiments.search.command import COMMAND, search  # noqa: E402 (slow)

sys.exit(COMMAND.run(search))
