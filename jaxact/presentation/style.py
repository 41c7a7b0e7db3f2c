"""The look of activations in figures: colour, dashes and marker, for matplotlib and plotly alike.

Colours are those of Okabe and Ito (2008, Color universal design), told apart by colour-blind
readers, less the yellow, too light for a line on white. Dashes and markers tell activations apart
where there is no colour.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple

BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY_BLUE, BLACK = "#CC79A7", "#E69F00", "#56B4E9", "#000000"
GREY = "#666666"  # of what is no activation: targets, notes

_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)
# On and off lengths in line widths; () is a solid line.
_DASHES = ((), (4.0, 1.5), (1.0, 1.2), (6.0, 1.5, 1.0, 1.5), (8.0, 2.5, 2.5, 2.5))
# matplotlib's code and plotly's name of each marker.
_MARKERS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
    "*": "star",
    "p": "pentagon",
    "<": "triangle-left",
    "h": "hexagon",
}
# The paper's six look alike in every study.
_FIXED = ("relu", "tanh", "selu", "prelu", "elu", "leaky_relu")
LONGEST_LABEL = 40
_LETTERS = (("\u00a1", "\u024f"), ("\u0384", "\u03ff"), ("\u0400", "\u04ff"))


class Style(NamedTuple):
    """The look of one activation.

    Attributes:
      color: `#rrggbb`.
      dash: lengths of dashes and gaps in line widths; () is a solid line.
      marker: matplotlib's code.
    """

    color: str
    dash: tuple[float, ...]
    marker: str

    @property
    def line_style(self) -> Literal["solid"] | tuple[float, tuple[float, ...]]:
        """The dashes as matplotlib's `linestyle`."""
        return (0.0, self.dash) if self.dash else "solid"

    @property
    def plotly_dash(self) -> str:
        """The dashes as plotly's `line.dash`, for lines 2 pixels wide."""
        return ",".join(f"{2 * length:g}px" for length in self.dash) or "solid"

    @property
    def plotly_symbol(self) -> str:
        """The marker as plotly's `marker.symbol`."""
        return _MARKERS[self.marker]


def style_of(names: Iterable[str]) -> dict[str, Style]:
    """A style for each name: the paper's activations have their own, the others follow in order.

    Colour and dashes together are different for the first 35.
    """
    names = list(dict.fromkeys(names))
    others = [name for name in names if name not in _FIXED]
    position = {name: k for k, name in enumerate((*_FIXED, *others))}
    return {name: _style(position[name]) for name in names}


def labels_of(names: Iterable[str]) -> dict[str, str]:
    """Names as a legend shows them: at most LONGEST_LABEL characters unless two look alike.

    Of letters those that the figures' font has, Latin, Greek and Cyrillic; others as their numbers.
    What is cut off is the beginning: specs of one's own functions differ at the end.
    """
    full = {name: "".join(map(_drawn, name)) for name in names}
    short = {
        name: text if len(text) <= LONGEST_LABEL else f"...{text[3 - LONGEST_LABEL :]}"
        for name, text in full.items()
    }
    uses = Counter(short.values())
    return {name: text if uses[text] == 1 else full[name] for name, text in short.items()}


def _drawn(char: str) -> str:
    if char.isprintable() and any(first <= char <= last for first, last in _LETTERS):
        return char
    return char.encode("unicode_escape").decode("ascii")


def _style(position: int) -> Style:
    rounds, column = divmod(position, len(_COLORS))
    markers = tuple(_MARKERS)
    return Style(
        color=_COLORS[column],
        dash=_DASHES[(column + 3 * rounds) % len(_DASHES)],
        marker=markers[position % len(markers)],
    )
