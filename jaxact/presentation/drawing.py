"""matplotlib as the figures here use it: no pyplot, one style, the same bytes each time."""

import contextlib
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from jaxact.presentation.style import GREY

DPI = 160
FORMATS = ("png", "svg")
PDF = "pdf"
_RC: dict[Any, Any] = {
    "text.parse_math": False,  # a spec may hold $, _ or ^
    "svg.hashsalt": "jaxact",
    "pdf.fonttype": 42,  # TrueType: publishers refuse matplotlib's own, Type 3
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 3.2,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """matplotlib's own defaults and the style of these figures, whatever the user's are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


class ShownFigure(Figure):
    """A figure that a notebook shows, though pyplot does not know it."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=DPI / 2, bbox_inches="tight")
        return picture.getvalue()


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """An empty figure whose parts make room for each other."""
    figure = ShownFigure(figsize=(width_inches, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_axes(title: str) -> tuple[Figure, Axes]:
    """A figure of one plot, to which `add_legend` adds its own width."""
    figure = new_figure(5.6, 4.2)
    axes = figure.subplots()
    axes.set_title(title)
    return figure, axes


def _files(folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    return [folder / f"{name}.{kind}" for kind in formats]


def remove(folder: Path, name: str) -> None:
    """Removes the files of `save`, where they are."""
    for path in _files(folder, name, (*FORMATS, PDF)):
        path.unlink(missing_ok=True)


def save(figure: Figure, folder: Path, name: str, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Writes `name.png` and `name.svg`, and PDF if asked; the same figure gives the same bytes.

    Args:
      formats: of FORMATS and PDF.
    """
    folder.mkdir(parents=True, exist_ok=True)
    metadata: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": "jaxact", "Title": name},
        PDF: {"CreationDate": None, "Creator": "jaxact", "Title": name},
    }
    paths = _files(folder, name, formats)
    with house_style():
        for path, kind in zip(paths, formats, strict=True):
            figure.savefig(path, format=kind, dpi=DPI, metadata=metadata[kind])
    return paths


def add_legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """A legend to the right of the axes, which the figure is widened for."""
    columns = math.ceil(len(labels) / 22)
    longest = max(len(label) for label in labels)
    figure.set_figwidth(figure.get_figwidth() + columns * (0.6 + 0.066 * longest))
    figure.legend(handles, labels, loc="outside right upper", ncols=columns)


def add_caption(figure: Figure, text: str) -> None:
    """A line below the axes that says what lines, bands and bars are."""
    figure.supxlabel(text, x=0.01, ha="left", fontsize=7.5, color=GREY)


def count_epochs(axes: Axes, epochs: int) -> None:
    """An x axis of whole epochs, from 1."""
    margin = min(0.03 * epochs, 0.5)
    axes.set_xlim(1 - margin, epochs + margin)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))


def log_axis(axes: Axes, which: str) -> None:
    """Makes the axis `which` ("x" or "y") logarithmic, with plain numbers at its ticks."""
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = sorted(axis.get_view_interval())
    if high / low < 10:
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    else:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 1e3 else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
