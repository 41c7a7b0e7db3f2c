"""Charts of how activations learn: accuracy and loss by epoch or second, and time to accuracy."""

import math
from collections.abc import Collection, Sequence
from typing import TypeAlias

import numpy as np

from jaxact import statistics
from jaxact.comparison.analysis import learning_curves, measures
from jaxact.comparison.output.parts import entries, far, is_survey, limits_about, lost_note
from jaxact.comparison.output.row_figures import times
from jaxact.comparison.output.titles import Findings, findings, titled
from jaxact.comparison.study import DIVERGED, Study, Workload
from jaxact.presentation import numbers as words
from jaxact.presentation.chart import LOG, Axis, Chart, Entry, Line, Mark, Points, Rule, numbers

EVAL, TRAIN = "eval", "train"  # which images
EPOCH, SECONDS = "epoch", "seconds"  # along which axis
MARKERS = 8  # of a line, about

Curves: TypeAlias = dict[str, learning_curves.Curve]


def accuracy(
    study: Study,
    workload: Workload,
    images: str = EVAL,
    along: str = EPOCH,
    found: Findings | None = None,
) -> Chart | None:
    """Accuracy in percent of every activation after each epoch, and the target.

    Args:
      images: EVAL, those of the plan's split, or TRAIN.
      along: EPOCH, or SECONDS of training.
      found: the findings of the workload, where they are known already.
    """
    split = study.plan.config.eval_split if images == EVAL else TRAIN
    curves = _curves(study, workload, f"{split}_accuracy", 100.0, -math.inf)
    if not curves:
        return None
    target = 100 * study.plan.target_accuracy(workload.dataset)
    few = _few(study, curves, -1)
    marks = _marks(study, workload, curves, few, along, f"{split}_accuracy", 100.0)
    # The first epochs are far below: they are cut off, so that the others can be told apart.
    late = [c.median[len(c.median) // 4 :] for c in curves.values()]
    if is_survey(study):  # as are those of activations that hardly learn
        worst = [float(np.nanmin(values)) for values in late if np.isfinite(values).any()]
        least = -far(-value for value in worst)
        late = [values[values >= least] for values in late]
    low, _ = _span([*late, np.array([target])])
    _, high = _span([np.array([target]), *(values for c in curves.values() for values in c[1:])])
    margin = 0.06 * max(high - low, 0.5)
    whole = limits_about([target, *(v for mark in marks for v in mark.y)], 0.06)
    chart = Chart(
        title="",
        x=_x_axis(curves, along),
        y=Axis(f"{split} accuracy (%)", "{} %", limits=(low - margin, high + margin), whole=whole),
        marks=(*marks, Rule("y", target, f"target, {target:g} %")),
        legend=_legend(study, workload, curves, few, "{:.4g} %"),
        caption=_caption(study, workload, curves, marks),
    )
    return titled(chart, study, workload, (found or findings(study, workload)).errors)


def loss(study: Study, workload: Workload, images: str = EVAL, along: str = EPOCH) -> Chart | None:
    """Mean loss of every activation after each epoch; cross-entropy is in nats.

    Args:
      images, along: as of `accuracy`.
    """
    split = study.plan.config.eval_split if images == EVAL else TRAIN
    curves = _curves(study, workload, f"{split}_loss", 1.0, math.inf)
    if not curves:
        return None
    is_entropy = study.plan.config.loss == "cross_entropy"
    kind = "cross-entropy, nats" if is_entropy else study.plan.config.loss
    low, high = _span([values for c in curves.values() for values in c[1:]], above=0)
    few = _few(study, curves, 1)
    marks = _marks(study, workload, curves, few, along, f"{split}_loss", 1.0)
    return Chart(
        title=study.title(workload),
        x=_x_axis(curves, along),
        y=Axis(
            f"{split} loss ({kind})",
            "{} nats" if is_entropy else "{}",
            scale=LOG,
            limits=(low / 1.1, high * 1.1),
        ),
        marks=tuple(marks),
        legend=_legend(study, workload, curves, few, "{:.3g}"),
        caption=_caption(study, workload, curves, marks),
    )


def time_to_accuracy(study: Study, workload: Workload) -> Chart | None:
    """The share of runs at the target over time; of a survey a row an activation."""
    return times(study, workload) if is_survey(study) else shares(study, workload)


def shares(study: Study, workload: Workload, found: Findings | None = None) -> Chart | None:
    """Share of the runs at the target over training seconds; misses stay below 100 %.

    The line of an activation with a miss goes on for as long as its runs trained. Over epochs,
    where no run shows its seconds.

    Args:
      found: the findings of the workload, where they are known already.
    """
    axis = measures.time_axis(study, workload)
    made = {
        spec: measures.on_axis(axis, study.made(workload, spec)) for spec in study.plan.activations
    }
    made = {spec: runs for spec, runs in made.items() if runs}
    if not made or not study.plan.is_timed:
        return None
    lines = []
    for spec, runs in made.items():
        at, share = measures.reached_over_time(runs, axis)
        lines.append(rising(spec, at, share))
    goal = study.plan.goal(workload.dataset)
    if study.plan.elsewhere is None:
        goal += f" {study.plan.config.eval_split} accuracy"
    counts = {spec: f" ({measures.reached(runs)}/{len(runs)})" for spec, runs in made.items()}
    chart = Chart(
        title="",
        x=Axis(axis.title, axis.reading, limits=(0, None)),
        y=Axis(f"runs at {goal} (%)", "{} %", limits=(-4, 104)),
        marks=tuple(lines),
        legend=entries(study.plan.activations, made, counts),
        caption="In brackets: runs at the target of all runs. With a miss, the line ends where "
        "training did.",
    )
    return titled(chart, study, workload, (found or findings(study, workload)).times)


def rising(name: str, x: np.ndarray, share: np.ndarray) -> Line:
    """A share in percent that rises in steps, marked where it does."""
    marked = np.flatnonzero(np.diff(share, prepend=0))
    return Line(name, numbers(x), numbers(100 * share), marked=tuple(marked.tolist()), is_step=True)


def _curves(study: Study, workload: Workload, field: str, scale: float, lost: float) -> Curves:
    """Median and interval of a field of `metrics.jsonl`; empty where no run has it.

    Args:
      scale: what the field is multiplied with.
      lost: see `learning_curves.curve`.
    """
    runs = {spec: study.made(workload, spec) for spec in study.plan.activations}
    curves = {
        spec: learning_curves.curve(of_spec, field, lost)
        for spec, of_spec in runs.items()
        if of_spec
    }
    if all(np.isnan(c.median).all() for c in curves.values()):
        return {}
    return {
        spec: c._replace(median=scale * c.median, low=scale * c.low, high=scale * c.high)
        for spec, c in curves.items()
    }


def _few(study: Study, curves: Curves, sign: int) -> dict[str, list[str]]:
    """The activations that a survey shows, with what they are: the best, the worst, the baseline.

    All, where it is no survey.

    Args:
      sign: -1 where high is good, 1 where low is.
    """
    if not is_survey(study):
        return {spec: [] for spec in curves}
    epochs = max(len(c.epochs) for c in curves.values())
    ends = {
        spec: sign * float(c.median[-1])
        for spec, c in curves.items()
        if len(c.epochs) == epochs and math.isfinite(c.median[-1])
    }
    few: dict[str, list[str]] = {}
    if ends:
        few.setdefault(min(ends, key=ends.__getitem__), []).append("best")
        few.setdefault(max(ends, key=ends.__getitem__), []).append("worst")
    few.setdefault(study.plan.baseline, []).append("baseline")
    return {spec: what for spec, what in few.items() if spec in curves}


def _marks(
    study: Study,
    workload: Workload,
    curves: Curves,
    few: Collection[str],
    along: str,
    field: str,
    scale: float,
) -> list[Line | Points]:
    """A line with its band for each of a few, and a cross where one of its runs diverged.

    The lines of others are background.
    """
    lines: list[Line] = []
    ends: list[Points] = []
    is_timed = measures.time_axis(study, workload) is measures.SECONDS
    for position, (spec, c) in enumerate(curves.items()):
        runs = study.made(workload, spec)
        seconds = learning_curves.curve(runs, "train_seconds", math.nan).median
        every = max(1, len(c.epochs) // MARKERS)
        is_muted = spec not in few
        has_band = not is_muted and bool(np.isfinite([c.low, c.high]).any())
        if along == SECONDS:
            notes = [f"epoch {epoch}" for epoch in c.epochs]
        else:
            is_said = np.isfinite(seconds) & is_timed
            notes = [
                words.duration(s) if said else "" for s, said in zip(seconds, is_said, strict=True)
            ]
        line = Line(
            name=spec,
            x=numbers(seconds if along == SECONDS else c.epochs),
            y=numbers(c.median),
            low=numbers(c.low) if has_band else (),
            high=numbers(c.high) if has_band else (),
            # those of different activations stand apart
            marked=() if is_muted else tuple(range(position % every, len(c.epochs), every)),
            is_muted=is_muted,
            notes=tuple(notes) if any(notes) else (),
        )
        lines.append(line)
        last = [(run, run.metrics[-1]) for run in runs if run.status == DIVERGED and run.metrics]
        last = [(run, row) for run, row in last if math.isfinite(_known(row.get(field)))]
        if last and not is_muted:
            key = "train_seconds" if along == SECONDS else "epoch"
            ends.append(
                Points(
                    spec,
                    numbers([_known(row.get(key)) for _, row in last]),
                    numbers([scale * row[field] for _, row in last]),
                    is_end=True,
                    notes=tuple(f"seed {run.seed}: {run.note}" for run, _ in last),
                )
            )
    lines.sort(key=lambda line: not line.is_muted)  # the background first
    return [*lines, *ends]


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _x_axis(curves: Curves, along: str) -> Axis:
    if along == SECONDS:
        return Axis("training time (s)", "{} s", limits=(0, None))
    epochs = max(len(c.epochs) for c in curves.values())
    margin = min(0.03 * epochs, 0.5)
    return Axis("epoch", "epoch {}", limits=(1 - margin, epochs + margin), is_counted=True)


def _legend(
    study: Study, workload: Workload, curves: Curves, few: dict[str, list[str]], form: str
) -> tuple[Entry, ...]:
    """The legend: of a survey's few also what they are, and the figure that they end with."""
    notes = {spec: lost_note(study.made(workload, spec)) for spec in curves}
    for spec, what in few.items():
        ends = [form.format(end) for end in curves[spec].median[-1:] if math.isfinite(end)]
        if what:
            notes[spec] += f" ({', '.join([' and '.join(what), *ends])})"
    return entries(study.plan.activations, curves, notes)


def _caption(
    study: Study,
    workload: Workload,
    curves: Curves,
    marks: Sequence[Mark],
) -> str:
    seeds = max(len(study.made(workload, spec)) for spec in curves)
    caption = "One seed."
    if seeds > 1:
        band = statistics.interval_words(seeds, "median")
        caption = f"Lines: median over {seeds} seeds; bands: its {band}."
    if any(lost_note(study.made(workload, spec)) for spec in curves):
        caption += " Runs that diverged or failed count as infinitely bad."
    if is_survey(study):
        caption += " Grey: the others."
    if any(isinstance(mark, Points) for mark in marks):
        caption += " A cross: a run diverged."
    return caption


def _span(arrays: Sequence[np.ndarray], above: float = -math.inf) -> tuple[float, float]:
    """The least and the greatest of the finite values that are greater than `above`."""
    values = np.concatenate(arrays)
    values = values[np.isfinite(values) & (values > above)]
    return (float(values.min()), float(values.max())) if values.size else (0.1, 1.0)
