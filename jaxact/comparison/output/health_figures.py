"""Charts of how healthy activations are in training: heat maps of layer by epoch."""

import functools

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


def heat_maps(study: Study, workload: Workload, field: str) -> HeatMaps | None:
    """A panel an activation, all with one colour scale; None where no run has the field.

    Shares are in percent. Zeros have no place on the logarithmic scale of gradient norms.

    Args:
      field: of SCALES.
    """
    layers, maps = learning_curves.heat_maps(study, workload, field)
    scale = SCALES[field]
    maps = {spec: values * (100 if field in SHARES else 1) for spec, values in maps.items()}
    values = np.concatenate([values.ravel() for values in maps.values()] or [np.array([])])
    values = values[np.isfinite(values) & (values > 0 if scale.scale == LOG else True)]
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    if scale.scale == LOG:
        high = max(high, 1.01 * low)
    elif field in SHARES:
        low, high = 0.0, max(high, 1.0)  # less than 1 % is not blown up
    elif low == high:
        low, high = low - 0.5, high + 0.5
    labels = labels_of(maps)
    return HeatMaps(
        title=study.title(workload),
        x="epoch",
        y="layer",
        rows=tuple(layers),
        scale=Axis(scale.title, scale.reading, scale.scale, (low, high)),
        panels=tuple(
            Panel(spec, labels[spec] + lost_note(study.made(workload, spec)), values)
            for spec, values in maps.items()
        ),
        caption="Median over the seeds; grey: no data.",
    )


dead = functools.partial(heat_maps, field="dead")
saturated = functools.partial(heat_maps, field="saturated")
gradient_norm = functools.partial(heat_maps, field="gradient_norm")
