"""The content of a comparison's page as plain data: charts, functions, records.

Every list that runs over activations is in the plan's order; None stands where there is nothing.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxact import activations
from jaxact.comparison.analysis import measures
from jaxact.comparison.output import health_figures, learning_figures, row_figures
from jaxact.comparison.output.parts import is_survey
from jaxact.comparison.output.titles import Findings
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING, Study, Workload
from jaxact.presentation import style
from jaxact.presentation.chart import Chart, HeatMaps, Line
from jaxact.specs import text_of_value

LIGHT, DARK = "#fcfcfa", "#15171a"  # the page's backgrounds; page.css has the same
DARK_CONTRAST = 3.0  # of lines: WCAG 2.2, 1.4.11; on light paper colours are the figures' own
EXPLORED = (-6.0, 6.0, 1201)  # first and last x, and how many
STATUS_WORDS = {DIVERGED: "diverged", FAILED: "failed", MISSING: "not made"}
_NULLS = {"train_examples": "all", "test_examples": "all"}  # what None says in these fields
# Fields of the configuration that the plan replaces, and one that says where files lie, no more.
_REPLACED = ("dataset", "learning_rate", "activation", "seed", "data_dir")


def luminance(color: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.2)."""
    channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def on_dark(color: str) -> str:
    """The colour itself, or the nearest mixture with white that stands out from dark paper."""
    channels = [int(color[k : k + 2], 16) for k in (1, 3, 5)]
    mixtures = (
        "#{:02x}{:02x}{:02x}".format(*(round(c + share * (255 - c)) for c in channels))
        for share in np.linspace(0, 1, 51)
    )
    return next(mixture for mixture in mixtures if contrast(mixture, DARK) >= DARK_CONTRAST)


def drawn(names: Sequence[str]) -> list[dict[str, Any]]:
    """Names and styles of the activations, on light and dark paper."""
    styles, labels = style.style_of(names), style.labels_of(names)
    return [
        {
            "spec": name,
            "label": labels[name],
            "light": styles[name].color,
            "dark": on_dark(styles[name].color),
            "dash": styles[name].svg_dash,
            "outline": styles[name].outline,
        }
        for name in names
    ]


def charts(study: Study, workload: Workload, found: Findings) -> dict[str, Chart]:
    """The charts of a workload that are as they are, by the names of their places on the page."""
    drawn = {
        "error": row_figures.error(study, workload, found),
        "times": row_figures.times(study, workload, found),
        # a line for each activation of a survey would show none
        "reached": None if is_survey(study) else learning_figures.shares(study, workload, found),
    }
    return {name: chart for name, chart in drawn.items() if chart is not None}


def curves(study: Study, workload: Workload, found: Findings) -> dict[str, dict[str, Chart]]:
    """The learning curves of a workload: accuracy and loss, on each images and along each axis.

    Returns:
      For each of `accuracy` and `loss`, where runs have it, charts by `eval-epoch` and the like.
    """
    along = [learning_figures.EPOCH]
    if measures.time_axis(study, workload) is measures.SECONDS:
        along.append(learning_figures.SECONDS)
    ways = [(i, a) for i in (learning_figures.EVAL, learning_figures.TRAIN) for a in along]
    accuracy, loss = learning_figures.accuracy, learning_figures.loss
    drawn = {
        "accuracy": {f"{i}-{a}": accuracy(study, workload, i, a, found) for i, a in ways},
        "loss": {f"{i}-{a}": loss(study, workload, i, a) for i, a in ways},
    }
    return {
        name: {way: chart for way, chart in by_way.items() if chart is not None}
        for name, by_way in drawn.items()
        if None not in by_way.values()
    }


def in_colour(curves: Mapping[str, Mapping[str, Chart]]) -> str:
    """The lines of a survey that are not grey, and what they are, a sentence for each measure."""
    sentences = []
    for name, (chart, *_) in ((name, [*by_way.values()]) for name, by_way in curves.items()):
        muted = {mark.name for mark in chart.marks if isinstance(mark, Line) and mark.is_muted}
        texts = [entry.text for entry in chart.legend if entry.name not in muted]
        sentences.append(f"{name.capitalize()} in colour: {', '.join(texts)}. ")
    return "".join(sentences)


