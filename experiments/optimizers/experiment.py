"""Adam against SGD with momentum, at few and at many epochs, each at its own best learning rates.

    python -m experiments.optimizers

Trains the small CNN with each optimizer for each number of epochs, its learning rate falling to
zero at their end. The rate is chosen for every activation, optimizer and number of epochs, on
validation images and on seeds that are shown nowhere else; then fresh, paired seeds are trained
with it and read the test images once. Each optimizer and number of epochs is a comparison in a
folder of its own, which a second start goes on with, and which `python -m experiments.report`
draws. About 10 minutes on 2 cores.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.common import findings as common, grid, outcomes, panels, training_options
from experiments.optimizers import findings
from experiments.optimizers.findings import Key
from jaxact import data, statistics
from jaxact.command import Option, Options
from jaxact.comparison import options
from jaxact.comparison.analysis import measures, sweep
from jaxact.comparison.engines import lanes
from jaxact.comparison.paper.tables import PAPER_ACTIVATIONS
from jaxact.comparison.plan import Plan, folder_name
from jaxact.comparison.study import Study
from jaxact.errors import ConfigError
from jaxact.presentation.tables import Row
from jaxact.specs import split_list
from jaxact.training.optimizer import SCHEDULES, canonical

# The rates that are tried of an optimizer, by its name.
RATES = {
    "adam": "0.001,0.003,0.01",
    "adamw": "0.001,0.003,0.01",
    "sgd": "0.01,0.03,0.1",
    "rmsprop": "0.0003,0.001,0.003",
    "lion": "0.0001,0.0003,0.001",
    "muon": "0.001,0.003,0.01",
}

COMPILE_AHEAD = 1  # programs, while a run trains: no seconds are compared

COMMAND = outcomes.command(
    "optimizers",
    "Compares optimizers at few and at many epochs, each at its own best learning rates.",
    training_options.shared(
        train_examples=200, test_examples=None, model="small_cnn", batch_size=25, seeds=8
    )
    | {
        "activations": Option(",".join(PAPER_ACTIVATIONS), "specs, separated by commas"),
        "optimizers": Option(
            "adam,sgd(momentum=0.9, nesterov=True)",
            "specs, separated by commas; the others are tested against the first",
        ),
        "epochs": Option("10,120", "numbers of them, from few to many, separated by commas"),
        "learning_rates": Option(
            None,
            "to choose from: a list for each optimizer, separated by semicolons, as in "
            "0.001,0.01;0.1,0.3",
            str,
        ),
        "rate_seeds": Option(1, "seeds that choose rates, before those shown", least=1),
        **lanes.OPTIONS,
        "learning_rate_schedule": Option("cosine", "of each run", tuple(SCHEDULES)),
        "target_accuracy": Option(0.9, "on validation images, 0 to 1"),
        "margin_points": Option(
            statistics.POINTS.size,
            "a difference of errors, in percentage points, that is of no account",
        ),
    },
    "--activations=relu --optimizers='adam,lion,muon' --epochs=5,20",
    "--optimizers='sgd(momentum=0.9),sgd' --learning_rates='0.03,0.1;0.1,0.3'",
    "--dataset=mnist --train_examples=5000 --test_examples=10000 --epochs=5,101",
)


def perform(chosen: Options) -> outcomes.Outcome:
    """Chooses rates, trains, tests, draws and tells.

    Raises:
      ConfigError, DataError: an option is wrong, or the data cannot be had.
      Interrupted: by a signal; the same command goes on.
    """
    plans = plans_of(chosen)
    folders = {key: folder(*key) for key in plans}
    made = grid.make(
        Path(chosen.workdir),
        {folders[key]: plan for key, plan in plans.items()},
        lanes.engine_of(chosen.seeds_at_once, chosen.seeds_at_once_on_cpu, COMPILE_AHEAD),
    )
    cells = {key: made[name] for key, name in folders.items()}
    several = [*dict.fromkeys(epochs for _, epochs in cells)]
    tests = {epochs: findings.tests(cells, epochs) for epochs in several}
    return outcomes.Outcome(
        title=f"Optimizers at {' and '.join(map(str, several))} epochs: {chosen.model} on "
        f"{chosen.train_examples or 'all'} images of {data.title(chosen.dataset)}",
        claim="Adam converges sooner than SGD with momentum when epochs are few; SGD with momentum "
        "ends more accurate when they are many, over 100",
        source="DAWNBench (Coleman et al. 2017), as cited by the paper in its section 4.3",
        answer=findings.in_words(cells),
        settings=training_options.settings(chosen)
        | {"learning_rates": {key[0]: plan.learning_rates for key, plan in plans.items()}},
        rows=[
            as_row(cells[optimizer, epochs], optimizer, spec, tests[epochs])
            for epochs in several
            for spec in next(iter(cells.values())).plan.activations
            for optimizer in dict.fromkeys(name for name, _ in cells)
        ],
        details={"runs": [record(key, study) for key, study in cells.items()]},
        findings=findings.of_claim(cells),
    )


def folder(optimizer: str, epochs: int) -> str:
    """The place of a cell within the experiment's folder."""
    return f"{folder_name(optimizer)}/epochs={epochs}"


