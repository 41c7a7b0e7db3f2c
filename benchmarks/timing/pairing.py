"""Measurements in turn, and the statistics of what was measured side by side."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jaxact.statistics import Estimate, quartiles


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """Median and quartiles of `ours[k] / theirs[k]`: a slow moment of the machine hits both.

    Raises:
      ValueError: the two are not equally long.
    """
    return quartiles([a / b for a, b in zip(ours, theirs, strict=True)])


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
