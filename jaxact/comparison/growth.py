"""The growth of a comparison by what its runs showed: the rates to go on with, a further seed."""

import dataclasses

from jaxact.comparison.analysis import sweep, verdicts
from jaxact.comparison.plan import Plan
from jaxact.comparison.study import FAILED, MISSING, Study

MOST_SEEDS = 30  # unless the user says otherwise


def grown(study: Study, most_seeds: int = MOST_SEEDS, by: int = 1) -> Plan | None:
    """The plan of the runs to make next; None if the comparison is at its end.

    Learning rates are chosen once all runs are made that choose them. A seed is added while the
    study is one of `--until=decided` and the final error of an activation on some workload is
    neither told from the baseline's nor shown to equal it.

    Args:
      most_seeds: that there may come to be.
      by: the seeds that are added: as many as are made at once.
    """
    plan = study.plan
    if study.with_status(MISSING, FAILED):
        return None  # stopped; or what is wrong with a run may be so with all that follow
    chosen = sweep.choose(study)
    if chosen != plan.own_rates:
        return dataclasses.replace(plan, own_rates=chosen)
    if plan.is_sequential and plan.seeds < most_seeds and open_questions(study):
        return dataclasses.replace(plan, seeds=min(plan.seeds + by, most_seeds))
    return None


def open_questions(study: Study) -> dict[str, list[str]]:
    """By workload, the activations neither told from the baseline nor shown to equal it."""
    found = {study.workload_title(w): verdicts.undecided(study, w) for w in study.workloads()}
    return {title: names for title, names in found.items() if names}
