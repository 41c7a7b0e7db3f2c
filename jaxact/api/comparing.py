"""`jaxact.compare`: a comparison of activations from Python, as data that shows itself."""

import contextlib
import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jaxact.api import arguments, views
from jaxact.api.arguments import Base, Spec, stop_on_interrupt
from jaxact.api.study import Study
from jaxact.api.words import for_python
from jaxact.comparison import study as studies
from jaxact.comparison.compare import COMMAND, make
from jaxact.comparison.engines import choice
from jaxact.comparison.growth import MOST_SEEDS
from jaxact.comparison.options import make_plan, split_remake
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.price import price_of
from jaxact.compilation import compiler
from jaxact.runs.process import determinism, devices
from jaxact.statistics import POINTS


def compare(
    functions: Spec | Iterable[Spec] = PAPER_ACTIVATIONS,
    config: Base = None,
    *,
    seeds: int = 3,
    workdir: str | Path | None = None,
    baseline: Spec | None = None,
    until: str | None = None,
    max_seeds: int | None = None,
    learning_rates: float | Iterable[float] | None = None,
    rate_seeds: int | None = None,
    datasets: Iterable[Any] | None = None,
    target_accuracies: float | Iterable[float] | None = None,
    margin_points: float = POINTS.size,
    aa: Spec | Iterable[Spec] | None = None,
    remake: Spec | Iterable[Spec] | None = None,
    price_per_hour: float | None = None,
    currency: str | None = None,
    compile_ahead: int | None = None,
    seeds_at_once: int = 1,
    seeds_at_once_on_cpu: bool = False,
    engine: str = choice.LOCAL,
    parallel: int | None = None,
    cpus_per_run: int | None = None,
    gpus_per_run: int | None = None,
    address: str | None = None,
    storage: str | Path | None = None,
    progress: bool = True,
    **fields: Any,
) -> Study:
    """Trains one network with each activation, seed by seed, and tells how they compare.

    What `python -m experiments.compare` does, without its files. Runs are paired: run k of every
    activation has the same initial weights, order of images and augmentation.

    Args:
      functions: the activations, or one: specs, pure functions of an array (a lambda, too), or
        records of `jaxact.activations.get`; the paper's six, if not given.
      config: what the fields that are not given are: a `jaxact.Config`, a mapping, or a file such
        as "configs/mnist.py:paper"; None: the defaults.
      seeds: runs of each; at least 5 for a test, 8 or more to tell one of six from the baseline.
      workdir: folder that keeps the runs: a comparison that was interrupted goes on when it is
        called again, and grows by more seeds, activations or epochs; None: nothing is kept but the
        study itself.
      baseline: what the others are tested against; relu, else the first.
      until: "decided": adds seeds, `max_seeds` at most, until the error of each is told from the
        baseline's or shown to equal it.
      learning_rates: rates of which the best is chosen for each activation on validation images,
        with `rate_seeds` seeds (1) before those shown.
      datasets, target_accuracies: to compare on several, by name or as arrays, with a target each.
      margin_points: a difference of errors, in percentage points, that is of no account.
      aa: an activation that is the same function as another, kept to show the machine's noise.
      remake: activations whose runs are made anew.
      price_per_hour, currency: of the machine.
      compile_ahead: programs compiled at once while another trains; None: as suits the device.
      seeds_at_once: runs of one activation that are trained in one program, on an accelerator:
        quicker where one run leaves it idle; they have no seconds then. On a CPU it gains
        nothing, and is refused unless `seeds_at_once_on_cpu`.
      engine: "local", "ray" or "slurm": what makes the runs.
      parallel, cpus_per_run, gpus_per_run: how many at once, and the cores and GPUs of each: one
        after the other in this process, if not given. Functions of a notebook need the package
        cloudpickle to be sent to other processes.
      address, storage: of a Ray cluster, and a folder that all its nodes see.
      progress: whether to show it: a line in a notebook's cell, else lines on stderr.
      **fields: of `jaxact.Config`, by name; and `slurm_partition`, `slurm_minutes` and the others
        that the command has for SLURM. `dataset` may be arrays: `(images, labels)` or
        `(images, labels, test_images, test_labels)`.

    Returns:
      The study: `study.answer()`, `study["mish"].error_percent`, `study.to_frame()`,
      `study.figure("accuracy")`, `study.report("report.html")`; in a notebook it shows itself.

    Raises:
      ConfigError, DataError: before any run is made; of one line that says what is allowed.
      KeyboardInterrupt: on Ctrl-C, once what is there has been saved.

    Example:
      >>> import jaxact
      >>> study = jaxact.compare(["relu", lambda x: x * jax.nn.sigmoid(1.5 * x)], seeds=5)
      ... # doctest: +SKIP
    """
    options: dict[str, Any] = {
        "seeds": seeds,
        "until": until,
        "max_seeds": max_seeds,
        "rate_seeds": rate_seeds,
        "margin_points": margin_points,
        "price_per_hour": price_per_hour,
        "currency": currency,
        "compile_ahead": compile_ahead,
        "seeds_at_once": seeds_at_once,
        "seeds_at_once_on_cpu": seeds_at_once_on_cpu,
        "engine": engine,
        "parallel": parallel,
        "cpus_per_run": cpus_per_run,
        "gpus_per_run": gpus_per_run,
        "address": address,
        "storage": storage,
        **{name: fields.pop(name, None) for name in choice.OPTIONS if name.startswith("slurm_")},
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(for_python())
        options = {name: arguments.option(name, value) for name, value in options.items()}
        price = price_of(options.pop("price_per_hour"), options.pop("currency"))
        maker = choice.engine_of({name: options.pop(name) for name in choice.OPTIONS})
        base = stack.enter_context(arguments.checked(config, fields, COMMAND.options))
        if datasets is not None:
            datasets = [
                stack.enter_context(arguments.named(one, base.channels_last))
                for one in arguments.several(datasets, "datasets")
            ]
        given = arguments.several(functions, "functions")
        specs = arguments.specs_of(given)

        def spec(one: Spec) -> str:
            return arguments.spec_among(given, specs, one)

        def spelled(several: Any, name: str) -> str | None:
            chosen = [] if several is None else arguments.several(several, name)
            return ",".join(map(spec, chosen)) or None

        plan = make_plan(
            base,
            ",".join(specs),
            datasets=arguments.joined(datasets, "datasets"),
            learning_rates=arguments.joined(learning_rates, "learning_rates"),
            target_accuracies=arguments.joined(target_accuracies, "target_accuracies"),
            baseline=None if baseline is None else spec(baseline),
            aa=spelled(aa, "aa"),
            given=fields.keys(),
            **options,
        )
        stack.enter_context(compiler.kept(compiler.default_folder()))
        place = stack.enter_context(arguments.folder(workdir))
        stop = stack.enter_context(stop_on_interrupt())
        if (place / studies.STUDY).exists():
            plan = plan.going_on(studies.load(place).plan)
        determinism.ask(base.deterministic)
        devices.start()
        again = split_remake(spelled(remake, "remake"), plan)
        study = studies.begin(place, plan, again)
        study, more = make(
            dataclasses.replace(study, price=price or study.price),
            place,
            stop,
            remake=again,
            most_seeds=(options["max_seeds"] or MOST_SEEDS) if options["until"] else 0,
            engine=maker,
            follow=views.of_study(progress),
        )
        if more or study.with_status(studies.MISSING):
            raise KeyboardInterrupt(_interrupted(study, workdir))
    return Study(study, place, is_temporary=workdir is None)


def _interrupted(study: studies.Study, workdir: object) -> str:
    done = len(study.runs) - len(study.with_status(studies.MISSING))
    way = "with a workdir it could go on" if workdir is None else "call it again to go on"
    return f"the comparison was stopped after {done} of {len(study.runs)} runs: {way}"
