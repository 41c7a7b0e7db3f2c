"""An experiment performed as its command does, without the files."""

import json
from types import ModuleType

from experiments.common.outcomes import Outcome
from jaxact.presentation import columns


def perform(experiment: ModuleType, *words: str) -> Outcome:
    """The outcome of a command's words, as JSON would hold it, its figures laid out once."""
    outcome = experiment.perform(experiment.COMMAND.parse(words))
    for figure in outcome.figures.values():
        figure.draw_without_rendering()
    told = {name: getattr(outcome, name) for name in ("settings", "rows", "details")}
    return outcome._replace(**json.loads(json.dumps(columns.finite(told), allow_nan=False)))
