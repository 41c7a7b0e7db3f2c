"""Shares that have reached a target: of workloads, and of runs over time."""

import math
from collections.abc import Mapping

import numpy as np

from jaxact.statistics.estimates import Values


def performance_profile(times: Mapping[str, Values], ratios: Values) -> dict[str, np.ndarray]:
    """Share of workloads that each name solved within `ratio` times the best name's time.

    rho_s(tau) = |{w : t_sw <= tau min_s' t_s'w}| / |workloads| (Dolan & Moré 2002). A
    workload that nobody solved counts against everybody.

    Args:
      times: name to one time a workload, in the same order of workloads; inf for never; a workload
        with a nan was not tried by all and is left out.
      ratios: tau, at least 1.

    Returns:
      Name to shares of the shape of `ratios`; nan where no workload is left.

    Raises:
      ValueError: names with different numbers of times, or a time that is not positive.
    """
    if len({len(row) for row in times.values()}) > 1:
        raise ValueError("every name needs one time a workload: inf for never, nan for not tried")
    table = np.atleast_2d(np.array([list(row) for row in times.values()], float))
    table = table[:, ~np.isnan(table).any(axis=0)]
    if (table <= 0).any():
        raise ValueError(f"times must be positive, not {table.min():g}; inf is for never")
    if not table.size:
        return {name: np.full(np.shape(ratios), math.nan) for name in times}
    ratio_to_best = np.full_like(table, math.inf)
    np.divide(table, table.min(axis=0), out=ratio_to_best, where=np.isfinite(table))
    limits = np.asarray(ratios, float)
    solved = np.isfinite(ratio_to_best)[:, :, None] & (ratio_to_best[:, :, None] <= limits)
    return dict(zip(times, solved.mean(axis=1), strict=True))


def reached_over_time(seconds: Values) -> tuple[np.ndarray, np.ndarray]:
    """Share of runs that have reached the target, over time: the corners of a rising staircase.

    Args:
      seconds: of each run when it reached the target; inf for never; nan is left out.

    Returns:
      Times from 0 on, in seconds, and the share from each of them on (matplotlib draws it with
      `drawstyle="steps-post"`); the share is nan where there are no runs.
    """
    values = np.asarray(seconds, float)
    ordered = np.sort(values[~np.isnan(values)])
    at = np.unique(np.append(ordered[np.isfinite(ordered)], 0.0))
    if not len(ordered):
        return at, np.full(at.shape, math.nan)
    return at, np.searchsorted(ordered, at, side="right") / len(ordered)
