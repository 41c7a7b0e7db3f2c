"""Simulated comparisons, of which it is known what is true: how often verdicts on them are false.

Errors vary from seed to seed with a standard deviation of 0.14 points, as was measured, and 0.05
that a seed does to all activations alike; times by 5 %.
"""

import dataclasses
import itertools
from collections.abc import Callable, Mapping

import numpy as np

from jaxact import statistics
from jaxact.comparison import answers
from jaxact.comparison.analysis import measures, verdicts
from jaxact.comparison.paper import findings
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.plan import DECIDED, Plan
from jaxact.comparison.study import DONE, Run, Study
from jaxact.config import Config
from jaxact.statistics import BETTER, EQUIVALENT, WORSE

NOISE, SHARED_NOISE = 0.14, 0.05  # points
BASELINE, *OTHERS = PAPER_ACTIVATIONS
ERROR, SECONDS, TIME_NOISE = 2.0, 20.0, 0.05

Shifts = Mapping[str, float]  # activation to what its true figure is more than the baseline's
NONE: Shifts = {}
# At the very margin, half of them above and half below: none is equivalent, nor differs by more.
AT_THE_MARGIN = {name: (-1) ** k * statistics.POINTS.size for k, name in enumerate(OTHERS)}
SLOWER = dict.fromkeys(OTHERS, SECONDS * statistics.SHARE.size)
PLANTED = {OTHERS[0]: -0.3}


def simulated(
    random: np.random.Generator,
    seeds: int,
    errors: Shifts = NONE,
    seconds: Shifts = NONE,
    datasets: tuple[str, ...] = ("mnist",),
    until: str = "",
) -> Study:
    """A study of six activations whose true errors and times differ as given."""
    plan = Plan(
        config=Config(epochs=10, target_accuracy=0.98),
        datasets=datasets,
        learning_rates=(1e-3,),
        activations=PAPER_ACTIVATIONS,
        seeds=seeds,
        baseline=BASELINE,
        until=until,
    )
    of_seed = random.normal(0, SHARED_NOISE, (len(datasets), seeds))
    runs = []
    for seed, dataset, spec in itertools.product(
        range(seeds), range(len(datasets)), plan.activations
    ):
        true = SECONDS + seconds.get(spec, 0)
        noise = random.normal(0, 1, 3)
        error = ERROR + errors.get(spec, 0) + of_seed[dataset, seed] + NOISE * noise[0]
        summary = {
            "error_percent": error,
            "reached_target": True,
            "seconds_to_target": 0.8 * true * (1 + TIME_NOISE * noise[1]),
            "train_seconds": true * (1 + TIME_NOISE * noise[2]),
        }
        runs.append(Run(datasets[dataset], plan.common_rate, spec, seed, DONE, "", summary))
    return Study(plan, tuple(runs))


def first_seeds(study: Study, seeds: int) -> Study:
    """The study as it was when it had so many seeds."""
    plan = dataclasses.replace(study.plan, seeds=seeds)
    return Study(plan, tuple(run for run in study.runs if run.seed < seeds))


def _errors(study: Study) -> list[statistics.Comparison]:
    return verdicts.against_baseline(study, study.workloads()[0], measures.error_percent)


def told_apart(study: Study) -> bool:
    """Whether any activation is called better or worse than the baseline, in error or time."""
    return any(c.verdict in (BETTER, WORSE) for c in _errors(study))


def called_equivalent(study: Study) -> bool:
    return any(c.verdict == EQUIVALENT for c in _errors(study))


def told_apart_in_time(study: Study) -> bool:
    measure = measures.seconds_to_target
    compared = verdicts.against_baseline(study, study.workloads()[0], measure)
    return any(c.verdict in (BETTER, WORSE) for c in compared)


def told_apart_in_the_matrix(study: Study) -> bool:
    workload = study.workloads()[0]
    matrices = verdicts.between(study, workload, *verdicts.spoken_of(study, workload))
    pairs = [c for matrix in matrices.values() for c in matrix.pairs.values()]
    return any(c.verdict in (BETTER, WORSE) for c in pairs)


def significant_in_the_answer(study: Study) -> bool:
    return "is significant" in answers.answer(study, study.workloads()[0])


