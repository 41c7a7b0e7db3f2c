"""The batch size: epochs and seconds to the target accuracy, and the final error.

    python -m experiments.batch_size

Trains the small CNN with batches of 32 to 512 images on paired seeds, at one learning rate for all
and at one that is scaled with the batch; `--rules=swept` chooses it for every batch size and
activation on validation images, with seeds that are shown nowhere else. Each batch size and rate is
a comparison in a folder of its own, which a second start goes on with, and which
`python -m experiments.report` draws. About 5 minutes on 2 cores.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.batch_size import findings
from experiments.batch_size.findings import Key
from experiments.common import findings as common, grid, outcomes, panels, training_options
from jaxact import data, statistics
from jaxact.command import Option, Options
from jaxact.comparison import options
from jaxact.comparison.analysis import measures, sweep
from jaxact.comparison.engines import lanes
from jaxact.comparison.plan import Plan
from jaxact.comparison.study import Study
from jaxact.errors import ConfigError, did_you_mean
from jaxact.presentation.tables import Row
from jaxact.training.optimizer import SCHEDULES

SWEPT = "swept"
# (rate at the reference, batch size / reference) to the rate. Linear: Goyal et al. 2017
# (arXiv:1706.02677), of SGD. Square root, of Adam: Malladi et al. 2022 (arXiv:2205.10287).
RULES: dict[str, Callable[[float, float], float]] = {
    "constant": lambda rate, times: rate,
    "linear": lambda rate, times: rate * times,
    "sqrt": lambda rate, times: rate * times**0.5,
}
MARGIN_POINTS = 0.5  # the source's

COMMAND = outcomes.command(
    "batch_size",
    "Tells what the batch size does to epochs, to seconds and to the final error.",
    training_options.shared(
        train_examples=None,
        test_examples=None,
        model="small_cnn",
        epochs=30,
        learning_rate=3e-3,
        seeds=9,
    )
    | {
        "activations": Option("relu", "specs, separated by commas"),
        "batch_sizes": Option("32,64,128,256,512", "separated by commas"),
        "rules": Option(
            "constant,sqrt",
            f"how the rate goes with the batch size, separated by commas; of {', '.join(RULES)}, "
            f"{SWEPT}: chosen for each from --learning_rates",
        ),
        "reference_batch_size": Option(
            128, "at which --learning_rate is that of all rules", least=1
        ),
        "learning_rates": Option("0.0003,0.001,0.003,0.01", f"with --rules={SWEPT}"),
        "rate_seeds": Option(1, "seeds that choose rates, before those shown", least=1),
        **lanes.OPTIONS,
        "optimizer": Option("adam", "spec"),
        "learning_rate_schedule": Option("constant", "of each run", tuple(SCHEDULES)),
        "target_accuracy": Option(0.95, "on validation images, 0 to 1"),
        "margin_points": Option(
            MARGIN_POINTS, "a difference of errors, in percentage points, that is of no account"
        ),
    },
    "--rules=swept --batch_sizes=32,256",
    "--optimizer='sgd(momentum=0.9)' --rules=constant,linear --learning_rate=0.05",
    "--dataset=mnist --train_examples=5000 --epochs=15 --target_accuracy=0.96",
)


def perform(chosen: Options) -> outcomes.Outcome:
    """Trains, tests, draws and tells.

    Raises:
      ConfigError, DataError: an option is wrong, or the data cannot be had.
      Interrupted: by a signal; the same command goes on.
    """
    plans = plans_of(chosen)
    folders = {key: folder(*key, plan) for key, plan in plans.items()}
    made = grid.make(
        Path(chosen.workdir),
        {folders[key]: plan for key, plan in plans.items()},
        lanes.engine_of(chosen.seeds_at_once, chosen.seeds_at_once_on_cpu, compile_ahead=0),
    )
    made, notes = grid.without_marked_seconds(made)
    cells = {key: made[name] for key, name in folders.items()}
    is_timed = not notes
    specs = next(iter(cells.values())).plan.activations
    tests = findings.tests(cells, measures.error_percent)
    return outcomes.Outcome(
        title=f"Batch sizes: {chosen.model} with {chosen.optimizer} on "
        f"{chosen.train_examples or 'all'} images of {data.title(chosen.dataset)}",
        claim="a batch of 32 needs the fewest epochs; one of 256 ends equally well (within 0.5 %) "
        "and is up to 1.9 times faster, so 128 is taken as a compromise",
        source="DAWNBench (Coleman et al. 2017), as cited by the paper in its section 4.3",
        answer=" ".join([findings.in_words(cells), *(f"{note.capitalize()}." for note in notes)]),
        settings=training_options.settings(chosen),
        rows=[
            as_row(key, study, spec, tests.get(key, {}).get(spec), is_timed)
            for spec in specs
            for key, study in cells.items()
        ],
        details={"runs": [record(key, study, is_timed) for key, study in cells.items()]},
        findings=findings.of_claim(cells, is_timed),
    )


def folder(rule: str, batch_size: int, plan: Plan) -> str:
    """The place of a cell within the experiment's folder; rules that agree share it."""
    rates = rule if plan.rate_seeds else f"learning_rate={plan.common_rate:.6g}"
    return f"batch_size={batch_size}/{rates}"


