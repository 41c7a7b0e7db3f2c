"""The command `jaxact`, and `python -m jaxact`: the commands of the package by their names.

Each does what its own `python -m` form does. Nothing slow is imported before it is known which.
"""

import copy
import importlib
import sys
from typing import NamedTuple

import jaxact
from jaxact.errors import ConfigError, did_you_mean


class Entry(NamedTuple):
    """A command: its module, which has its `COMMAND`, and the function there that performs it.

    Attributes:
      summary: what it does, in a few words.
      packages: those that it cannot do without.
    """

    module: str
    function: str
    summary: str
    packages: tuple[str, ...] = ()


_DRAWING = ("jinja2", "matplotlib")
ENTRIES = {
    "train": Entry("jaxact.main", "train", "one network with one activation"),
    "compare": Entry("jaxact.comparison.compare", "compare", "activations, seed by seed"),
    "compare-results": Entry(
        "jaxact.comparison.compare_results",
        "compare_results",
        "results made elsewhere, from a CSV file",
        _DRAWING,
    ),
    "report": Entry(
        "jaxact.comparison.redraw", "redraw", "draws a comparison's files again", _DRAWING
    ),
    "check": Entry("jaxact.check", "check", "verifies and describes one activation"),
    "predict": Entry("jaxact.predict", "predict", "images' classes, by a run's network", ("PIL",)),
    "export": Entry("jaxact.export", "export", "a run's network as StableHLO or ONNX"),
    "track": Entry(
        "jaxact.tracking.command", "track", "shows runs in MLflow, Weights & Biases or Trackio"
    ),
}


def usage() -> str:
    """The text that `jaxact --help` prints."""
    commands = "".join(f"  {name:<16} {entry.summary}\n" for name, entry in ENTRIES.items())
    return (
        f"jaxact COMMAND ...\n\n{jaxact.__doc__}\n\ncommands:\n{commands}\n"
        "jaxact COMMAND --help tells the rest; jaxact --version the version.\n"
    )


def main() -> int:
    """Performs the command that the command line names; returns its exit code."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("--help", "-h", "help"):
        print(usage(), end="")
        return 0
    if name == "--version":
        print(f"jaxact {jaxact.__version__}")
        return 0
    if name not in ENTRIES:
        error = ConfigError(
            f"{name!r} is no command{did_you_mean(name, ENTRIES)} (of {', '.join(ENTRIES)})"
        )
        print(f"jaxact: {error}", file=sys.stderr)
        return error.exit_code
    return perform(name, ENTRIES[name])


def perform(name: str, entry: Entry) -> int:
    """Runs a command on the words that stand behind its name."""
    from jaxact import packages
    from jaxact.runs.process import start

    start.begin()
    packages.exit_without(*entry.packages)
    module = importlib.import_module(entry.module)
    command = copy.copy(module.COMMAND)
    object.__setattr__(command, "name", f"jaxact {name}")  # in its help
    sys.argv = [command.name, *sys.argv[2:]]
    return command.run(getattr(module, entry.function))


if __name__ == "__main__":
    sys.exit(main())
