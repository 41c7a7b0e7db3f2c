"""`python -m experiments.compare`: see `jaxact.comparison.compare`."""

if __name__ == "__main__":  # before the slow imports: it may start the process again
    from jaxact.runs.process import start

    start.begin()

import sys

from jaxact.comparison.compare import COMMAND, compare

if __name__ == "__main__":
    sys.exit(COMMAND.run(compare))