def health(study: Study, workload: Workload) -> dict[str, HeatMaps]:
    """The heat maps of every measure that some run has; empty without health rows."""
    drawn = {
        field: health_figures.heat_maps(study, workload, field) for field in health_figures.SCALES
    }
    return {field: maps for field, maps in drawn.items() if maps is not None}


def explored(names: Sequence[str], are_specs: bool = True) -> dict[str, Any]:
    """Each function and its derivative, sampled over [-6, 6] at their initial parameters.

    Args:
      are_specs: whether other names than jaxact's own may be looked for, which imports modules.

    Returns:
      `x`, and `functions`: spec, values and slopes (see `packed`), kinks, `learnable` parameters in
      words; where a function cannot be shown so, a `reason` and no values.
    """
    x = np.round(np.linspace(*EXPLORED), 2)
    points = x.astype(np.float32)
    functions = []
    for name in names:
        try:
            if not are_specs and ":" in name:
                raise ValueError("jaxact has no function of this name")
            function = activations.get(name)
            if not function.elementwise:
                raise ValueError("its outputs depend on more than one input")
            values, slopes = (np.asarray(f(points)) for f in (function, function.derivative))
        except Exception as error:  # a user's own function may not be here, or raise anything
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            functions.append({"spec": name, "reason": reason, "learnable": []})
            continue
        functions.append(
            {
                "spec": name,
                "reason": "",
                "values": packed(values),
                "slopes": packed(slopes),
                "kinks": [kink.at for kink in function.kinks],
                "learnable": [f"{key} = {text_of_value(value)}" for key, value in function.initial],
            }
        )
    return {"x": x.tolist(), "functions": functions}


def packed(values: np.ndarray) -> str:
    """Numbers as the page's script reads them: float32, little-endian, in base64.

    >>> packed(np.array([0.0, 1.0]))
    'AAAAAAAAgD8='
    """
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii")


class Lost(NamedTuple):
    """A run that came to no good end."""

    activation: str
    seed: int
    status: str
    note: str


def lost(study: Study, workload: Workload) -> list[Lost]:
    """The runs without a result; of those made elsewhere none that are missing: notes name them."""
    ended_well = (DONE,) if study.plan.elsewhere is None else (DONE, MISSING)
    return [
        Lost(name, run.seed, STATUS_WORDS[run.status], run.note)
        for name in study.plan.activations
        for run in study.of(workload, name)
        if run.status not in ended_well
    ]


class Fact(NamedTuple):
    """A field of the environment: each value with the runs that have it, most frequent first."""

    field: str
    values: list[tuple[Any, list[str]]]


def environment(study: Study) -> list[Fact]:
    """Every field of the runs' environments; more than one value where runs differ."""
    recorded = [run for run in study.runs if run.environment]
    facts = []
    for field in dict.fromkeys(key for run in recorded for key in run.environment):
        values: dict[str, tuple[Any, list[str]]] = {}
        for run in recorded:
            value = run.environment.get(field)
            _, runs = values.setdefault(repr(value), (value, []))
            runs.append(study.plan.label(run))
        facts.append(Fact(field, sorted(values.values(), key=lambda entry: -len(entry[1]))))
    return facts


def configuration(study: Study) -> dict[str, Any]:
    """The subject of the comparison, then every field that all runs share."""
    plan = study.plan
    if plan.elsewhere is not None:
        datasets = {"datasets": ", ".join(plan.datasets)} if any(plan.datasets) else {}
        return {
            "activations": ", ".join(plan.activations),
            "baseline": plan.baseline,
            **datasets,
            "seeds": ", ".join(map(str, plan.elsewhere.seeds)),
        }
    seeds = {"seeds": _seeds(plan.shown_seeds)}
    if plan.rate_seeds:
        seeds["seeds that choose rates"] = _seeds(plan.choosing_seeds)
    shared = {
        field: _NULLS.get(field, "automatic") if value is None else value
        for field, value in plan.as_json()["config"].items()
        if field not in _REPLACED
    }
    return {
        "activations": ", ".join(plan.activations),
        "baseline": plan.baseline,
        "datasets": ", ".join(plan.datasets),
        "learning_rates": ", ".join(f"{rate:g}" for rate in plan.learning_rates),
        **seeds,
        **shared,
    }


def _seeds(seeds: Sequence[int]) -> str:
    first, last = seeds[0], seeds[-1]
    return f"{len(seeds)} ({first} to {last})" if last > first else f"1 (seed {first})"
