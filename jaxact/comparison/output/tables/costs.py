"""DAWNBench's costs, at the price of an hour: to reach the target, and to classify.

Neither is marked or tested: at one price a cost is the seconds that it is of, in another unit.
"""

import math

from jaxact import statistics
from jaxact.comparison.analysis import measures
from jaxact.comparison.output.tables.columns import Figure
from jaxact.comparison.price import Price
from jaxact.comparison.study import Study, Workload

_FORMAT = "{:.3g}"


def columns(price: Price | None) -> tuple[Figure, ...]:
    """The columns of both costs; none where the price is not known."""
    if price is None:
        return ()
    return (
        Figure(
            *("cost_to_target", f"{price.currency} to target", _FORMAT),
            has_interval=True,
            measure=measures.cost_to_target(price),
        ),
        Figure(
            *("cost_of_classifications", f"{price.currency}/{measures.CLASSIFICATIONS:,}", _FORMAT),
            has_interval=True,
            measure=measures.cost_of_classifications(price),
            legend=f"{price.currency}: at {price}, of the training seconds to the target alone, "
            f"and of {measures.CLASSIFICATIONS:,} classifications, one after the other.",
        ),
    )


def line(study: Study, workload: Workload) -> str:
    """The costs for the terminal, whose tables are full; "" where no cost is known."""
    if study.price is None:
        return ""

    texts, known = [], False
    for name in study.plan.activations:
        runs = study.of(workload, name)
        costs = [
            statistics.median([measure(run) for run in runs]).value
            for measure in (
                measures.cost_to_target(study.price),
                measures.cost_of_classifications(study.price),
            )
        ]
        known |= any(map(math.isfinite, costs))
        shown = (_FORMAT.format(cost) if math.isfinite(cost) else "N/A" for cost in costs)
        texts.append(f"{name} {' and '.join(shown)}")
    target = study.plan.goal(workload.dataset)
    text = (
        f"{study.price.currency} to {target} and for {measures.CLASSIFICATIONS:,} classifications, "
        f"at {study.price}: {', '.join(texts)}."
    )
    return text if known else ""