def marked(study: Study) -> bool:
    """Whether any error is marked as the best, or among them."""
    workload = study.workloads()[0]
    values = verdicts.values_of(study, workload, measures.train_seconds)
    means = {name: float(np.mean(of_name)) for name, of_name in values.items()}
    matrices = verdicts.between(study, workload, measures.train_seconds)
    return bool(verdicts.best(matrices[measures.train_seconds], means))


def finding(claim: str, *wrong: str) -> Callable[[Study], bool]:
    """Whether a finding of the paper gets a verdict that is wrong."""
    return lambda study: findings.judged(study, claim).verdict in wrong


def at_any_look(is_wrong: Callable[[Study], bool]) -> Callable[[Study], bool]:
    """Whether it holds of the study with 5 seeds, or with any more up to all."""
    return lambda study: any(
        is_wrong(first_seeds(study, seeds))
        for seeds in range(statistics.MIN_PAIRS, study.plan.seeds + 1)
    )


@dataclasses.dataclass(frozen=True)
class Alarm:
    """A kind of verdict, and studies in which it would be false.

    Attributes:
      is_false: whether a study has such a verdict.
      truth: the other arguments of `simulated`.
    """

    is_false: Callable[[Study], bool]
    truth: Mapping[str, object] = dataclasses.field(default_factory=dict)


SOONER, LEAKY, TANH, TOTAL = findings.RULES
BOTH_DATA = {"datasets": ("mnist", "fashion_mnist")}
SEQUENTIAL = {"until": DECIDED}
ALARMS = {
    "better or worse than the baseline": Alarm(told_apart),
    "the same, in time": Alarm(told_apart_in_time),
    "equivalent to the baseline": Alarm(called_equivalent, {"errors": AT_THE_MARGIN}),
    "better or worse, any pair": Alarm(told_apart_in_the_matrix),
    '"significant" anywhere in the answer': Alarm(significant_in_the_answer),
    "the best of a column marked": Alarm(marked),
    "ReLUs sooner than tanh: confirmed or refuted": Alarm(finding(SOONER, "confirmed", "refuted")),
    "tanh worst: confirmed or refuted": Alarm(finding(TANH, "confirmed", "refuted"), BOTH_DATA),
    "leaky ReLU among the soonest: refuted": Alarm(finding(LEAKY, "refuted"), BOTH_DATA),
    "total time hardly differs: confirmed or refuted at 5 % more": Alarm(
        finding(TOTAL, "confirmed", "refuted"), {"seconds": SLOWER}
    ),
    "PReLU unstable: confirmed": Alarm(finding(findings.PRELU_CLAIM, "confirmed"), BOTH_DATA),
    "--until: better or worse, at any look": Alarm(at_any_look(told_apart), SEQUENTIAL),
    "--until: equivalent, at any look": Alarm(
        at_any_look(called_equivalent), {"errors": AT_THE_MARGIN, **SEQUENTIAL}
    ),
}


def alarms(kind: str, seeds: int, studies: int, stream: int = 0) -> int:
    """In how many studies of so many seeds a verdict of the kind is given, and false."""
    alarm = ALARMS[kind]
    random = np.random.default_rng((stream, seeds, list(ALARMS).index(kind)))
    return sum(
        alarm.is_false(simulated(random, seeds, **alarm.truth))  # pyright: ignore[reportArgumentType]
        for _ in range(studies)
    )


def found(seeds: int, studies: int) -> int:
    """In how many studies an activation that is better by 0.3 points is called so, of six."""
    random = np.random.default_rng((1, seeds))
    return sum(
        _errors(simulated(random, seeds, PLANTED))[0].verdict == BETTER for _ in range(studies)
    )


def looks(studies: int, errors: Shifts, most: int) -> list[tuple[int, bool]]:
    """By study the seeds of `--until=decided`, and whether all was decided with at most so many."""
    random = np.random.default_rng((2, most))
    outcomes = []
    for _ in range(studies):
        study = simulated(random, most, errors, until=DECIDED)
        seeds = next(
            (
                n
                for n in range(statistics.MIN_PAIRS, most + 1)
                if not verdicts.undecided(first_seeds(study, n), study.workloads()[0])
            ),
            None,
        )
        outcomes.append((seeds or most, seeds is not None))
    return outcomes
