"""Makes the runs of a comparison several seeds at once: those of one recipe in one program.

For surveys and sweeps on an accelerator, which one small network leaves idle: accuracy is
compared, and no run has seconds of its own.
"""

import contextlib
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jax

from jaxact.command import Option
from jaxact.comparison.engines.attempts import attempt, check_function, one_line
from jaxact.comparison.engines.engine import Ended, Engine, Work
from jaxact.comparison.engines.in_process import InProcess
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING, Run, Study
from jaxact.config import Config
from jaxact.errors import ConfigError, Interrupted
from jaxact.runs.ahead import Ahead, default_threads
from jaxact.runs.at_once import group as at_once
from jaxact.runs.process import shared_machine
from jaxact.runs.records import record_files
from jaxact.runs.records.checkpoint import steps_in
from jaxact.runs.setup import prepare

OPTIONS = {
    "seeds_at_once": Option(
        1,
        "runs of one activation that are trained at once, in one program, on an accelerator: "
        "quicker where one run leaves it idle; no seconds are compared then",
        least=1,
    ),
    "seeds_at_once_on_cpu": Option(
        False, "with --seeds_at_once: on a CPU too, where it gains nothing over one after another"
    ),
}


def engine_of(count: int, on_cpu: bool, compile_ahead: int | None = None) -> Engine:
    """The engine that trains so many seeds at once.

    Args:
      count: 1: one after the other.
      on_cpu: whether also where that gains nothing.
      compile_ahead: as `InProcess` takes it.

    Raises:
      ConfigError: `on_cpu` is of no use.
    """
    if count > 1:
        return SeedsAtOnce(count, on_cpu, compile_ahead)
    if on_cpu:
        raise ConfigError(
            "--seeds_at_once_on_cpu is of use with several --seeds_at_once alone: leave it out"
        )
    return InProcess(compile_ahead)


def seeds_of(engine: Engine) -> int:
    """The seeds that an engine makes at once."""
    return engine.count if isinstance(engine, SeedsAtOnce) else 1


class Group(NamedTuple):
    """Runs that are made at once.

    Attributes:
      configs: that differ in the seed alone.
      is_missing: of each, whether it is to be made; else its lane is filled.
    """

    configs: tuple[Config, ...]
    is_missing: tuple[bool, ...]


def groups(study: Study, workdir: Path, most: int) -> list[Group]:
    """The missing runs of a study by what is made at once, in the order of the first of each.

    A group that was stopped goes on as it was, its lanes included whose runs have ended: then the
    others end as if it had not been. Others are put together with those that stand at their step.

    Args:
      most: runs that are made at once.
    """
    pairs = list(zip(study.plan.runs(), study.runs, strict=True))
    recipes: dict[tuple[str, float, str], dict[int, tuple[Config, Run]]] = {}
    for config, run in pairs:
        recipe = recipes.setdefault((run.dataset, run.learning_rate, run.activation), {})
        recipe[run.seed] = config, run
    found = [
        Group(
            tuple(recipe[seed][0] for seed in seeds),
            tuple(recipe[seed][1].status == MISSING for seed in seeds),
        )
        for recipe in recipes.values()
        for seeds in _together(
            {seed: run for seed, (_, run) in recipe.items()},
            {
                s: steps_in(_checkpoints(study, workdir, config))
                for s, (config, _) in recipe.items()
            },
            most,
        )
    ]
    order = {config: place for place, (config, _) in enumerate(pairs)}
    return sorted(found, key=lambda group: order[group.configs[group.is_missing.index(True)]])


def _checkpoints(study: Study, workdir: Path, config: Config) -> Path:
    return workdir / study.plan.folder(config) / record_files.CHECKPOINTS


