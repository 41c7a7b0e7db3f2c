"""`python -m experiments.track WORKDIR --to=LIBRARY`: see `jaxact.tracking.command`."""

if __name__ == "__main__":  # before the imports that would fail
    from jaxact.runs.process import start

    start.begin()

import sys

from jaxact.tracking.command import COMMAND, track

if __name__ == "__main__":
    sys.exit(COMMAND.run(track))
