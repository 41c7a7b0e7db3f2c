"""Figures of `experiments.regularization`: loss by epoch, and what Monte Carlo dropout tells."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.common.findings import capitalized, told_from
from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from experiments.regularization.experiment import HINGE, NONE, STOPPED
from experiments.regularization.uncertainty import ONE_PASS, SPREAD
from jaxact import statistics
from jaxact.presentation import drawing, numbers
from jaxact.presentation.style import BLUE, GREY, ORANGE, VERMILLION

COLUMNS = 4
Run = Mapping[str, Any]  # "best_epoch" of early stopping, and "rows", one an epoch


class Panel(NamedTuple):
    """One way to train.

    Attributes:
      title: of the panel.
      unit: of the loss.
      runs: one a seed.
    """

    title: str
    unit: str
    runs: Sequence[Run]


def draw(result: Result) -> dict[str, Figure]:
    """The figures of a result."""
    runs, unseen = result["details"]["runs"], result["details"]["monte_carlo"]
    settings = result["settings"]
    panels = [
        Panel(label, "hinge loss" if label == HINGE else "loss (nats)", of_label)
        for label, of_label in runs.items()
    ]
    errors = {label: [run["rows"][-1]["test_error"] for run in of] for label, of in runs.items()}
    errors[STOPPED] = [run["rows"][run["best_epoch"] - 1]["test_error"] for run in runs[NONE]]
    percents = {label: [100 * error for error in of] for label, of in errors.items()}
    figures = {"overfitting": losses(panels, percents), "monte_carlo": uncertainty(unseen)}
    add_headline(figures["overfitting"], headline(percents), f"{result['title']}.")
    cases = [
        spread > known
        for form in unseen.values()
        for spread, known in zip(form[SPREAD].values(), form[ONE_PASS].values(), strict=True)
    ]
    add_headline(
        figures["monte_carlo"],
        f"The spread over dropout masks tells unseen images better than one pass does in "
        f"{sum(cases)} of {len(cases)} cases",
        f"{result['title']}; {settings['masks']} masks; medians of "
        f"{numbers.count(settings['seeds'], 'seed')}, not tested.",
    )
    return figures


def headline(errors: Mapping[str, Sequence[float]]) -> str:
    """The ways to train that corrected tests tell from none, and those better in every seed."""
    tests = {test.name: test for test in statistics.compare(errors, NONE)}
    words = told_from(NONE, tests, "lower error", "higher error")
    always = [
        label
        for label, values in errors.items()
        if label != NONE and (np.subtract(values, errors[NONE]) < 0).all()
    ]
    return capitalized(f"{words}; lower in every seed: {', '.join(always) or 'nothing'}")


def series(runs: Sequence[Run], field: str) -> np.ndarray:
    """A field of the rows of all runs: `[seeds, epochs]`."""
    return np.array([[row[field] for row in run["rows"]] for run in runs], float)


@drawing.house_style()
def losses(panels: Sequence[Panel], test_errors: Mapping[str, Sequence[float]]) -> Figure:
    """Training and test loss after each epoch, a panel each, and the test errors they end in.

    Args:
      panels: the first is drawn in grey behind all with the same unit.
      test_errors: by label, in percent, one a seed.
    """
    rows = -(-len(panels) // COLUMNS)
    heights = [2.3] * rows + [0.6 + 0.2 * len(test_errors)]
    figure = drawing.new_figure(2.6 * COLUMNS, sum(heights) + 1.1)
    grid = figure.add_gridspec(rows + 1, COLUMNS, height_ratios=heights)
    axes = [figure.add_subplot(grid[divmod(k, COLUMNS)]) for k in range(len(panels))]
    plain = panels[0]
    for panel, ax in zip(panels, axes, strict=True):
        epochs = np.arange(1, len(panel.runs[0]["rows"]) + 1)
        if panel is not plain and panel.unit == plain.unit:
            behind = np.median(series(plain.runs, "test_loss"), 0)
            ax.plot(epochs, behind, color=GREY, lw=1, label=f"test, {plain.title}")
        for split, color, dash in (("train", BLUE, (0, (4, 1.5))), ("test", VERMILLION, "solid")):
            values = series(panel.runs, f"{split}_loss")
            ax.plot(epochs, np.median(values, 0), color=color, linestyle=dash, label=split)
            ax.fill_between(epochs, values.min(0), values.max(0), color=color, alpha=0.15, lw=0)
        best = [run["best_epoch"] for run in panel.runs]
        at = [run["rows"][run["best_epoch"] - 1]["test_loss"] for run in panel.runs]
        ax.plot(
            best, at, "v", color="black", markersize=5, zorder=4, label="early stopping's epoch"
        )
        ax.set_title(panel.title)
        ax.set_ylabel(panel.unit)
        drawing.count_epochs(ax, len(epochs))
    share_heights(axes, panels)
    draw_errors(figure.add_subplot(grid[rows, :]), test_errors)
    labelled = axes[min(1, len(axes) - 1)].get_legend_handles_labels()
    drawing.add_legend(figure, *labelled)
    drawing.add_caption(
        figure,
        f"Lines: median over {numbers.count(len(plain.runs), 'seed')}; bands: all of them. Losses "
        "are without penalties and without dropout.",
    )
    return figure


def share_heights(axes: Sequence[Axes], panels: Sequence[Panel]) -> None:
    """One logarithmic scale for all panels of a unit."""
    for unit in {panel.unit for panel in panels}:
        of_unit = [ax for ax, panel in zip(axes, panels, strict=True) if panel.unit == unit]
        values = np.concatenate([np.ravel(line.get_ydata()) for ax in of_unit for line in ax.lines])
        positive = values[np.isfinite(values) & (values > 0)]
        # A hinge loss can be exactly 0, and a training loss without end: the floor shows the rest.
        low = max(float(positive.min()), 1e-3 * float(positive.max()))
        for ax in of_unit:
            ax.set_ylim(low / 1.2, float(positive.max()) * 1.2)
            drawing.log_axis(ax, "y")


def draw_errors(ax: Axes, errors: Mapping[str, Sequence[float]]) -> None:
    """A row of dots each: one a seed, and their median."""
    for position, values in enumerate(errors.values()):
        ax.plot(values, [position] * len(values), "o", color=ORANGE, markersize=4)
        ax.plot(np.median(values), position, "|", color="black", markersize=10, markeredgewidth=2)
    ax.axvline(float(np.median(errors[NONE])), color=GREY, linewidth=0.9, linestyle="dashed")
    ax.set_yticks(range(len(errors)), list(errors))
    ax.set_ylim(len(errors) - 0.5, -0.5)
    ax.set_title(f"test error at the end (|: median; dashed: that of {NONE})")
    ax.set_xlabel("test error (%)")


@drawing.house_style()
def uncertainty(unseen: Mapping[str, Mapping[str, Any]]) -> Figure:
    """The AUROC of the spread over masks and of one pass, for images of other kinds.

    Args:
      unseen: of `experiments.regularization.uncertainty.summarize`, by form of dropout.
    """
    cases = [(form, kind) for form, found in unseen.items() for kind in found[SPREAD]]
    figure = drawing.new_figure(6.2, 1.5 + 0.34 * len(cases))
    axes = figure.subplots()
    looks = {SPREAD: (BLUE, "o", "spread over masks"), ONE_PASS: (VERMILLION, "s", "one pass")}
    handles = {}
    for row, (form, kind) in enumerate(cases):
        ends = [unseen[form][field][kind] for field in looks]
        axes.plot(ends, [row, row], color="#bbbbbb", linewidth=1, zorder=1)
        for value, (color, marker, label) in zip(ends, looks.values(), strict=True):
            (handles[label],) = axes.plot(
                value, row, marker, color=color, markersize=6, linestyle="none"
            )
    handles["chance"] = axes.axvline(0.5, color=GREY, linewidth=0.9, linestyle="dashed")
    axes.set_yticks(range(len(cases)), [f"dropout of {form}: {kind}" for form, kind in cases])
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set_xlim(-0.03, 1.03)
    axes.set_xlabel("AUROC, against images of the seen kind (1: all told)")
    drawing.add_legend(figure, list(handles.values()), list(handles))
    drawing.add_caption(figure, "One pass, without dropout: by 1 less its greatest probability.")
    return figure
