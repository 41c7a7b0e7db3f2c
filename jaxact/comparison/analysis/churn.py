"""Churn: how often two runs that differ in the seed alone predict another class.

churn(i, j) = |{test images x : class_i(x) != class_j(x)}| / |test images|, over the pairs of seeds
of an activation on a workload (Milani Fard, Cormier, Canini and Gupta 2016, "Launch and Iterate:
Reducing Prediction Churn"). Two networks of the same error may disagree on up to twice as many
images as each gets wrong.
"""

import dataclasses
import itertools
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxact.comparison.study import DONE, Row, Study, Workload
from jaxact.errors import ConfigError
from jaxact.runs.records import record_files
from jaxact.statistics import Estimate

Key = tuple[str, float, str]  # data set, learning rate, activation


def disagreement(one: np.ndarray, other: np.ndarray) -> float:
    """Share of the places at which two arrays of classes differ.

    >>> disagreement(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 4]))
    0.25
    """
    return float(np.mean(one != other))


def with_churn(study: Study, workdir: Path) -> Study:
    """The study with the disagreement of each pair of runs whose predictions the folder holds.

    What it had of an activation stands where the folder holds none: runs of older versions left no
    predictions, and `study.json` may be all that there is.

    Raises:
      ConfigError: a file of predictions is damaged, or is of other images than the others.
    """
    records = {_key(record): record for record in study.churn}
    for key, classes in _predictions(study, workdir).items():
        pairs = [
            {"seeds": [one, other], "disagreement": disagreement(classes[one], classes[other])}
            for one, other in itertools.combinations(classes, 2)
        ]
        dataset, rate, activation = key
        identity = {"dataset": dataset, "learning_rate": rate, "activation": activation}
        records[key] = {**identity, "pairs": pairs}
    return dataclasses.replace(study, churn=tuple(records.values()))


def _key(record: Row) -> Key:
    return record["dataset"], record["learning_rate"], record["activation"]


def _predictions(study: Study, workdir: Path) -> Mapping[Key, dict[int, np.ndarray]]:
    """The classes that runs predicted, by their seeds, of the runs that are done and kept them."""
    found: dict[Key, dict[int, np.ndarray]] = {}
    for config, run in zip(study.plan.runs(), study.runs, strict=True):
        path = workdir / study.plan.folder(config) / record_files.PREDICTIONS
        if run.status != DONE or not path.exists():
            continue
        classes = record_files.read_classes(path)
        of_seeds = found.setdefault((run.dataset, run.learning_rate, run.activation), {})
        if any(len(classes) != len(others) for others in of_seeds.values()):
            raise ConfigError(
                f"{path} holds {len(classes)} predictions, and those of other seeds as many as "
                f"{len(next(iter(of_seeds.values())))}: bring it back from a copy, or remove it"
            )
        of_seeds[run.seed] = classes
    return found


def percent(study: Study, workload: Workload, activation: str) -> Estimate:
    """The mean over the pairs of seeds, and the least and the greatest, in percent of test images.

    Pairs share seeds, so that no interval is given. Without a pair all is nan, with one the ends.
    """
    wanted = workload.dataset, study.rate(workload, activation), activation
    shares = [
        100 * pair["disagreement"]
        for record in study.churn
        if _key(record) == wanted
        for pair in record["pairs"]
        if {*pair["seeds"]} <= {*study.plan.shown_seeds}
    ]
    if not shares:
        return Estimate(math.nan, math.nan, math.nan)
    ends = (min(shares), max(shares)) if len(shares) > 1 else (math.nan, math.nan)
    return Estimate(math.fsum(shares) / len(shares), *ends)
