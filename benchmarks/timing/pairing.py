"""Measurements in turn, and the statistics of what was measured side by side."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Spread(NamedTuple):
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    def scaled(self, factor: float) -> "Spread":
        """In another unit; `factor` is positive."""
        return Spread(*(factor * value for value in self))


def spread(values: Sequence[float]) -> Spread:
    """The median and the quartiles of one value or more."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The pairwise ratio `ours[k] / theirs[k]`: a slow moment of the machine hits both of a pair.

    Raises:
      ValueError: the two are not equally long.
    """
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def alternate(
    measures: Mapping[str, Callable[[], Mapping[str, Any]]], pairs: int
) -> dict[str, dict[str, list[Any]]]:
    """Measures A B A B ...: `pairs` rounds in which every contender has one turn.

    Args:
      measures: name to a function that measures once and returns figures by name.
      pairs: rounds.

    Returns:
      Name to figure to its values, one a round.
    """
    rounds = [{name: measure() for name, measure in measures.items()} for _ in range(pairs)]
    return {
        name: {figure: [turn[name][figure] for turn in rounds] for figure in rounds[0][name]}
        for name in measures
    }


def joined(
    parts: Sequence[Mapping[str, Mapping[str, Sequence[Any]]]],
) -> dict[str, dict[str, list[Any]]]:
    """The measurements of several calls of `alternate`, as if one had made them."""
    return {
        name: {figure: [value for part in parts for value in part[name][figure]] for figure in own}
        for name, own in parts[0].items()
    }
