"""Figures of how activations learn: accuracy and loss by epoch, and time to accuracy."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxact import statistics
from jaxact.comparison.analysis import learning_curves, measures
from jaxact.comparison.study import DIVERGED, FAILED, Run, Study, Workload
from jaxact.presentation import drawing
from jaxact.presentation.style import GREY, labels_of, style_of


@drawing.house_style()
def accuracy(study: Study, workload: Workload) -> Figure | None:
    """Accuracy after each epoch, in percent, of every activation, and the target."""
    split = study.plan.config.eval_split
    target = 100 * study.plan.target_accuracy(workload.dataset)
    drawn = _draw_curves(study, workload, f"{split}_accuracy", 100.0, -math.inf, target)
    if drawn is None:
        return None
    figure, axes, curves = drawn
    axes.set_ylabel(f"{split} accuracy (%)")
    # The first epochs are far below: they are cut off, so that the others can be told apart.
    shown = [100 * c.median[len(c.median) // 4 :] for c in curves]
    low, _ = _span([*shown, np.array([target])])
    _, high = _span([np.array([target]), *(100 * values for c in curves for values in c[1:])])
    margin = 0.06 * max(high - low, 0.5)
    axes.set_ylim(low - margin, high + margin)
    return figure


@drawing.house_style()
def loss(study: Study, workload: Workload) -> Figure | None:
    """Mean loss after each epoch of every activation; cross-entropy is in nats."""
    split, name = study.plan.config.eval_split, study.plan.config.loss
    drawn = _draw_curves(study, workload, f"{split}_loss", 1.0, math.inf, None)
    if drawn is None:
        return None
    figure, axes, curves = drawn
    kind = "cross-entropy, nats" if name == "cross_entropy" else name
    axes.set_ylabel(f"{split} loss ({kind})")
    low, high = _span([values for c in curves for values in (c.median, c.low, c.high)], above=0)
    axes.set_ylim(low / 1.1, high * 1.1)
    drawing.log_axis(axes, "y")
    return figure


@drawing.house_style()
def time_to_accuracy(study: Study, workload: Workload) -> Figure | None:
    """Share of the runs at the target over training seconds; misses stay below 100 %.

    The line of an activation with a miss goes on for as long as its runs trained. Over epochs,
    where no run shows its seconds.
    """
    axis = measures.time_axis(study, workload)
    made = {
        spec: measures.on_axis(axis, study.made(workload, spec)) for spec in study.plan.activations
    }
    made = {spec: runs for spec, runs in made.items() if runs}
    if not made or not study.plan.is_timed:
        return None
    figure, axes = drawing.new_axes(study.title(workload))
    labels, styles = labels_of(made), style_of(study.plan.activations)
    handles, texts = [], []
    for spec, runs in made.items():
        at, share = measures.reached_over_time(runs, axis)
        handles.append(drawing.rising_share(axes, at, share, styles[spec]))
        texts.append(f"{labels[spec]} ({measures.reached(runs)}/{len(runs)})")
    axes.set_xlim(left=0)
    axes.set_ylim(-4, 104)
    axes.set_xlabel(axis.title)
    goal = study.plan.goal(workload.dataset)
    if study.plan.elsewhere is None:
        goal += f" {study.plan.config.eval_split} accuracy"
    axes.set_ylabel(f"runs at {goal} (%)")
    drawing.add_legend(figure, handles, texts)
    drawing.add_caption(
        figure,
        "In brackets: runs at the target of all runs. With a miss, the line ends where training "
        "did.",
    )
    return figure


def _draw_curves(
    study: Study, workload: Workload, field: str, scale: float, lost: float, target: float | None
) -> tuple[Figure, Axes, list[learning_curves.Curve]] | None:
    """Median and interval of a field of `metrics.jsonl` by epoch; None where no run has it.

    Args:
      scale: what the field is multiplied with.
      lost: see `learning_curves.curve`.
      target: where the line of the target is, if it has one.
    """
    runs = {spec: study.made(workload, spec) for spec in study.plan.activations}
    runs = {spec: of_spec for spec, of_spec in runs.items() if of_spec}
    curves = {spec: learning_curves.curve(of_spec, field, lost) for spec, of_spec in runs.items()}
    if all(np.isnan(c.median).all() for c in curves.values()):
        return None
    figure, axes = drawing.new_axes(study.title(workload))
    labels, styles = labels_of(curves), style_of(study.plan.activations)
    handles = []
    for position, (spec, c) in enumerate(curves.items()):
        style = styles[spec]
        every = max(1, len(c.epochs) // 8)
        (line,) = axes.plot(
            c.epochs,
            scale * c.median,
            color=style.color,
            linestyle=style.line_style,
            marker=style.marker,
            markevery=(position % every, every),  # those of different activations stand apart
            zorder=3,
        )
        axes.fill_between(
            c.epochs,
            scale * c.low,
            scale * c.high,
            where=np.isfinite(c.low) & np.isfinite(c.high),
            color=style.color,
            alpha=0.15,
            linewidth=0,
        )
        handles.append(line)
    texts = [labels[spec] + lost_note(runs[spec]) for spec in curves]
    if target is not None:
        handles.append(axes.axhline(target, color=GREY, linestyle=(0, (5, 3)), linewidth=1))
        texts.append(f"target, {target:g} %")
    drawing.count_epochs(axes, max(len(c.epochs) for c in curves.values()))
    drawing.add_legend(figure, handles, texts)
    seeds = max(len(of_spec) for of_spec in runs.values())
    caption = "One seed."
    if seeds > 1:
        band = statistics.interval_words(seeds, "median")
        caption = f"Lines: median over {seeds} seeds; bands: its {band}."
    if any(lost_note(of_spec) for of_spec in runs.values()):
        caption += " Runs that diverged or failed count as infinitely bad."
    drawing.add_caption(figure, caption)
    return figure, axes, list(curves.values())


def lost_note(runs: Sequence[Run]) -> str:
    """` (1 of 3 diverged)` for a legend, or "" where every run was trained to its end."""
    words = {status: f"of {len(runs)} {status}" for status in (DIVERGED, FAILED)}
    counts = measures.count_statuses(runs, words)
    return f" ({counts})" if counts else ""


def _span(arrays: Sequence[np.ndarray], above: float = -math.inf) -> tuple[float, float]:
    """The least and the greatest of the finite values that are greater than `above`."""
    values = np.concatenate(arrays)
    values = values[np.isfinite(values) & (values > above)]
    return (float(values.min()), float(values.max())) if values.size else (0.1, 1.0)
