"""The figure of a search: the candidates from rung to rung, and the finals against the baseline."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.common.headlines import add_headline
from experiments.common.outcomes import Result
from experiments.common.records import numbers
from experiments.search import confirmation, findings
from experiments.search.confirmation import BASELINE, Final, Finals
from experiments.search.halving import FAILED, PRUNED, Tried
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.presentation import drawing
from jaxact.presentation.numbers import count, p_value
from jaxact.presentation.style import GREY, Style, labels_of, style_of

_PRUNED, _THROUGH = "#c8c8c8", "#777777"
LOWEST_ERROR = 0.1  # percent: what is below stands there, on a logarithmic axis


def draw(result: Result) -> dict[str, Figure]:
    """The figure of a result."""
    details, rungs = result["details"], result["settings"]["rungs"]
    candidates = [
        Tried(**{**one, "by_rung": {int(epochs): v for epochs, v in one["by_rung"].items()}})
        for one in details["candidates"]
    ]
    finals = {
        spec: {int(seed): Final(**run) for seed, run in runs.items()}
        for spec, runs in details["finals"].items()
    }
    figure = search(candidates, rungs, details["finalists"], finals)
    tried = f"{count(len(candidates), 'candidate')}, rungs at {', '.join(map(str, rungs))} epochs"
    add_headline(figure, findings.headline(candidates, finals), f"{result['title']}; {tried}.")
    return {"search": figure}


@drawing.house_style()
def search(
    candidates: Sequence[Tried], rungs: Sequence[int], finalists: Sequence[str], finals: Finals
) -> Figure:
    """Validation errors from rung to rung, finalists in colour; beside them the finals, if any."""
    styles = _styles(finalists)
    tests = confirmation.against_baseline(finals)
    figure = drawing.new_figure(10.2 if tests else 6.4, 4.6)
    left, *right = figure.subplots(1, 1 + bool(tests), squeeze=False)[0]
    handles = _climb(left, candidates, rungs, styles)
    if right:
        _finals(right[0], finals, styles)
    if handles:
        labels = labels_of(handles)
        drawing.add_legend(
            figure,
            list(handles.values()),
            [f"{labels[spec]}{' (baseline)' * (spec == BASELINE)}" for spec in handles],
        )
    drawing.add_caption(
        figure,
        "Left: a line a candidate, finalists in colour; light grey: pruned at the end of a rung; "
        "a cross: failed after it."
        + " Right: small: a seed; large: their mean, with its interval."
        * bool(right),
    )
    return figure


def _styles(finalists: Sequence[str]) -> dict[str, Style]:
    """The looks of the finalists: the paper's have their own, others those it leaves free first."""
    styles = style_of(finalists)
    paper = style_of(PAPER_ACTIVATIONS)
    others = [spec for spec in finalists if spec not in paper]
    free = [style for spec, style in paper.items() if spec not in finalists]
    return styles | dict(zip(others, free, strict=False))


def _climb(
    axes: Axes, candidates: Sequence[Tried], rungs: Sequence[int], styles: Mapping[str, Style]
) -> dict[str, object]:
    """A line a candidate over the rungs that it reached the end of; gives those of finalists."""
    handles: dict[str, object] = {}
    for candidate in candidates:
        reached = [rung for rung in rungs if rung in candidate.by_rung]
        if not reached:
            continue
        places = [rungs.index(rung) for rung in reached]
        accuracies = np.array([candidate.by_rung[rung] for rung in reached])
        errors = np.maximum(100 * (1 - accuracies), LOWEST_ERROR)
        style = styles.get(candidate.activation)
        is_pruned = candidate.ended == PRUNED
        (line,) = axes.plot(
            places,
            errors,
            color=style.color if style else _PRUNED if is_pruned else _THROUGH,
            linestyle=style.line_style if style else "solid",
            marker=style.marker if style else ".",
            linewidth=1.9 if style else 0.9,
            markersize=6 if style else 4,
            zorder=4 if style else 1 if is_pruned else 2,
        )
        if style:
            handles[candidate.activation] = line
        if candidate.ended == FAILED:
            axes.plot(places[-1], errors[-1], "x", color=GREY, markersize=7, zorder=3)
    axes.set_xticks(range(len(rungs)), [count(rung, "epoch") for rung in rungs])
    axes.set_xlim(-0.1, len(rungs) - 0.9)
    drawing.log_axis(axes, "y")
    axes.set_xlabel("end of the rung")
    axes.set_ylabel("validation error (%)")
    axes.set_title("search")
    return {spec: handles[spec] for spec in styles if spec in handles}


def _finals(axes: Axes, finals: Finals, styles: Mapping[str, Style]) -> None:
    """A row a finalist: its test accuracy above the baseline's, seed by seed, and the mean."""
    tests = confirmation.against_baseline(finals)
    base = finals[BASELINE]
    for row, (spec, test) in enumerate(tests.items()):
        style = styles[spec]
        differences = [
            float(100 * (numbers(run.test) - numbers(base[seed].test)))
            for seed, run in finals[spec].items()
            if seed in base
        ]
        axes.plot(
            differences,
            [row] * len(differences),
            style.marker,
            color=style.color,
            markersize=4,
            alpha=0.5,
            linestyle="none",
        )
        value, low, high = test.difference
        if math.isfinite(low):
            axes.plot([low, high], [row + 0.18] * 2, color=style.color, linewidth=2.5)
        axes.plot(value, row + 0.18, style.marker, color=style.color, markersize=8)
    axes.axvline(0, color=GREY, linewidth=0.9, linestyle="dashed")
    labels = labels_of(tests)
    sure = {spec: test.corrected_p_value for spec, test in tests.items()}
    names = [
        labels[spec] + ("" if math.isnan(p) else f"\n{p_value(p, 'p')}") for spec, p in sure.items()
    ]
    axes.set_yticks(range(len(tests)), names)
    axes.set_ylim(len(tests) - 0.5, -0.5)
    axes.set_xlabel(f"test accuracy above {BASELINE}'s (points)")
    axes.set_title("finals, on fresh seeds")
