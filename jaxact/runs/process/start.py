"""The start of a command's process, before anything slow is imported."""

from jaxact import packages
from jaxact.runs.process import huge_pages, signals


def begin(*needed: str) -> None:
    """Starts the process again with large pages; has signals answered while imports take seconds.

    Args:
      *needed: packages that the command cannot do without: it ends in a line where one is missing.
    """
    huge_pages.restart()
    signals.end_on_signals()
    packages.exit_without("jax", *needed)
