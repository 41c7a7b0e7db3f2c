"""The plan of a comparison from the text of its options."""

import dataclasses
from collections.abc import Callable, Sequence, Set
from typing import Any

from jaxact import activations
from jaxact.activations import fingerprint
from jaxact.comparison.plan import Plan
from jaxact.config import Config, field_error, with_home
from jaxact.errors import ConfigError
from jaxact.specs import split_list


def make_plan(
    config: Config,
    specs: str,
    seeds: int,
    *,
    datasets: str | None = None,
    learning_rates: str | None = None,
    target_accuracies: str | None = None,
    baseline: str | None = None,
    given: Set[str] = frozenset(),
) -> Plan:
    """The plan that options describe; the texts hold values separated by commas.

    Args:
      config: its own data set, learning rate and target stand where the option is None; its seed is
        the first one.
      given: the fields of the configuration that the user asked for: what the options replace must
        be among their values.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    chosen = split_specs(specs)
    named, rates = (config.dataset,), (config.learning_rate,)
    if datasets is not None:
        named = split_values("datasets", datasets, "dataset", str)
    if learning_rates is not None:
        rates = split_values("learning_rates", learning_rates, "learning_rate", float)
    targets = (config.target_accuracy,) * len(named)
    if target_accuracies is not None:
        targets = split_values("target_accuracies", target_accuracies, "target_accuracy", float)
    for option, values in (("datasets", named), ("learning_rates", rates)):
        if len(set(values)) < len(values):
            raise ConfigError(f"--{option}={','.join(map(str, values))} must name each value once")
    if len(targets) != len(named):
        raise ConfigError(
            f"--target_accuracies={target_accuracies} must hold one value for each of the "
            f"{len(named)} data sets ({', '.join(named)})"
        )
    listed = {
        "activation": ("activations", chosen),
        "dataset": ("datasets", named),
        "learning_rate": ("learning_rates", rates),
        "target_accuracy": ("target_accuracies", targets),
    }
    default = Config()
    for name, (option, values) in listed.items():
        value = getattr(config, name)
        if name == "activation":
            value = activations.get(value).spec
        asked = name in given or (name == "activation" and value != default.activation)
        if asked and value not in values:
            raise ConfigError(
                f"config.{name}={value} is not among --{option}={','.join(map(str, values))}: add "
                "it there, or leave it out"
            )
    last = config.seed + seeds - 1
    if error := field_error("seed", last):
        raise ConfigError(f"--seeds={seeds} from config.seed={config.seed} on: {error}")
    return Plan(
        config=dataclasses.replace(config, activation=choose_baseline(baseline, chosen)),
        datasets=named,
        learning_rates=rates,
        activations=tuple(chosen),
        seeds=seeds,
        baseline=choose_baseline(baseline, chosen),
        targets=targets,
    )


def split_specs(text: str, option: str = "activations") -> list[str]:
    """Specs separated by commas; commas in brackets or quotes are a spec's own.

    Raises:
      ConfigError: a spec is wrong or stands twice, or one's own function fails.
    """
    try:
        chosen = [activations.get(spec) for spec in split_list(text) if spec]
        canonical = [fingerprint.tried(activation).spec for activation in chosen]
    except ValueError as error:
        raise ConfigError(f"--{option}={text}: {error}") from error
    if not canonical or len(set(canonical)) < len(canonical):
        raise ConfigError(f"--{option}={text} must name one activation or more, each once")
    return canonical


def split_remake(text: str | None, plan: Plan) -> list[str]:
    """The activations of a plan whose runs are to be made anew; none, if the option is None.

    Raises:
      ConfigError: a spec is wrong, or not one of those compared.
    """
    specs = [] if text is None else [*map(plan.spelled, split_specs(text, "remake"))]
    if others := [spec for spec in specs if spec not in plan.activations]:
        raise ConfigError(
            f"--remake={text} must name some of the activations ({', '.join(plan.activations)}), "
            f"and {others[0]} is none"
        )
    return specs


def split_values(option: str, text: str, field: str, kind: Callable[[str], Any]) -> tuple[Any, ...]:
    """The values of a configuration's field that an option lists.

    Raises:
      ConfigError: names the option, the value that is wrong, and what is allowed.
    """
    values = []
    for word in filter(None, map(str.strip, text.split(","))):
        try:
            value = kind(word)
        except ValueError:
            value = word
        if error := field_error(field, value):
            raise ConfigError(f"--{option}={text}: {error}")
        values.append(with_home(field, value))
    if not values:
        raise ConfigError(f"--{option}={text} must hold one value or more, separated by commas")
    return tuple(values)


def choose_baseline(text: str | None, specs: Sequence[str]) -> str:
    """The baseline's spec: the one asked for, else relu if it is compared, else the first.

    Raises:
      ConfigError: it is not one of those compared.
    """
    if text is None:
        return "relu" if "relu" in specs else specs[0]
    try:
        baseline = activations.get(text).spec
    except ValueError as error:
        raise ConfigError(f"--baseline={text}: {error}") from error
    if baseline not in specs:
        raise ConfigError(f"--baseline={text} must be one of the activations: {', '.join(specs)}")
    return baseline
