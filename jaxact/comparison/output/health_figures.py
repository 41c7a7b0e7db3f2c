"""Charts of how healthy activations are in training: heat maps of layer by epoch."""

import functools
from collections.abc import Iterable

import numpy as np

from jaxact.comparison.analysis import learning_curves
from jaxact.comparison.output.parts import lost_note
from jaxact.comparison.study import Study, Workload
from jaxact.presentation.chart import LOG, Axis, HeatMaps, Panel
from jaxact.presentation.style import labels_of

# The scale of each field of `health.jsonl`, without its ends.
SCALES = {
    "dead": Axis("dead units (%)", "{} %"),
    "saturated": Axis("saturated outputs (%)", "{} %"),
    "gradient_norm": Axis("gradient norm", scale=LOG),
    "mean": Axis("mean output"),
    "deviation": Axis("standard deviation of outputs"),
}
SHARES = ("dead", "saturated")
ENDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)  # percent with which a scale of shares may end
# What is said of activations of which a figure is 0 in every layer after every epoch.
NONE = {
    "dead": "No dead units",
    "saturated": "No saturated outputs",
    "gradient_norm": "No gradient",
}


def heat_maps(study: Study, workload: Workload, field: str) -> HeatMaps | None:
    """A panel an activation, all with one colour scale; None where no run has the field.

    Shares are in percent. Zeros have no place on the logarithmic scale of gradient norms. An
    activation of which all figures are 0, or missing, has no panel: a line of text names it.

    Args:
      field: of SCALES.
    """
    layers, maps = learning_curves.heat_maps(study, workload, field)
    maps = {spec: values * (100 if field in SHARES else 1) for spec, values in maps.items()}
    known = {spec: values[np.isfinite(values)] for spec, values in maps.items()}
    if not any(values.size for values in known.values()):
        return None
    labels = labels_of(maps)
    missing = [labels[spec] for spec, values in known.items() if not values.size]
    zero = [spec for spec, values in known.items() if values.size and not values.any()]
    zero = zero if field in NONE else []
    lines = ((NONE.get(field, ""), [labels[spec] for spec in zero]), ("No value", missing))
    drawn = {spec: values for spec, values in known.items() if values.size and spec not in zero}
    scale = _scaled(field, [*drawn.values()])
    is_share = field in SHARES
    ends = [scale.reading.format(f"{end:.3g}") for end in scale.limits if end is not None]
    stated = f" One scale for all panels, {' to '.join(ends)}; grey: no data." if drawn else ""
    return HeatMaps(
        title=study.title(workload),
        x="epoch",
        y="layer",
        rows=tuple(layers),
        scale=scale,
        panels=tuple(
            Panel(
                spec,
                labels[spec]
                + lost_note(study.made(workload, spec))
                + (f", up to {values.max():.3g} %" if is_share else ""),
                maps[spec],
            )
            for spec, values in drawn.items()
        ),
        caption=f"Median over the seeds.{stated}",
        folded=" ".join(f"{words}: {', '.join(names)}." for words, names in lines if names),
    )


def _scaled(field: str, drawn: Iterable[np.ndarray]) -> Axis:
    """The scale of a field with ends that hold all figures, round ones of shares."""
    scale = SCALES[field]
    values = np.concatenate([*drawn, np.array([])])
    values = values[values > 0] if scale.scale == LOG else values
    if field in SHARES:
        greatest = float(values.max(initial=0.0))
        return scale.between(0.0, next(end for end in ENDS if greatest <= end * (1 + 1e-9)))
    if not values.size:
        return scale.between(1.0, 10.0)
    low, high = float(values.min()), float(values.max())
    if scale.scale == LOG:
        return scale.between(low, max(high, 1.01 * low))
    return scale.between(low, high) if low < high else scale.between(low - 0.5, high + 0.5)


dead = functools.partial(heat_maps, field="dead")
saturated = functools.partial(heat_maps, field="saturated")
gradient_norm = functools.partial(heat_maps, field="gradient_norm")
