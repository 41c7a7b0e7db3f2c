"""PYTHONPATH=. python docs/headline_picture.py: draws docs/compare.svg, the picture of the README.

From the committed study of the digits: the epoch in which each seed reached the target, sorted by
activation, under a title that says what the tests have decided.
"""

import math
from pathlib import Path

from matplotlib.figure import Figure

from jaxact import statistics
from jaxact.comparison import study as studies
from jaxact.comparison.analysis import hidden_seconds, measures, verdicts
from jaxact.comparison.study import Study
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, labels_of, style_of
from jaxact.statistics import BETTER

STUDY = Path(__file__).parents[1] / "results" / "digits"
PICTURE = Path(__file__).with_name("compare.svg")


def epochs_to_target(study: Study) -> dict[str, list[float]]:
    """Epochs by activation and seed, infinite where the target was missed; soonest median first."""
    [workload] = study.workloads()
    epochs = measures.by_seed(study, workload, measures.epoch_to_target)
    return dict(sorted(epochs.items(), key=lambda row: statistics.median(row[1]).value))


def finding(study: Study) -> str:
    """The pairs that the tests tell apart, in words; corrected for all pairs, as in the answer."""
    [workload] = study.workloads()
    kinds = verdicts.spoken_of(study, workload)
    pairs = verdicts.between(study, workload, *kinds)[measures.epoch_to_target].pairs
    decided = [pair for pair, comparison in pairs.items() if comparison.verdict == BETTER]
    slower = sorted({slow for _, slow in decided})
    parts = [
        f"{' and '.join(quick for quick, other in decided if other == slow)} sooner than {slow}"
        for slow in slower
    ]
    target = f"{100 * study.plan.config.target_accuracy:g} % test accuracy"
    if not parts:
        return f"To {target}: nothing is decided"
    undecided = len(pairs) // 2 - len(decided)
    return f"To {target}: {', '.join(parts)}; {undecided} other pairs undecided"


@drawing.house_style()
def picture(study: Study) -> Figure:
    """A row an activation, a mark a seed, a bar at the median."""
    epochs = epochs_to_target(study)
    never = study.plan.config.epochs + 2
    figure, axes = drawing.new_axes(finding(study))
    figure.set_size_inches(6.8, 1.2 + 0.38 * len(epochs))
    styles, labels = style_of(study.plan.activations), labels_of(epochs)
    for row, (spec, values) in enumerate(epochs.items()):
        places = [min(value, never) for value in values]
        heights = [row + 0.5 * (k / (len(values) - 1) - 0.5) for k in range(len(values))]
        axes.plot(
            places,
            heights,
            color=styles[spec].color,
            marker=styles[spec].marker,
            markersize=6,
            markeredgecolor="white",
            markeredgewidth=0.4,
            linestyle="none",
        )
        median = statistics.median(values).value
        if math.isfinite(median):
            axes.plot([median], [row], "|", color="black", markersize=15, markeredgewidth=2)
    axes.axvspan(never - 1, never + 1, color=GREY, alpha=0.12, linewidth=0)
    ticks = range(10, never - 1, 5)
    axes.set_xticks([*ticks, never], [*map(str, ticks), "never"])
    axes.set_xlim(min(map(min, epochs.values())) - 1, never + 1)
    axes.set_yticks(range(len(epochs)), [labels[spec] for spec in epochs])
    axes.set_ylim(len(epochs) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"epochs to {100 * study.plan.config.target_accuracy:g} % test accuracy")
    drawing.add_caption(
        figure, f"A mark for each of {len(study.plan.shown_seeds)} seeds; bar: median."
    )
    return figure


def load() -> Study:
    """The committed study, without the seconds of a machine that had other work."""
    return hidden_seconds.without_seconds(studies.load(STUDY))


if __name__ == "__main__":
    drawing.save(picture(load()), PICTURE.parent, PICTURE.stem, ["svg"])
