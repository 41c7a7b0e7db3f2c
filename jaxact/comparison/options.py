"""The plan of a comparison from the text of its options."""

import dataclasses
import shlex
from collections.abc import Callable, Sequence, Set
from typing import Any

from jaxact import activations, statistics
from jaxact.activations import aliases, fingerprint
from jaxact.comparison.growth import MOST_SEEDS
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
    aa: str | None = None,
    rate_seeds: int | None = None,
    until: str | None = None,
    max_seeds: int | None = None,
    margin_points: float = statistics.POINTS.size,
    given: Set[str] = frozenset(),
) -> Plan:
    """The plan that options describe; the texts hold values separated by commas.

    Args:
      config: its own data set, learning rate and target stand where the option is None; its seed is
        the first one.
      aa: activations that are the same function as another, to be kept as a pair with it.
      rate_seeds: seeds on which the best of several learning rates is chosen, before the others; 1,
        if None.
      max_seeds: with `until`, the most seeds that there may come to be; `MOST_SEEDS`, if None.
      given: the fields of the configuration that the user asked for: what the options replace must
        be among their values.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    if config.distributed is not None:
        raise ConfigError(
            f"config.distributed={config.distributed} is of a single run (python -m jaxact.main): "
            "leave it out of a comparison, whose runs may be divided by config.devices"
        )
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
    is_sweep = len(rates) > 1
    if is_sweep and "eval_split" in given and config.eval_split != "validation":
        raise ConfigError(
            f"--learning_rates={learning_rates} are chosen between on validation images: leave out "
            f"config.eval_split={config.eval_split}"
        )
    if until and seeds < statistics.MIN_PAIRS:
        seeds = statistics.MIN_PAIRS
    for name, value, needs, is_there in (
        ("max_seeds", max_seeds, "--until=decided", until),
        ("rate_seeds", rate_seeds, "several --learning_rates", is_sweep),
    ):
        if value is not None and not is_there:
            raise ConfigError(f"--{name}={value} is of use with {needs} alone: leave it out")
    choosing = (rate_seeds or 1) * is_sweep
    if until and max_seeds is None:
        max_seeds = max(MOST_SEEDS, seeds)
    if until and max_seeds is not None and max_seeds < seeds:
        raise ConfigError(
            f"--max_seeds={max_seeds} must be at least {seeds}, the seeds that --until={until} "
            "begins with"
        )
    most, option = (max_seeds, "max_seeds") if until and max_seeds else (seeds, "seeds")
    if error := field_error("seed", config.seed + most - 1 + choosing):
        raise ConfigError(f"--{option}={most} from config.seed={config.seed} on: {error}")
    if not 0 < margin_points <= 100:
        raise ConfigError(f"--margin_points={margin_points:g} must be above 0 and at most 100")
    first = choose_baseline(baseline, chosen)
    return Plan(
        config=dataclasses.replace(
            config,
            activation=first,
            eval_split="validation" if is_sweep else config.eval_split,
        ),
        datasets=named,
        learning_rates=rates,
        activations=tuple(chosen),
        seeds=seeds,
        baseline=first,
        targets=targets,
        twins=split_twins(aa, chosen, first),
        margin_points=margin_points,
        until=until or "",
        rate_seeds=choosing,
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


def split_twins(
    text: str | None, specs: Sequence[str], baseline: str
) -> tuple[tuple[str, str], ...]:
    """The activations that are one function as another, each with that one, as --aa allows them.

    Raises:
      ConfigError: two are one function and --aa does not name either, or it names another.
    """
    allowed = split_specs(text, "aa") if text is not None else []
    # the baseline is a rival; those that --aa names come after what they are the same as
    ordered = sorted(specs, key=lambda spec: (spec != baseline, spec in allowed))
    twins = aliases.twins(ordered)
    if others := [pair for pair in twins if pair[0] not in allowed]:
        one, other = others[0]
        why = f" ({other} is the baseline)" if other in allowed else ""
        raise ConfigError(
            f"--activations: {one} and {other} are one function and no rivals: leave one out, or "
            f"keep {one} as a measure of the machine's noise by --aa={shlex.quote(one)}{why}"
        )
    if wrong := [spec for spec in allowed if spec not in dict(twins)]:
        raise ConfigError(
            f"--aa={text}: {wrong[0]} is no second name of another activation that --aa leaves "
            f"out ({', '.join(spec for spec in specs if spec not in allowed)})"
        )
    return twins


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
