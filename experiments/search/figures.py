"""The figure of a search: validation accuracy of every candidate, epoch by epoch."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from experiments.search.halving import FAILED, PRUNED, Tried, ranking
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, labels_of, style_of

MOST_NAMED = 8  # lines with a colour of their own


@drawing.house_style()
def curves(candidates: Sequence[Tried], rungs: Sequence[int], finalists: Sequence[str]) -> Figure:
    """A line a candidate: finalists and others that were not pruned in colour, the rest grey."""
    kept = {candidate.activation for candidate in candidates if candidate.ended != PRUNED}
    others = [spec for spec in ranking(candidates) if spec in kept - set(finalists)]
    named = [*finalists, *others][: max(MOST_NAMED, len(finalists))]
    styles, labels = style_of(named), labels_of(named)
    figure, axes = drawing.new_axes("Successive halving")
    figure.set_size_inches(7.2, 4.6)
    handles = {}
    for candidate in candidates:
        if not candidate.accuracies or candidate.activation in named:
            continue
        epochs = range(1, len(candidate.accuracies) + 1)
        shown = [100 * value for value in candidate.accuracies]
        axes.plot(epochs, shown, color="#bbbbbb", lw=0.9, marker=".", ms=3, zorder=1)
        if candidate.ended == FAILED:
            axes.plot(epochs[-1], shown[-1], "x", color=GREY, ms=6, zorder=2)
    for candidate in sorted(candidates, key=lambda c: c.activation in finalists):
        spec = candidate.activation
        if spec not in named or not candidate.accuracies:
            continue
        style, is_final = styles[spec], spec in finalists
        (handles[spec],) = axes.plot(
            range(1, len(candidate.accuracies) + 1),
            [100 * value for value in candidate.accuracies],
            color=style.color,
            linestyle=style.line_style,
            marker=style.marker,
            lw=1.8 if is_final else 1.1,
            zorder=4 if is_final else 3,
        )
    for epochs in rungs:
        axes.axvline(epochs, color=GREY, lw=0.8, ls=":", zorder=0)
    axes.set_xlim(0.95, rungs[-1] * 1.06)
    if rungs[-1] > 1:
        drawing.log_axis(axes, "x")
    axes.set_xticks(list(rungs))
    axes.set_xlabel("epoch")
    axes.set_ylabel("validation accuracy (%)")
    order = [spec for spec in named if spec in handles]
    if order:
        texts = [f"{labels[s]} (finalist)" if s in finalists else labels[s] for s in order]
        drawing.add_legend(figure, [handles[s] for s in order], texts)
    drawing.add_caption(
        figure, "Dotted: the end of a rung. Grey: pruned there; a cross: failed after it."
    )
    return figure
