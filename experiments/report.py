"""`python -m experiments.report DIR`: see `jaxact.comparison.redraw`."""

if __name__ == "__main__":  # before the imports that would fail
    from jaxact.runs.process import start

    start.begin("jinja2", "matplotlib")

import sys

from jaxact.comparison.redraw import COMMAND, redraw

if __name__ == "__main__":
    sys.exit(COMMAND.run(redraw))
