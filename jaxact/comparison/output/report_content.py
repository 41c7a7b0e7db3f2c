"""The content of a comparison's page as plain data: curves, times, functions, health, records.

Every list that runs over activations is in the plan's order; None stands where there is nothing.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxact import activations, statistics
from jaxact.comparison.analysis import learning_curves, measures
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING, Study, Workload
from jaxact.presentation import style
from jaxact.specs import text_of_value

LIGHT, DARK = "#fcfcfa", "#15171a"  # the page's backgrounds; page.css has the same
DARK_CONTRAST = 3.0  # of lines: WCAG 2.2, 1.4.11; on light paper colours are the figures' own
EXPLORED = (-6.0, 6.0, 1201)  # first and last x, and how many
HEALTH_MEASURES = ("dead", "saturated", "gradient_norm", "mean", "deviation")
SHARES = ("dead", "saturated")
STATUS_WORDS = {DIVERGED: "diverged", FAILED: "failed", MISSING: "not made"}
# Markers as SVG paths about (0, 0), 10 wide, for the keys of the charts.
_OUTLINES = {
    "circle": "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
    "square": "M-4-4h8v8h-8z",
    "triangle-up": "M0-5L5 4H-5z",
    "diamond": "M0-5.5L5.5 0L0 5.5L-5.5 0z",
    "triangle-down": "M0 5L5-4H-5z",
    "cross": "M-1.7-5h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3v-3.4h3.3z",
    "x": "M-5-2.6L-2.6-5L0-2.4L2.6-5L5-2.6L2.4 0L5 2.6L2.6 5L0 2.4L-2.6 5L-5 2.6L-2.4 0z",
    "star": "M0-5.5L1.4-1.8L5.2-1.7L2.2 .7L3.2 4.5L0 2.3L-3.2 4.5L-2.2 .7L-5.2-1.7L-1.4-1.8z",
    "pentagon": "M0-5L4.8-1.5L2.9 4H-2.9L-4.8-1.5z",
    "triangle-left": "M-5 0L4-5V5z",
    "hexagon": "M0-5L4.3-2.5V2.5L0 5L-4.3 2.5V-2.5z",
}
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
            "dash": styles[name].plotly_dash,
            "stroke": " ".join(f"{2 * length:g}" for length in styles[name].dash),
            "symbol": styles[name].plotly_symbol,
            "outline": _OUTLINES[styles[name].plotly_symbol],
        }
        for name in names
    ]


def _rounded(value: float | None, digits: int = 6) -> float | None:
    """Shorter in JSON; None for what JSON has no number for."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")


def _list(values: np.ndarray | Sequence[float]) -> list[float | None]:
    return [_rounded(float(value)) for value in values]


def curves(study: Study, workload: Workload) -> list[dict[str, Any] | None]:
    """Medians over the seeds and their intervals at each epoch, and where runs diverged.

    Returns:
      For each activation None, or `epoch`, `seconds`, `diverged`, and for each of eval and train
      and accuracy and loss the `median`, `low` and `high`; the end of an interval that lost runs
      make infinite is None while the other is not.
    """
    fields = {
        f"{key}_{measure}": (f"{split}_{measure}", lost)
        for key, split in (("eval", study.plan.config.eval_split), ("train", "train"))
        for measure, lost in (("accuracy", -math.inf), ("loss", math.inf))
    }
    found = []
    for name in study.plan.activations:
        runs = study.made(workload, name)
        seconds = learning_curves.curve(runs, "train_seconds", math.nan)
        if not len(seconds.epochs):
            found.append(None)
            continue
        curve: dict[str, Any] = {
            "epoch": seconds.epochs.tolist(),
            "seconds": _list(seconds.median),
            "diverged": [
                {
                    "seed": run.seed,
                    "note": run.note,
                    "epoch": run.metrics[-1]["epoch"],
                    "seconds": run.metrics[-1].get("train_seconds"),
                    **{key: run.metrics[-1].get(field) for key, (field, _) in fields.items()},
                }
                for run in runs
                if run.status == DIVERGED and run.metrics
            ],
        }
        for key, (field, lost) in fields.items():
            estimate = learning_curves.curve(runs, field, lost)
            curve[key] = {
                "median": _list(estimate.median),
                "low": _list(estimate.low),
                "high": _list(estimate.high),
            }
        found.append(curve)
    return found


