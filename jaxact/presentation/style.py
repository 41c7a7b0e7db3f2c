"""The look of activations in figures: colour, dashes and marker, for matplotlib and pages alike.

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
# matplotlib's code of each marker, and its outline about (0, 0), 10 wide, as an SVG path.
_MARKERS = {
    "o": "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
    "s": "M-4-4h8v8h-8z",
    "^": "M0-5L5 4H-5z",
    "D": "M0-5.5L5.5 0L0 5.5L-5.5 0z",
    "v": "M0 5L5-4H-5z",
    "P": "M-1.7-5h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3v-3.4h3.3z",
    "X": "M-5-2.6L-2.6-5L0-2.4L2.6-5L5-2.6L2.4 0L5 2.6L2.6 5L0 2.4L-2.6 5L-5 2.6L-2.4 0z",
    "*": "M0-5.5L1.4-1.8L5.2-1.7L2.2 .7L3.2 4.5L0 2.3L-3.2 4.5L-2.2 .7L-5.2-1.7L-1.4-1.8z",
    "p": "M0-5L4.8-1.5L2.9 4H-2.9L-4.8-1.5z",
    "<": "M-5 0L4-5V5z",
    "h": "M0-5L4.3-2.5V2.5L0 5L-4.3 2.5V-2.5z",
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
    def svg_dash(self) -> str:
        """The dashes as SVG's `stroke-dasharray`, for lines 2 pixels wide; "" for a solid line."""
        return " ".join(f"{2 * length:g}" for length in self.dash)

    @property
    def outline(self) -> str:
        """The marker as an SVG path about (0, 0), 10 wide."""
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
