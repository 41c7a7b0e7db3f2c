"""Pairs of registered functions that Optuna proposes, see `jaxact.activations.pairs`."""

from typing import TYPE_CHECKING

from jaxact import activations

if TYPE_CHECKING:
    import optuna

# Name of a function of `jaxact.activations.pairs` to its parameters.
PAIRS = {"chain": ("outer", "inner"), "product": ("left", "right")} | dict.fromkeys(
    ("total", "maximum"), ("left", "right")
)
MOST_PROPOSALS = 100  # for a pair that has not been tried yet


def parts() -> list[str]:
    """The registered functions that can be part of a pair."""
    known = [activations.get(name) for name in activations.names()]
    return [a.name for a in known if a.elementwise and not (a.initial or a.random)]


def proposed(study: "optuna.Study") -> list[str]:
    """The pairs that Optuna has proposed and that were tried."""
    return [
        trial.user_attrs["activation"]
        for trial in study.get_trials(deepcopy=False)
        if trial.params and "activation" in trial.user_attrs
    ]


def propose(study: "optuna.Study", trial: "optuna.Trial") -> "optuna.Trial | None":
    """A trial with a pair of functions that was not tried before; None if none is found."""
    from optuna.trial import TrialState

    known = {other.user_attrs.get("activation") for other in study.trials}
    names = parts()
    for _ in range(MOST_PROPOSALS):
        how = trial.suggest_categorical("how", list(PAIRS))
        pair = [trial.suggest_categorical(key, names) for key in ("first", "second")]
        spec = pair_spec(how, *pair)
        if spec not in known and not is_plain(how, *pair):
            trial.set_user_attr("activation", spec)
            return trial
        study.tell(trial, state=TrialState.FAIL)
        trial = study.ask()
    study.tell(trial, state=TrialState.FAIL)
    return None


def pair_spec(how: str, first: str, second: str) -> str:
    """The spec of two registered functions made one; that of a + b is that of b + a."""
    if how != "chain":
        first, second = sorted((first, second))
    one, other = PAIRS[how]
    text = f"jaxact.activations.pairs:{how}({one}={first!r}, {other}={second!r})"
    return activations.get(text).spec


def is_plain(how: str, first: str, second: str) -> bool:
    """Whether a pair is one of its parts, or that twice."""
    trivial = {"identity", "linear"}
    if how == "chain":
        return bool(trivial & {first, second})
    return how in ("total", "maximum") and (first == second or {first, second} <= trivial)
