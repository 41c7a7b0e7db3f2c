"""Titles of charts that say what was found: which activations the tests tell apart, in few words.

The tests are those of the answer, corrected for all pairs of all that it speaks of.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jaxact.comparison.analysis import measures, verdicts
from jaxact.comparison.study import Study, Workload
from jaxact.presentation.chart import Chart
from jaxact.presentation.style import labels_of
from jaxact.statistics import BETTER, EQUIVALENT, MIN_PAIRS

LONGEST = 70  # characters of a title, if one that is true is no longer


class Findings(NamedTuple):
    """What the tests have decided about a workload, in the words of a title.

    Attributes:
      times: about when the target was reached.
      errors: about the errors after the last epoch.
    """

    times: str
    errors: str


class _Words(NamedTuple):
    """How a better activation is spoken of: `reaches 97 % sooner` than another; several `reach`."""

    verb: str
    better: str
    object: str = ""

    def of(self, several: bool) -> str:
        ending = "" if several else "es" if self.verb.endswith("ch") else "s"
        return " ".join(filter(None, (self.verb + ending, self.object, self.better)))


def findings(study: Study, workload: Workload) -> Findings:
    """The findings of a workload: `selu and elu reach 97 % sooner than tanh`.

    Both are "" of a study of one activation, which is compared with nothing.
    """
    if len(study.plan.rivals) < 2:
        return Findings("", "")
    matrices = verdicts.between(study, workload, *verdicts.spoken_of(study, workload))
    goal = study.plan.goal(workload.dataset)
    measure = measures.time_axis(study, workload).measure
    times = f"Nothing is decided: none reached {goal}"
    if measure in matrices:
        words = _Words("reach", "sooner", goal)
        margin = verdicts.margin_of(study, measure).words("")
        times = _finding(matrices[measure], words, f"{margin} in time")
    words = _Words("end", "with a lower error")
    margin = verdicts.margin_of(study, measures.error_percent).words("points")
    return Findings(times, _finding(matrices[measures.error_percent], words, f"{margin} of error"))


def titled(chart: Chart, study: Study, workload: Workload, finding: str) -> Chart:
    """The chart under what was found, or of its workload where nothing is compared."""
    title = study.title(workload)
    if not finding:
        return dataclasses.replace(chart, title=title)
    return dataclasses.replace(chart, title=finding, subtitle=title)


def _finding(matrix: verdicts.Matrix, words: _Words, margin: str) -> str:
    """The most telling of the true sentences that are short enough."""
    pairs = matrix.pairs
    better = [pair for pair, comparison in pairs.items() if comparison.verdict == BETTER]
    alike = sum(comparison.verdict == EQUIVALENT for comparison in pairs.values()) // 2
    total = len(pairs) // 2
    if better:
        sentences = _sentences(better, matrix.names, words)
        short = (sentence for sentence in sentences if len(sentence) <= LONGEST)
        return next(short, f"{len(better)} of {total} pairs are told apart")
    if alike:
        some = "All" if alike == total else f"{alike} of {total} pairs"
        rest = "" if alike == total else "; no more is decided"
        return f"{some} are equivalent within {margin}{rest}"
    tested = max(comparison.pairs for comparison in pairs.values())
    if tested < MIN_PAIRS:
        seeds = "1 seed tests" if tested == 1 else f"{tested} seeds test"
        return f"Nothing is decided: {seeds} nothing"
    return f"Nothing is decided: none is shown to {words.of(True)}"


def _sentences(
    better: Sequence[tuple[str, str]], names: Sequence[str], words: _Words
) -> Iterator[str]:
    """All pairs in full, then whoever is ahead of most or behind most.

    Args:
      better: pairs of a better activation and a worse one.
    """
    labels = labels_of(names)

    def listed(some: Sequence[str]) -> str:
        *most, last = (labels[name] for name in some)
        return f"{', '.join(most)} and {last}" if most else last

    ahead = {worse: tuple(b for b, other in better if other == worse) for _, worse in better}
    groups: dict[tuple[str, ...], list[str]] = {}
    for worse in filter(ahead.__contains__, names):
        groups.setdefault(ahead[worse], []).append(worse)
    (first, behind), *more = groups.items()
    whole = f"{listed(first)} {words.of(len(first) > 1)} than {listed(behind)}"
    parts = [f"{listed(group)} {words.better} than {listed(those)}" for group, those in more]
    yield "; ".join([whole, *parts])
    others = len(names) - 1
    (leader, wins), (last, losses) = (
        Counter(column).most_common(1)[0] for column in zip(*better, strict=True)
    )
    of_leader = f"{labels[leader]} {words.of(False)} than {wins} of {others} others"
    of_last = f"{losses} of {others} others {words.of(losses > 1)} than {labels[last]}"
    yield from (of_leader, of_last) if wins >= losses else (of_last, of_leader)
