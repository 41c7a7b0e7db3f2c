"""Notebooks: whether this is one, and a line in a cell's output that changes."""

import html
import sys
import time
from typing import Any

SECONDS = 0.2  # between two changes of a line, at least


def is_notebook() -> bool:
    """Whether this process is a notebook's kernel, which shows HTML; a terminal's IPython is not.

    >>> is_notebook()
    False
    """
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython  # pyright: ignore[reportMissingImports]

    return type(get_ipython()).__name__ == "ZMQInteractiveShell"


class Line:
    """A line of text in the output of the cell that is running."""

    def __init__(self) -> None:
        from IPython.display import HTML, display  # pyright: ignore[reportMissingImports]

        self._html = HTML
        self._handle: Any = display(HTML(""), display_id=True)
        self._shown_at = 0.0

    def show(self, text: str, is_last: bool = False) -> None:
        """Puts a text in place of the one before; it may be left out where the last is fresh."""
        now = time.monotonic()
        if is_last or now - self._shown_at >= SECONDS:
            self._shown_at = now
            self._handle.update(self._html(f"<code>{html.escape(text)}</code>"))
