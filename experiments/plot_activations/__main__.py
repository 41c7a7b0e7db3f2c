from jaxact.runs.process import start

start.begin("matplotlib")

import sys  # noqa: E402

from experiments.plot_activations import experiment  # noqa: E402 (slow)

sys.exit(experiment.COMMAND.run(experiment.perform))