def _together(runs: dict[int, Run], steps: dict[int, list[int]], most: int) -> list[list[int]]:
    """The seeds of the missing runs of a recipe in groups.

    Args:
      runs: by seed.
      steps: of the checkpoints of each.
      most: seeds in a group.
    """
    missing = [seed for seed, run in runs.items() if run.status == MISSING]
    found: list[list[int]] = []
    alike: dict[int, list[int]] = {}  # by the step that they stand at
    for seed in missing:
        if any(seed in group for group in found):
            continue
        begun = runs[seed].environment.get(shared_machine.AT_ONCE, [])
        others = [steps[other] for other in begun if other in missing]
        if (
            1 < len(begun) <= most
            and runs.keys() >= {*begun}
            and at_once.common_step(others) is not None
        ):
            found.append(begun)
        else:
            alike.setdefault(max(steps[seed], default=0), []).append(seed)
    for seeds in alike.values():
        found += [seeds[first : first + most] for first in range(0, len(seeds), most)]
    return found


class SeedsAtOnce(Engine):
    """Makes runs several seeds at once, group after group, in this process.

    Args:
      count: runs that are made at once.
      on_cpu: whether also on a CPU.
      compile_ahead: as `jaxact.comparison.engines.in_process.InProcess` takes it.
    """

    def __init__(self, count: int, on_cpu: bool = False, compile_ahead: int | None = None):
        self.count, self._on_cpu, self._compile_ahead = count, on_cpu, compile_ahead

    def refuse_cpu(self) -> None:
        """Starts JAX, and raises ConfigError where seeds at once gain nothing, unless asked."""
        if jax.default_backend() == "cpu" and not self._on_cpu:
            raise ConfigError(
                f"--seeds_at_once={self.count} is for accelerators: on a CPU it gains nothing over "
                "one after another; leave it out, or add --seeds_at_once_on_cpu"
            )

    def runs(self, work: Work) -> Iterator[tuple[Config, Ended]]:
        """The runs as they end; see `jaxact.comparison.engines.engine.Engine`."""
        threads = default_threads() if self._compile_ahead is None else self._compile_ahead
        todo = groups(work.study, work.workdir, self.count)
        with Ahead(threads) as ahead:
            for place, group in enumerate(todo):
                if work.stop:
                    return
                compile_next(todo[place + 1 :], group, ahead)
                yield from made(work, group, ahead)


def compile_next(later: Sequence[Group], group: Group, ahead: Ahead) -> None:
    """Has the programs of later groups on the same data compiled, in their order."""
    programs: dict[tuple[str, float, int], Group] = {}  # the first group that needs each
    for other in later if ahead.works else ():
        first, count = other.configs[0], len(other.configs)
        if first.dataset == group.configs[0].dataset:
            programs.setdefault((first.activation, first.learning_rate, count), other)
    for other in programs.values():
        with contextlib.suppress(Exception):  # its runs tell what is wrong
            is_alone = len(other.configs) == 1
            ahead.add(prepare(other.configs[0]) if is_alone else at_once.prepare(other.configs))


def made(work: Work, group: Group, ahead: Ahead) -> Iterator[tuple[Config, Ended]]:
    """Makes the runs of a group, or goes on with those that were stopped; each as it ends."""
    first = group.configs[group.is_missing.index(True)]
    function, follow = work.study.functions.get(first.activation), work.view.begin_run(first)
    if len(group.configs) == 1:
        yield first, attempt(first, work.folder(first), function, follow, work.stop, ahead)
        return
    left = {p: c for p, c in enumerate(group.configs) if group.is_missing[p]}
    folders = [work.folder(left[p]) if p in left else None for p in range(len(group.configs))]
    end = Ended(MISSING)
    try:
        check_function(function, first.activation)
        for place, error in at_once.train(group.configs, folders, work.stop, follow):
            is_done = error is None
            own = Ended(DONE) if is_done else Ended(DIVERGED, str(error).split(";")[0])
            yield left.pop(place), own
    except Interrupted:
        pass
    except Exception as error:
        end = Ended(FAILED, one_line(error), traceback.format_exc())
    for config in left.values():
        yield config, end
        end = end._replace(traceback="")  # it is said once for all of them
