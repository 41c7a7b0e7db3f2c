"""Titles of charts that say what was found: which activations the tests tell apart, in few words.

The tests are those of the answer, corrected for all pairs of all that it speaks of. Where they
decide nothing, those of the table are spoken of, against the baseline alone: they need fewer seeds.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from jaxact.comparison.analysis import measures, verdicts
from jaxact.comparison.study import Study, Workload
from jaxact.presentation.chart import Chart
from jaxact.presentation.style import labels_of
from jaxact.statistics import BETTER, EQUIVALENT, MIN_PAIRS, WORSE, Comparison

LONGEST = 70  # characters of a title, if one that is true is no longer


class Findings(NamedTuple):
    """The decisions of the tests about a workload, in the words of a title.

    Attributes:
      times: about when the target was reached.
      errors: about the errors after the last epoch.
    """

    times: str
    errors: str


class _Words(NamedTuple):
    """The words for a better activation: `reaches 97 % sooner` than another; several `reach`."""

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

    def found(measure: measures.Measure, words: _Words, unit: str, what: str) -> str:
        margin = f"{verdicts.margin_of(study, measure).words(unit)} {what}"
        pairs, baseline = matrices[measure], study.plan.baseline
        tests = verdicts.against_baseline(study, workload, measure)
        return (
            _told_apart(pairs, words)
            or _told_from(tests, baseline, words)
            or _equivalent(pairs, margin)
            or _equivalent_to(tests, baseline, margin)
            or _undecided(pairs, words)
        )

    times = f"Nothing is decided: none reached {goal}"
    if measure in matrices:
        times = found(measure, _Words("reach", "sooner", goal), "", "in time")
    words = _Words("end", "with a lower error")
    return Findings(times, found(measures.error_percent, words, "points", "of error"))


def titled(chart: Chart, study: Study, workload: Workload, finding: str) -> Chart:
    """The chart under what was found, or of its workload where nothing is compared."""
    title = study.title(workload)
    if not finding:
        return dataclasses.replace(chart, title=title)
    return dataclasses.replace(chart, title=finding, subtitle=title)


def _told_apart(matrix: verdicts.Matrix, words: _Words) -> str:
    """The most telling of the true sentences that are short enough; "" if no pair is told apart."""
    better = [pair for pair, test in matrix.pairs.items() if test.verdict == BETTER]
    if not better:
        return ""
    short = (s for s in _sentences(better, matrix.names, words) if len(s) <= LONGEST)
    return next(short, f"{len(better)} of {len(matrix.pairs) // 2} pairs are told apart")


def _told_from(tests: Sequence[Comparison], baseline: str, words: _Words) -> str:
    """The differences from the baseline that are decided; "" if none is."""
    labels = labels_of([baseline, *(test.name for test in tests)])
    better, worse = ([t.name for t in tests if t.verdict == which] for which in (BETTER, WORSE))
    parts = []
    if better:
        ahead = _listed(better, labels)
        parts.append(f"{ahead} {words.of(len(better) > 1)} than {labels[baseline]}")
    if worse:
        parts.append(f"{labels[baseline]} {words.of(False)} than {_listed(worse, labels)}")
    sentence = "; ".join(parts)
    if len(sentence) <= LONGEST:
        return sentence
    return f"{len(better) + len(worse)} of {len(tests)} are told from {labels[baseline]}"


def _equivalent(matrix: verdicts.Matrix, margin: str) -> str:
    """Counts the pairs that are shown to be equivalent, in words; "" if none is."""
    pairs = matrix.pairs
    alike = sum(test.verdict == EQUIVALENT for test in pairs.values()) // 2
    if not alike:
        return ""
    total = len(pairs) // 2
    if alike == total:
        return f"All are equivalent within {margin}"
    return f"{alike} of {total} pairs are equivalent within {margin}; no more is decided"


def _equivalent_to(tests: Sequence[Comparison], baseline: str, margin: str) -> str:
    """The activations that are shown to be equivalent to the baseline; "" if none is."""
    labels = labels_of([baseline, *(test.name for test in tests)])
    alike = [test.name for test in tests if test.verdict == EQUIVALENT]
    if not alike:
        return ""
    words = f"equivalent to {labels[baseline]} within {margin}"
    sentence = f"{_listed(alike, labels)} {'are' if len(alike) > 1 else 'is'} {words}"
    return sentence if len(sentence) <= LONGEST else f"{len(alike)} of {len(tests)} are {words}"


def _undecided(matrix: verdicts.Matrix, words: _Words) -> str:
    """The reason why nothing is decided."""
    tested = max(test.pairs for test in matrix.pairs.values())
    if tested < MIN_PAIRS:
        seeds = "1 seed tests" if tested == 1 else f"{tested} seeds test"
        return f"Nothing is decided: {seeds} nothing"
    return f"Nothing is decided: none is shown to {words.of(True)}"


def _listed(names: Iterable[str], labels: Mapping[str, str]) -> str:
    *most, last = (labels[name] for name in names)
    return f"{', '.join(most)} and {last}" if most else last


def _sentences(
    better: Sequence[tuple[str, str]], names: Sequence[str], words: _Words
) -> Iterator[str]:
    """All pairs in full, then whoever is ahead of most or behind most.

    Args:
      better: pairs of a better activation and a worse one.
    """
    labels = labels_of(names)
    ahead = {worse: tuple(b for b, other in better if other == worse) for _, worse in better}
    groups: dict[tuple[str, ...], list[str]] = {}
    for worse in filter(ahead.__contains__, names):
        groups.setdefault(ahead[worse], []).append(worse)
    (first, behind), *more = groups.items()
    whole = f"{_listed(first, labels)} {words.of(len(first) > 1)} than {_listed(behind, labels)}"
    parts = [
        f"{_listed(group, labels)} {words.better} than {_listed(those, labels)}"
        for group, those in more
    ]
    yield "; ".join([whole, *parts])
    others = len(names) - 1
    (leader, wins), (last, losses) = (
        Counter(column).most_common(1)[0] for column in zip(*better, strict=True)
    )
    of_leader = f"{labels[leader]} {words.of(False)} than {wins} of {others} others"
    of_last = f"{losses} of {others} others {words.of(losses > 1)} than {labels[last]}"
    yield from (of_leader, of_last) if wins >= losses else (of_last, of_leader)
