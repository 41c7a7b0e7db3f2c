"""The machines that runs were made on, and whether their seconds can be ranked.

Seconds of different kinds of machines are not held against each other, nor are those of runs made
at once on cores of one CPU, which share its memory bandwidth: they are shown, and marked.
"""

from collections import Counter
from collections.abc import Iterable

from jaxact.comparison.study import MISSING, Run, Study
from jaxact.runs.process import shared_machine

# Of `environment.json`: what makes two machines of one kind. Older records lack some.
KIND = ("platform", "device_kind", "device_count", "cpu_model", "usable_cpus")


def is_beside_others(run: Run) -> bool:
    """Whether a run shared a CPU with others of its comparison, though not their cores."""
    environment = run.environment
    at_once = shared_machine.runs_at_once(environment)
    return at_once > 1 and environment.get("platform", "cpu") == "cpu"


def changed_kind(run: Run) -> bool:
    """Whether a run went on, on a machine of another kind than it began on."""
    places = run.environment.get("resumed", ())
    return any(name in place.get("before", {}) for place in places for name in KIND)


def kinds(runs: Iterable[Run]) -> Counter[tuple[object, ...]]:
    """The kinds of machines, the values of `KIND`, and how many runs were made on each."""
    return Counter(tuple(run.environment.get(name) for name in KIND) for run in runs)


def are_ranked(runs: Iterable[Run]) -> bool:
    """Whether the seconds of runs can be held against each other.

    A field that a record lacks is taken to be as in the others.
    """
    runs = [run for run in runs if run.status != MISSING and run.is_timed]
    if any(is_beside_others(run) or changed_kind(run) for run in runs):
        return False
    return all(len({*values} - {None}) < 2 for values in zip(*kinds(runs), strict=True))


def notes(study: Study) -> list[str]:
    """A line for each reason why the seconds of a study are shown and not ranked."""
    made = [run for run in study.runs if run.status != MISSING and run.is_timed]
    found = []
    if count := sum(map(is_beside_others, made)):
        most = max(shared_machine.runs_at_once(run.environment) for run in made)
        found.append(
            f"seconds of {count} of {len(made)} runs were taken while {most} runs were made at "
            "once on cores of one CPU, whose memory bandwidth they share: they are shown, and "
            "not ranked"
        )
    if count := sum(map(changed_kind, made)):
        found.append(
            f"seconds of {count} of {len(made)} runs were taken on machines of more than one kind "
            "each: they are shown, and not ranked"
        )
    counts = kinds(run for run in made if run.environment)
    if len(counts) > 1 and not are_ranked(
        [run for run in made if not is_beside_others(run) and not changed_kind(run)]
    ):
        words = "; ".join(f"{_in_words(kind)}: {count}" for kind, count in counts.most_common())
        found.append(
            f"runs were made on {len(counts)} kinds of machines, whose seconds are shown, and not "
            f"ranked together ({words})"
        )
    return found


def _in_words(kind: tuple[object, ...]) -> str:
    values = dict(zip(KIND, kind, strict=True))
    cores = f"{values['usable_cpus'] or '?'} cores"
    if values["platform"] == "cpu":
        return f"{values['cpu_model']}, {cores}"
    return f"{values['device_count'] or 1} {values['device_kind']}, {values['cpu_model']}, {cores}"
