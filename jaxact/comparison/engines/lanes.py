"""Makes the runs of a comparison several seeds at once: those of one recipe in one program.

For surveys and sweeps on an accelerator, which one small network leaves idle: accuracy is
compared, and no run has seconds of its own.
"""

import contextlib
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax

from jaxact.command import Option, Options
from jaxact.comparison.engines.local import FAILURES, check_function, make_run, one_line
from jaxact.comparison.live import StudyView
from jaxact.comparison.plan import Plan
from jaxact.comparison.study import DIVERGED, DONE, FAILED, MISSING, Run, Study, read_run
from jaxact.config import Config
from jaxact.errors import ConfigError, Interrupted
from jaxact.runs.ahead import Ahead
from jaxact.runs.at_once import group as at_once
from jaxact.runs.process import shared_machine
from jaxact.runs.process.signals import StopRequest
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
        False, "with --seeds_at_once: on a CPU too, where it is slower than one after another"
    ),
}


def chosen(options: Options) -> dict[str, Any]:
    """The options of this engine among those of a command."""
    return {name: getattr(options, name) for name in OPTIONS}


class Group(NamedTuple):
    """Runs that are made at once.

    Attributes:
      configs: that differ in the seed alone.
      is_missing: of each, whether it is to be made; else its lane is filled.
    """

    configs: tuple[Config, ...]
    is_missing: tuple[bool, ...]

    def label(self, plan: Plan) -> str:
        """The group in a line of text: `relu, seed 0 and 3 more at once`."""
        return f"{plan.label(self.configs[0])} and {len(self.configs) - 1} more at once"


def check(seeds_at_once: int, seeds_at_once_on_cpu: bool) -> None:
    """Refuses seeds at once where they are slower; call it when JAX has been started.

    Raises:
      ConfigError: there is no accelerator, and nobody has said that it does not matter.
    """
    if seeds_at_once_on_cpu and seeds_at_once == 1:
        raise ConfigError(
            "--seeds_at_once_on_cpu is of use with several --seeds_at_once alone: leave it out"
        )
    is_cpu = jax.default_backend() == "cpu"
    if seeds_at_once > 1 and is_cpu and not seeds_at_once_on_cpu:
        raise ConfigError(
            f"--seeds_at_once={seeds_at_once} is for accelerators: on a CPU it is slower than one "
            "after another; leave it out, or add --seeds_at_once_on_cpu"
        )


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


def make_missing(
    study: Study,
    workdir: Path,
    stop: StopRequest,
    ahead: Ahead,
    follow: Callable[[Study], StudyView] = StudyView,
    *,
    count: int,
) -> Study:
    """The study with its missing runs made, `count` at once; as `local.make_missing`."""
    todo = groups(study, workdir, count)
    if not todo:
        return study
    with follow(study) as view:
        for place, group in enumerate(todo):
            if stop:
                break
            compile_next(todo[place + 1 :], group, ahead)
            for run in made(study, workdir, group, view, stop, ahead):
                study = study.with_run(run)
                study.save(workdir)
                if run.status != MISSING:
                    view.end_run(study, run)
    return study


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


def made(
    study: Study,
    workdir: Path,
    group: Group,
    view: StudyView,
    stop: StopRequest,
    ahead: Ahead,
) -> Iterator[Run]:
    """Makes the runs of a group, or goes on with those that were stopped; each as it ends."""
    if len(group.configs) == 1:
        yield make_run(study, workdir, group.configs[0], view, stop, ahead)
        return
    left = dict(enumerate(group.configs))
    folders = [
        workdir / study.plan.folder(config) if is_missing else None
        for config, is_missing in zip(group.configs, group.is_missing, strict=True)
    ]
    status, note = MISSING, ""
    try:
        check_function(study, group.configs[0].activation)
        follow = view.begin_run(group.configs[0], group.label(study.plan))
        for place, error in at_once.train(group.configs, folders, stop, follow):
            own = (DONE, "") if error is None else (DIVERGED, str(error).split(";")[0])
            yield read_run(workdir, study.plan, left.pop(place), *reversed(own))
    except Interrupted:
        pass
    except Exception as error:
        status, note = FAILED, one_line(error)
        with open(workdir / FAILURES, "a", encoding="utf-8") as file:
            file.write(f"{group.label(study.plan)}\n{traceback.format_exc()}\n")
    for place, config in left.items():
        if folders[place] is not None:
            yield read_run(workdir, study.plan, config, note, status)