def plans_of(chosen: Options) -> dict[Key, Plan]:
    """The comparison of each optimizer at each number of epochs.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    several = options.split_values("epochs", chosen.epochs, "epochs", int)
    if sorted(set(several)) != [*several]:
        raise ConfigError(f"--epochs={chosen.epochs} must rise, each value once")
    optimizers = split_optimizers(chosen.optimizers)
    rates = split_rates(chosen.learning_rates, optimizers)
    return {
        (optimizer, epochs): grid.plan_of(
            grid.config_of(chosen, optimizer=optimizer, epochs=epochs),
            chosen,
            rates[optimizer],
            chosen.margin_points,
        )
        for epochs in several
        for optimizer in optimizers
    }


def split_optimizers(text: str) -> list[str]:
    """The optimizers that `--optimizers` lists, as their canonical specs.

    Raises:
      ConfigError: one is wrong or stands twice, or there is none.
    """
    try:
        optimizers = [canonical(spec) for spec in split_list(text) if spec]
    except ConfigError as error:
        raise ConfigError(f"--optimizers={text}: {error}") from error
    if not optimizers or len(set(optimizers)) < len(optimizers):
        raise ConfigError(f"--optimizers={text} must name one optimizer or more, each once")
    return optimizers


def split_rates(text: str | None, optimizers: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """The learning rates to choose from, by optimizer.

    Raises:
      ConfigError: one is wrong or stands twice, or an optimizer has none.
    """
    if text is None:
        lacking = [spec for spec in optimizers if findings.name_of(spec) not in RATES]
        if lacking:
            raise ConfigError(
                f"--learning_rates must be given for {lacking[0]}: of {', '.join(RATES)} it is "
                "known where to look"
            )
        lists = [RATES[findings.name_of(spec)] for spec in optimizers]
    else:
        lists = text.split(";")
        if len(lists) != len(optimizers):
            raise ConfigError(
                f"--learning_rates={text} must hold a list for each of {len(optimizers)} "
                f"optimizers ({', '.join(optimizers)}), separated by semicolons"
            )
    rates = {}
    for optimizer, one in zip(optimizers, lists, strict=True):
        rates[optimizer] = options.split_values("learning_rates", one, "learning_rate", float)
        if len(set(rates[optimizer])) < len(rates[optimizer]):
            raise ConfigError(f"--learning_rates={one} must name each value once")
    return rates


def as_row(
    study: Study,
    optimizer: str,
    spec: str,
    tests: Mapping[tuple[str, str], statistics.Comparison],
) -> Row:
    """An optimizer with an activation at a number of epochs."""
    epochs = grid.by_seed(study, measures.epoch_to_target)[spec]
    test = tests.get((optimizer, spec))
    return {
        "activation": spec,
        "epochs": str(study.plan.config.epochs),
        "optimizer": optimizer,
        "learning rate": study.rate(grid.own(study), spec),
        "edge": edge(study, spec),
        "reached": f"{sum(one < float('inf') for one in epochs)}/{len(epochs)}",
        "epochs to target": outcomes.spread(epochs, miss="never"),
        "test error %": outcomes.spread(
            grid.by_seed(study, measures.error_percent)[spec], miss="diverged"
        ),
        "points more, p": common.against(test) if test else None,
    }


def edge(study: Study, spec: str) -> str | None:
    """The end of the rates that were tried at which the chosen one lies, if it does."""
    rate = study.rate(grid.own(study), spec)
    return sweep.edge(study, rate) or None if sweep.is_sweep(study) else None


def record(key: Key, study: Study) -> dict[str, object]:
    """The raw figures of a cell."""
    return {
        "optimizer": key[0],
        "epochs": key[1],
        "learning_rates": {spec: study.rate(grid.own(study), spec) for spec in study.plan.rivals},
        "validation_errors_by_rate": {
            spec: {
                f"{rate:g}": error
                for rate, error in sweep.errors_by_rate(study, study.plan.datasets[0], spec).items()
            }
            for spec in study.plan.rivals
        },
        "test_errors": grid.by_seed(study, measures.error_percent),
        "epochs_to_target": grid.by_seed(study, measures.epoch_to_target),
        "curves": {spec: panels.curves(study, spec) for spec in study.plan.activations},
    }