def plans_of(chosen: Options) -> dict[Key, Plan]:
    """The comparison of each batch size by each rule.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    batch_sizes = options.split_values("batch_sizes", chosen.batch_sizes, "batch_size", int)
    if sorted(set(batch_sizes)) != [*batch_sizes]:
        raise ConfigError(f"--batch_sizes={chosen.batch_sizes} must rise, each value once")
    plans = {}
    for rule in split_rules(chosen.rules):
        for batch_size in batch_sizes:
            config = grid.config_of(chosen, batch_size=batch_size)
            rates = rates_of(rule, batch_size, chosen)
            plans[rule, batch_size] = grid.plan_of(config, chosen, rates, chosen.margin_points)
    return plans


def split_rules(text: str) -> list[str]:
    """The rules that `--rules` lists.

    Raises:
      ConfigError: one is unknown or stands twice, or there is none.
    """
    rules = [word.strip() for word in text.split(",") if word.strip()]
    known = (*RULES, SWEPT)
    for rule in rules:
        if rule not in known:
            raise ConfigError(
                f"--rules={text}: {rule} must be one of {', '.join(known)}"
                f"{did_you_mean(rule, known)}"
            )
    if not rules or len(set(rules)) < len(rules):
        raise ConfigError(f"--rules={text} must name one of {', '.join(known)} or more, each once")
    return rules


def rates_of(rule: str, batch_size: int, chosen: Options) -> tuple[float, ...]:
    """The learning rate of a batch size by a rule, or those to choose from.

    Raises:
      ConfigError: one is not allowed.
    """
    text = chosen.learning_rates
    if rule != SWEPT:
        text = repr(RULES[rule](chosen.learning_rate, batch_size / chosen.reference_batch_size))
    rates = options.split_values("learning_rates", text, "learning_rate", float)
    if rule == SWEPT and not 1 < len(rates) == len(set(rates)):
        raise ConfigError(f"--learning_rates={text} must name two values or more, each once")
    return rates


def as_row(
    key: Key, study: Study, spec: str, test: statistics.Comparison | None, is_timed: bool
) -> Row:
    """A batch size by a rule, with an activation."""
    rule, batch_size = key
    epochs = grid.by_seed(study, measures.epoch_to_target)[spec]
    row: dict[str, Any] = {
        "activation": spec,
        "batch": str(batch_size),
        "rate": f"{rule}, {study.rate(grid.own(study), spec):.3g}",
        "reached": f"{np.isfinite(epochs).sum()}/{len(epochs)}",
        "epochs to target": outcomes.spread(epochs, miss="never"),
    }
    if is_timed:
        for heading, measure in findings.SECONDS.items():
            row[heading] = outcomes.spread(grid.by_seed(study, measure)[spec], miss="never")
    errors = grid.by_seed(study, measures.error_percent)[spec]
    return row | {
        "test error %": outcomes.spread(errors, miss="diverged"),
        "points more, p": common.against(test) if test else None,
    }


def record(key: Key, study: Study, is_timed: bool) -> Mapping[str, Any]:
    """The raw figures of a cell."""
    shown = {"test_errors": measures.error_percent, "epochs_to_target": measures.epoch_to_target}
    if is_timed:
        shown |= {"seconds_to_target": measures.seconds_to_target}
        shown |= {"train_seconds": measures.train_seconds}
    rates = {spec: study.rate(grid.own(study), spec) for spec in study.plan.rivals}
    dataset = study.plan.datasets[0]
    return {
        "rule": key[0],
        "batch_size": key[1],
        "learning_rates": rates,
        "validation_errors_by_rate": {
            spec: {f"{r:g}": e for r, e in sweep.errors_by_rate(study, dataset, spec).items()}
            for spec in study.plan.rivals
            if sweep.is_sweep(study)
        },
        **{name: grid.by_seed(study, measure) for name, measure in shown.items()},
        "curves": {spec: panels.curves(study, spec) for spec in study.plan.activations},
    }