def times(study: Study, workload: Workload) -> list[dict[str, Any]]:
    """Where on the time axis runs reached the target, None for a miss, and what that comes to."""
    axis = measures.time_axis(study, workload)
    found = []
    for name in study.plan.activations:
        runs = measures.on_axis(axis, study.made(workload, name))
        reached = [axis.measure(run) for run in runs]
        at, shares = measures.reached_over_time(runs, axis)
        found.append(
            {
                "runs": [
                    {"seed": run.seed, "at": _rounded(value)}
                    for run, value in zip(runs, reached, strict=True)
                ],
                "median": {k: _rounded(v) for k, v in statistics.median(reached)._asdict().items()},
                "steps": {"x": _list(at), "y": _list(shares)} if runs else {"x": [], "y": []},
            }
        )
    return found


def errors(study: Study, workload: Workload) -> list[dict[str, Any]]:
    """The error in percent of every run that has one, and the mean and interval of these."""
    found = []
    for name in study.plan.activations:
        runs = study.of(workload, name)
        values = [measures.error_percent(run) for run in runs]
        found.append(
            {
                "runs": [
                    {"seed": run.seed, "error": _rounded(value)}
                    for run, value in zip(runs, values, strict=True)
                    if not math.isnan(value)
                ],
                "mean": {k: _rounded(v) for k, v in statistics.mean(values)._asdict().items()},
            }
        )
    return found


def profile(study: Study) -> dict[str, Any] | None:
    """Performance profile of median times over the workloads; None of fewer than two.

    Returns:
      `ratios`, from 1 to where the last one ends, and `shares`, a list for each activation.
    """
    drawn = measures.performance_profile(study)
    if drawn is None:
        return None
    return {
        "ratios": _list(drawn.ratios),
        "shares": [_list(share) for share in drawn.shares.values()],
    }


def explored(names: Sequence[str], are_specs: bool = True) -> dict[str, Any]:
    """Each function and its derivative, sampled over [-6, 6] at their initial parameters.

    Args:
      are_specs: whether other names than jaxact's own may be looked for, which imports modules.

    Returns:
      `x`, and `functions`: spec, values and slopes (None where not finite), kinks, `learnable`
      parameters in words; where a function cannot be shown so, a `reason` and no values.
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
                "values": [_rounded(float(v), 7) for v in values],
                "slopes": [_rounded(float(v), 7) for v in slopes],
                "kinks": [kink.at for kink in function.kinks],
                "learnable": [f"{key} = {text_of_value(value)}" for key, value in function.initial],
            }
        )
    return {"x": x.tolist(), "functions": functions}


def health(study: Study, workload: Workload) -> dict[str, Any] | None:
    """Medians over seeds of every measure, layer by layer and epoch by epoch; None without rows.

    Returns:
      `layers`, and `activations`: None, or `epoch` and `[layer][epoch]` for each measure.
    """
    layers, _ = learning_curves.heat_maps(study, workload, HEALTH_MEASURES[0])
    if not layers:
        return None
    maps = {m: learning_curves.heat_maps(study, workload, m)[1] for m in HEALTH_MEASURES}

    def of(name: str) -> dict[str, Any] | None:
        if name not in maps[HEALTH_MEASURES[0]]:
            return None
        grids = {m: [[_rounded(v, 4) for v in row] for row in maps[m][name]] for m in maps}
        epochs = len(grids[HEALTH_MEASURES[0]][0])
        return {"epoch": list(range(1, epochs + 1)), **grids}

    return {"layers": layers, "activations": [of(name) for name in study.plan.activations]}


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
