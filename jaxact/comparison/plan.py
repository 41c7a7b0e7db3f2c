"""The plan of a comparison: which runs there are, where each lies, what may go on with what."""

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from jaxact import data, statistics
from jaxact.activations import aliases, own
from jaxact.comparison.elsewhere import Elsewhere
from jaxact.config import Config

DECIDED = "decided"  # of `Plan.until`
# The fields of a configuration that a plan sets for each run, or that may grow.
VARIED = ("dataset", "learning_rate", "activation", "target_accuracy", "epochs")


class Named(Protocol):
    """The fields that tell a run of a plan from the others; a `Config` has them."""

    @property
    def dataset(self) -> str: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def activation(self) -> str: ...
    @property
    def seed(self) -> int: ...


def folder_name(spec: str) -> str:
    """A spec as the name of a folder: itself, with what file systems dislike replaced."""
    return re.sub(r"[^\w.=(),+-]", "_", spec).lstrip(".") or "_"


@dataclasses.dataclass(frozen=True)
class Plan:
    """The runs of a comparison: every activation with every seed, rate and data set.

    Attributes:
      config: what all runs share; its dataset, learning_rate and activation are replaced.
      datasets, learning_rates, activations: in the order of the tables; activations as specs.
      seeds: runs of each, with the configuration's seed and those that follow it.
      baseline: the activation that the others are compared with; one of `activations`.
      targets: the accuracy to reach on each of `datasets`; empty: the configuration's on all.
      twins: the activations that are the same function as an earlier one, each with that one.
      margin_points: a difference of errors that is of no account.
      until: DECIDED: seeds are added, or were, until the comparisons with the baseline are decided.
      rate_seeds: the first seeds, before those of `seeds`, on which rates are only chosen; 0: all
        rates have all seeds.
      own_rates: the rate chosen for an activation on a data set: (its position in `datasets`,
        activation, rate).
      only_own_rates: the seeds that are compared have their own rate alone, not the common one too.
      elsewhere: of results that jaxact did not make; of the configuration then nothing is known but
        the seed and the activation.
    """

    config: Config
    datasets: tuple[str, ...]
    learning_rates: tuple[float, ...]
    activations: tuple[str, ...]
    seeds: int
    baseline: str
    targets: tuple[float, ...] = ()
    twins: tuple[tuple[str, str], ...] = ()
    margin_points: float = statistics.POINTS.size
    until: str = ""
    rate_seeds: int = 0
    own_rates: tuple[tuple[int, str, float], ...] = ()
    only_own_rates: bool = False
    elsewhere: Elsewhere | None = None

    @property
    def rivals(self) -> tuple[str, ...]:
        """The activations that are different functions."""
        same = dict(self.twins)
        return tuple(spec for spec in self.activations if spec not in same)

    @property
    def is_sequential(self) -> bool:
        """Whether the number of seeds depends on what they showed, for which tests must allow."""
        return self.until == DECIDED

    @property
    def shown_seeds(self) -> Sequence[int]:
        """The seeds that are compared."""
        if self.elsewhere is not None:
            return self.elsewhere.seeds
        first = self.config.seed + self.rate_seeds
        return range(first, first + self.seeds)

    @property
    def choosing_seeds(self) -> range:
        """The seeds on which learning rates are chosen, and that are shown nowhere."""
        return range(self.config.seed, self.config.seed + self.rate_seeds)

    def own_rate(self, dataset: str, activation: str) -> float | None:
        """The rate chosen for an activation on a data set; None before it is."""
        place = self.datasets.index(dataset)
        return next((r for d, spec, r in self.own_rates if (d, spec) == (place, activation)), None)

    @classmethod
    def of_results(
        cls,
        elsewhere: Elsewhere,
        datasets: Sequence[str],
        activations: Sequence[str],
        baseline: str,
    ) -> "Plan":
        """The plan that results made elsewhere would have had."""
        config = Config(
            dataset=datasets[0],
            model="",
            activation=baseline,
            learning_rate=0.0,
            seed=elsewhere.seeds[0],
        )
        return cls(
            config=config,
            datasets=tuple(datasets),
            learning_rates=(config.learning_rate,),
            activations=tuple(activations),
            seeds=len(elsewhere.seeds),
            baseline=baseline,
            elsewhere=elsewhere,
        )

    @property
    def is_timed(self) -> bool:
        """Whether seconds to the target are known."""
        return self.elsewhere is None or self.elsewhere.is_timed

    def subject(self, dataset: str) -> str:
        """The network on a data set, `small_cnn on mnist`, or what results are called."""
        name = self.config.model if self.elsewhere is None else self.elsewhere.title
        return f"{name} on {self.title(dataset)}" if dataset else name

    def goal(self, dataset: str) -> str:
        """The target in words: `98 %`, or what the seconds of results made elsewhere lead to."""
        if self.elsewhere is not None:
            return self.elsewhere.target or "the target"
        return f"{100 * self.target_accuracy(dataset):g} %"

    def target_accuracy(self, dataset: str) -> float:
        """The accuracy to reach on a data set, from 0 to 1."""
        if not self.targets:
            return self.config.target_accuracy
        return self.targets[self.datasets.index(dataset)]

    @property
    def common_rate(self) -> float:
        """The rate at which activations are compared: the configuration's, else the first."""
        rate = self.config.learning_rate
        return rate if rate in self.learning_rates else self.learning_rates[0]

    def runs(self) -> Iterator[Config]:
        """Seed by seed, so that a study that is stopped early has whole pairs.

        The order of the activations rotates from seed to seed: no function always has the machine
        as it is at the start, or after a certain other.
        """
        for place, seed in enumerate((*self.choosing_seeds, *self.shown_seeds)):
            first = place % len(self.activations)
            rotated = self.activations[first:] + self.activations[:first]
            for dataset in self.datasets:
                for rate in self.learning_rates:
                    for spec in rotated:
                        if self._has(seed, dataset, rate, spec):
                            yield dataclasses.replace(
                                self.config,
                                dataset=dataset,
                                learning_rate=rate,
                                activation=spec,
                                seed=seed,
                                target_accuracy=self.target_accuracy(dataset),
                            )

    @functools.cached_property
    def places(self) -> dict[tuple[str, float, str, int], int]:
        """The position of each run, by its data set, rate, activation and seed."""
        return {
            (run.dataset, run.learning_rate, run.activation, run.seed): place
            for place, run in enumerate(self.runs())
        }

    def _has(self, seed: int, dataset: str, rate: float, spec: str) -> bool:
        if not self.rate_seeds or seed in self.choosing_seeds:
            return True
        own = self.own_rate(dataset, spec)
        return rate == own or (rate == self.common_rate and not self.only_own_rates)

    def title(self, dataset: str) -> str:
        """A data set's name in tables and figures, unlike that of any other of the plan."""
        if self.elsewhere is not None:
            return dataset
        return data.titles(self.datasets)[dataset]

    def label(self, run: "Named") -> str:
        """A run in a line of text: `relu, seed 0`, and what else tells it from the others."""
        parts = [run.activation, f"seed {run.seed}"]
        if len(self.datasets) > 1:
            parts.append(self.title(run.dataset))
        if len(self.learning_rates) > 1:
            parts.append(f"learning rate {run.learning_rate:g}")
        return ", ".join(parts)

    def folder(self, run: Config) -> Path:
        """The folder of a run within the comparison's: `<activation>/seed<k>`.

        With several data sets or rates, one folder of each kind stands before it.
        """
        parts = []
        if len(self.datasets) > 1:
            parts.append(self.title(run.dataset))
        if len(self.learning_rates) > 1:
            parts.append(f"learning_rate={run.learning_rate:g}")
        return Path(*parts, folder_name(run.activation), f"seed{run.seed}")

    def spelled(self, spec: str) -> str:
        """A spec as the plan writes it, if the same function is one of the plan's."""
        if spec in self.activations:
            return spec
        return next((mine for mine in self.activations if own.same(mine, spec)), spec)

    def going_on(self, stored: "Plan") -> "Plan":
        """The plan with what means the same as in a stored one written as there, and its choices.

        Seeds that were added by what they showed stay so: no later look undoes the earlier ones.
        """
        if stored.elsewhere is not None:  # whose names are no specs
            return self
        specs = tuple(map(stored.spelled, self.activations))
        if len(set(specs)) < len(specs):  # both of two names of one function
            return self
        baseline = stored.spelled(self.baseline)
        until, rates = stored.until or self.until, self.learning_rates
        if {*rates} == {*stored.learning_rates} and self.common_rate == stored.common_rate:
            rates = stored.learning_rates  # in whatever order
        return dataclasses.replace(
            self,
            learning_rates=rates,
            config=dataclasses.replace(self.config, activation=baseline),
            activations=specs,
            baseline=baseline,
            twins=tuple((stored.spelled(a), stored.spelled(b)) for a, b in self.twins),
            until=until,
            seeds=max(self.seeds, stored.seeds) if until else self.seeds,
            own_rates=stored.own_rates,
        )

    def as_json(self) -> dict[str, Any]:
        """All of it but where runs are made, such as `data_dir`: that is no part of a comparison.

        Of results made elsewhere, what is known of them.
        """
        value = dataclasses.asdict(self)
        if self.elsewhere is not None:
            known = ("datasets", "activations", "baseline", "elsewhere")
            return {name: value[name] for name in known}
        del value["elsewhere"]
        for name in Config.OF_THE_MACHINE:
            del value["config"][name]
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Plan":
        """The plan of `as_json`, with the `data_dir` and the devices of this machine."""
        if "elsewhere" in value:
            return cls.of_results(
                Elsewhere.from_json(value["elsewhere"]),
                value["datasets"],
                value["activations"],
                value["baseline"],
            )
        names = sorted(value["activations"], key=lambda spec: spec != value["baseline"])
        return cls(
            config=Config(**value["config"]),
            datasets=tuple(value["datasets"]),
            learning_rates=tuple(value["learning_rates"]),
            activations=tuple(value["activations"]),
            seeds=value["seeds"],
            baseline=value["baseline"],
            targets=tuple(value["targets"]),
            twins=tuple(map(tuple, value.get("twins", aliases.known(names)))),
            margin_points=value.get("margin_points", statistics.POINTS.size),
            until=value.get("until", ""),
            rate_seeds=value.get("rate_seeds", 0),
            own_rates=tuple(map(tuple, value.get("own_rates", ()))),
            only_own_rates=value.get("only_own_rates", False),
        )

    def differences(self, stored: "Plan") -> list[str]:
        """The reasons why this plan cannot go on with another's runs, each in a few words.

        More epochs, seeds and activations go on with it, and another baseline changes no run.
        """
        if stored.elsewhere is not None:
            return [f"the results {stored.elsewhere.title!r}, which were made elsewhere"]
        own, other = dataclasses.asdict(self.config), dataclasses.asdict(stored.config)
        same = {*VARIED, *Config.OF_THE_MACHINE}
        pairs = [(f"config.{name}", other[name], own[name]) for name in own if name not in same]
        pairs += [
            ("learning rates", stored.learning_rates, self.learning_rates),
            ("seeds that choose rates", stored.rate_seeds, self.rate_seeds),
        ]
        changed = [(name, old, new) for name, old, new in pairs if old != new]
        if not self._same_data(stored):
            changed.append(("datasets", stored.datasets, self.datasets))
        else:
            changed += [
                (f"target of {name}", old, new)
                for there, name in zip(stored.datasets, self.datasets, strict=True)
                if (old := stored.target_accuracy(there)) != (new := self.target_accuracy(name))
            ]
        if not set(stored.activations) <= set(self.activations):
            changed.append(("activations", stored.activations, self.activations))
        if self.seeds < stored.seeds:
            changed.append(("seeds", stored.seeds, self.seeds))
        old, new = stored.config.epochs, self.config.epochs
        schedule = self.config.learning_rate_schedule
        if new < old:
            changed.append(("config.epochs", old, new))
        elif new > old and schedule != "constant":
            changed.append((f"config.epochs, for which the {schedule} rate is planned", old, new))
        return [f"{name} ({_text(old)} there, {_text(new)} now)" for name, old, new in changed]

    def _same_data(self, stored: "Plan") -> bool:
        """Whether data sets differ in the places of the user's own at most, and not in folders."""
        if len(self.datasets) != len(stored.datasets):
            return False
        return all(
            new == old
            or (
                data.is_path(new)
                and data.is_path(old)
                and (len(self.datasets) == 1 or self.title(new) == stored.title(old))
            )
            for new, old in zip(self.datasets, stored.datasets, strict=True)
        )


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else repr(value)
