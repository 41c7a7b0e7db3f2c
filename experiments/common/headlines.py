"""The title of a figure: what was found, and the set-up below it in smaller type."""

import textwrap

from matplotlib.figure import Figure
from matplotlib.text import Annotation

from jaxact.presentation.style import GREY

FINDING_POINTS, SETTING_POINTS = 11.0, 8.0  # sizes of type
_WIDTH = 0.58  # of a letter in the mean, in sizes of its type: lines that are as wide fit
_LINE = 1.3  # from line to line, in sizes of type


def add_headline(figure: Figure, finding: str, setting: str) -> None:
    """Writes a finding above all panels, and the set-up below it.

    The last thing that is done to a figure: lines are broken by the width that is left beside its
    legend, which stands at the right.

    Args:
      finding: of the measured result, in words.
      setting: what was trained on what, and how often.
    """
    upper = _wrapped(finding, figure, FINDING_POINTS)
    lower = _wrapped(setting, figure, SETTING_POINTS)
    # Empty lines of the finding's size make room for those of the set-up.
    room = SETTING_POINTS * _LINE * (lower.count("\n") + 1) + 3
    title = figure.suptitle(
        upper + "\n" * -(-int(room) // int(FINDING_POINTS * _LINE)),
        x=0.01,
        ha="left",
        fontsize=FINDING_POINTS,
        linespacing=_LINE,
    )
    below = Annotation(
        lower,
        xy=(0, 0),
        xycoords=title,
        ha="left",
        va="bottom",
        fontsize=SETTING_POINTS,
        color=GREY,
        linespacing=_LINE,
    )
    below.set_in_layout(False)
    figure.add_artist(below)


def told(figure: Figure) -> str:
    """The finding that stands above a figure, on one line."""
    return " ".join(figure.get_suptitle().split())


def _wrapped(text: str, figure: Figure, points: float) -> str:
    beside = max((one.get_window_extent().width for one in figure.legends), default=0)
    inches = figure.get_figwidth() - beside / figure.dpi
    letters = int(0.97 * 72 * inches / (_WIDTH * points))
    text = text.replace(" %", "\u00a0%")  # a number stays with its unit
    return "\n".join(
        textwrap.fill(line, letters, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )
