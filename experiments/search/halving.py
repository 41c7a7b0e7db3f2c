"""Successive halving over activations, with Optuna: who is tried, promoted and pruned.

Asynchronous halving (Li et al. 2020, A system for massively parallel hyperparameter tuning,
arXiv:1810.05934): a candidate goes on to the next rung, `factor` times the epochs, if it is in the
best `1 / factor` of all that have reached this one, so that there is an answer whenever time runs
out. Every trial is in Optuna's journal as soon as it is known: a search that was stopped goes on.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.search import composition_sampler
from jaxact.activations import ActivationError
from jaxact.comparison.engines.attempts import one_line
from jaxact.errors import ConfigError, JaxactError, NonFiniteLossError
from jaxact.packages import needed_for

if TYPE_CHECKING:
    import optuna

JOURNAL = "search.journal"
SEARCH_SEED = 0  # of every run of the search, beyond config.seed; the finals have others

COMPLETE, PRUNED, FAILED, CUT = "complete", "pruned", "failed", "cut"


class Trained(NamedTuple):
    """A run: accuracies from 0 to 1, on the validation images after each epoch and on the test
    images after the last one."""

    accuracies: list[float]
    test_accuracy: float


# Given a spec, the epochs in all and the seed: trains, or goes on with the same run.
Train = Callable[[str, int, int], Trained]


class Tried(NamedTuple):
    """A candidate and what became of it.

    Attributes:
      activation: its spec.
      accuracies: on the validation images after each epoch.
      by_rung: epochs to accuracy, of each rung it reached the end of.
      ended: COMPLETE, PRUNED, FAILED (see `note`) or CUT, by the budget.
      note: why it failed.
    """

    activation: str
    accuracies: list[float]
    by_rung: dict[int, float]
    ended: str
    note: str


class Budget:
    """Seconds to spend, over all processes of a search.

    Args:
      study: keeps what was spent.
      seconds: in all.
      clock: gives the time in seconds.
    """

    def __init__(self, study: "optuna.Study", seconds: float, clock: Callable[[], float]):
        self._study, self._clock = study, clock
        self.seconds = seconds
        self._before = float(study.user_attrs.get("spent_seconds", 0.0))
        self._started = clock()

    @property
    def spent(self) -> float:
        return self._before + self._clock() - self._started

    def allows(self, seconds: float, kept: float = 0.0) -> bool:
        """Whether something that takes so long ends in time, with `kept` seconds left over."""
        return self.spent + seconds <= self.seconds - kept

    @contextlib.contextmanager
    def timing(self) -> Iterator[list[float]]:
        """A block whose seconds are in the list afterwards, and are kept as spent."""
        begin, taken = self._clock(), []
        try:
            yield taken
        finally:
            taken.append(self._clock() - begin)
            self._study.set_user_attr("spent_seconds", self.spent)


def load_optuna() -> Any:
    """Optuna, told to keep quiet.

    Raises:
      ConfigError: it is not installed.
    """
    with needed_for("the search"):
        import optuna
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def open_study(
    workdir: Path, question: dict[str, Any], first_epochs: int, factor: int, seed: int
) -> "optuna.Study":
    """The search of a folder, begun or gone on with.

    Args:
      question: all that its accuracies depend on.

    Raises:
      ConfigError: the folder holds a search with another question, or Optuna is missing.
    """
    optuna = load_optuna()
    from optuna.storages.journal import JournalFileBackend

    backend = JournalFileBackend(str(workdir / JOURNAL))
    study = optuna.create_study(
        study_name="search",
        storage=optuna.storages.JournalStorage(backend),
        pruner=optuna.pruners.SuccessiveHalvingPruner(
            min_resource=first_epochs, reduction_factor=factor
        ),
        direction="maximize",
        load_if_exists=True,
    )
    # Gone on with, it is not to propose once more what it proposed before.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    stored = study.user_attrs.get("question")
    if stored is None:
        study.set_user_attr("question", question)
    elif (stored := {"seed": 0, **stored}) != question:  # the seed was added later
        changed = [
            f"{name} ({stored.get(name)!r} there, {question.get(name)!r} now)"
            for name in {**stored, **question}
            if stored.get(name) != question.get(name)
        ]
        raise ConfigError(
            f"--workdir={workdir} holds a search with another configuration: "
            f"{', '.join(changed)}; choose another folder, or give the same fields"
        )
    return study


def enqueue(study: "optuna.Study", specs: Sequence[str]) -> None:
    """Puts candidates in line, in this order, but for those that are there already."""
    known = {trial.user_attrs.get("activation") for trial in study.trials}
    for spec in specs:
        if spec not in known:
            study.enqueue_trial({}, user_attrs={"activation": spec})


def search(
    study: "optuna.Study",
    rungs: Sequence[int],
    pairs: int,
    train: Train,
    budget: Budget,
    kept: Callable[[], float],
) -> None:
    """Tries the candidates in line, then `pairs` pairs that Optuna proposes, while time lasts.

    What a process before left unfinished comes first.

    Args:
      rungs: epochs of each, as the study's pruner has them.
      kept: seconds of the budget that are for what comes after.

    Raises:
      ConfigError, DataError, WorkdirError: not a candidate's fault.
      Interrupted: by a signal.
    """
    from optuna.trial import Trial, TrialState

    for left in study.get_trials(states=(TrialState.RUNNING,)):
        if "activation" not in left.user_attrs:  # killed before it had one
            study.tell(left.number, state=TrialState.FAIL)
        elif not climb(study, Trial(study, left._trial_id), rungs, train, budget, kept):
            return
    while study.get_trials(deepcopy=False, states=(TrialState.WAITING,)) or (
        len(composition_sampler.proposed(study)) < pairs
    ):
        if not budget.allows(usual_seconds(study, 0), kept()):
            return
        trial = study.ask()
        if "activation" not in trial.user_attrs:
            trial = composition_sampler.propose(study, trial)
        if trial is None or not climb(study, trial, rungs, train, budget, kept):
            return


def climb(
    study: "optuna.Study",
    trial: "optuna.Trial",
    rungs: Sequence[int],
    train: Train,
    budget: Budget,
    kept: Callable[[], float],
) -> bool:
    """Trains a candidate rung by rung until it is pruned, fails or is through.

    Returns:
      Whether it came to an end: False if the budget cut it, to be gone on with.
    """
    from optuna.trial import TrialState

    spec = trial.user_attrs["activation"]
    done = len(study.get_trials(deepcopy=False)[trial.number].intermediate_values)
    if done and trial.should_prune():  # killed before that was asked
        study.tell(trial, state=TrialState.PRUNED)
        return True
    for k, epochs in enumerate(rungs[done:], done):
        if not budget.allows(usual_seconds(study, k), kept()):
            return False
        try:
            with budget.timing() as taken:
                trained = train(spec, epochs, SEARCH_SEED)
        except Exception as error:
            if not is_own_fault(error):
                raise
            trial.set_user_attr("note", one_line(error))
            study.tell(trial, state=TrialState.FAIL)
            return True
        trial.set_user_attr("accuracies", trained.accuracies)
        trial.set_user_attr("seconds", [*trial.user_attrs.get("seconds", [])[:k], *taken])
        trial.report(trained.accuracies[-1], step=epochs)  # last: says that all else is there
        if k == len(rungs) - 1:
            study.tell(trial, trained.accuracies[-1])
        elif trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return True
    return True


def is_own_fault(error: Exception) -> bool:
    """Whether a run's error says something of its activation, not of all runs."""
    return isinstance(error, NonFiniteLossError | ActivationError) or not isinstance(
        error, JaxactError
    )


def usual_seconds(study: "optuna.Study", rung: int) -> float:
    """The median of what training to a rung's end from the one before took; 0 if none has."""
    taken = sorted(
        trial.user_attrs["seconds"][rung]
        for trial in study.get_trials(deepcopy=False)
        if len(trial.user_attrs.get("seconds", [])) > rung
    )
    return taken[(len(taken) - 1) // 2] if taken else 0.0


def tried(study: "optuna.Study") -> list[Tried]:
    """The candidates that were begun, in the order of the search."""
    from optuna.trial import TrialState

    ended = {
        TrialState.COMPLETE: COMPLETE,
        TrialState.PRUNED: PRUNED,
        TrialState.FAIL: FAILED,
        TrialState.RUNNING: CUT,
    }
    return [
        Tried(
            activation=trial.user_attrs["activation"],
            accuracies=trial.user_attrs.get("accuracies", []),
            by_rung=dict(trial.intermediate_values),
            ended=ended[trial.state],
            note=trial.user_attrs.get("note", ""),
        )
        for trial in study.get_trials(deepcopy=False)
        if trial.state in ended and "activation" in trial.user_attrs
    ]


def waiting(study: "optuna.Study") -> list[str]:
    """The candidates that were never begun."""
    from optuna.trial import TrialState

    states = (TrialState.WAITING,)
    return [t.user_attrs["activation"] for t in study.get_trials(deepcopy=False, states=states)]


def ranking(candidates: Sequence[Tried]) -> list[str]:
    """The candidates that did not fail: the farthest first, then by accuracy, then as tried."""
    there = [c for c in candidates if c.by_rung and c.ended != FAILED]
    return [
        c.activation
        for c in sorted(there, key=lambda c: (-max(c.by_rung), -c.by_rung[max(c.by_rung)]))
    ]
