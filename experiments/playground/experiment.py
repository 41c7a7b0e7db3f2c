"""python -m experiments.playground [--activations=SPEC,...] [--problems=NAME,...] [--seeds=N]

How many epochs a net of two hidden layers needs on the four 2-D problems of the TensorFlow
playground, with each activation, over many seeds at once. Network, loss and training are the
playground's: 4 and 2 units, learning rate 0.03, batches of 10, half of 500 points to train on.
Expected time: half a minute on two CPU cores.
"""

import math
import sys
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from experiments.common import outcomes
from experiments.playground import training
from experiments.playground.findings import ORDER, Cell, Cells, answer, as_record, losses_of, rows
from experiments.playground.problems import LARGEST_NOISE, PROBLEMS, Problem, draw
from experiments.playground.training import Recipe
from jaxact import activations
from jaxact.command import Option, Options
from jaxact.comparison import options as options_of
from jaxact.errors import ConfigError, did_you_mean

CLAIM = (
    "with ReLU a net with two hidden layers converges after about 61 epochs, with tanh after over "
    "100, with sigmoid after over 1000"
)
SOURCE = "a tutorial on ReLU, from one run of each in the TensorFlow playground"
POINTS = 500
DEFAULTS = Recipe()

COMMAND = outcomes.command(
    "playground",
    "Epochs to convergence on the TensorFlow playground's 2-D problems, by activation.",
    {
        "activations": Option(",".join(ORDER), "specs, by commas"),
        "problems": Option(",".join(PROBLEMS), "by commas"),
        "seeds": Option(20, "runs of each"),
        "epochs": Option(DEFAULTS.epochs, "a run that has not converged by then is a miss"),
        "target_loss": Option(
            DEFAULTS.target_loss, "training loss to reach, half the mean squared error"
        ),
        "hold": Option(DEFAULTS.hold, "epochs in a row that the loss must stay there"),
        "noise": Option(0.0, f"0 to {LARGEST_NOISE:g}"),
        "hidden": Option("4,2", "units of each hidden layer, by commas"),
        "learning_rate": Option(DEFAULTS.learning_rate, "of gradient descent"),
        "batch_size": Option(DEFAULTS.batch_size, "points of a step"),
    },
    "--activations=relu,gelu,'snake(frequency=2)' --problems=spiral --hidden=8,8",
    "--noise=0.25 --seeds=50",
)


def perform(options: Options) -> outcomes.Outcome:
    """Trains every activation on every problem and says how they compare.

    Raises:
      ConfigError: an option is wrong.
    """
    specs = options_of.split_specs(options.activations)
    for spec in specs:
        if isinstance(activations.get(spec), activations.ChannelActivation):
            raise ConfigError(
                f"--activations: {spec} sees channels, for which these networks have no room; "
                "leave it out"
            )
    recipe = recipe_of(options)
    problems = choose_problems(options.problems)
    if options.seeds < 1:
        raise ConfigError(f"--seeds={options.seeds} must be a whole number from 1")
    if not 0 <= options.noise <= LARGEST_NOISE:
        raise ConfigError(f"--noise={options.noise} must be from 0 to {LARGEST_NOISE:g}")
    drawn = {
        problem: [draw(problem, seed, POINTS, options.noise) for seed in range(options.seeds)]
        for problem in problems
    }
    cells: dict[tuple[str, str], Cell] = {}
    for spec in specs:
        print(f"training {spec} ...", file=sys.stderr, flush=True)
        cells |= cells_of(spec, recipe, drawn)
    cells = {(problem, spec): cells[problem, spec] for problem in problems for spec in specs}
    return outcomes.Outcome(
        title="Epochs to convergence in the playground",
        claim=CLAIM,
        source=SOURCE,
        answer=answer(cells, recipe),
        settings={
            "activations": specs,
            "problems": problems,
            "seeds": options.seeds,
            "noise": options.noise,
            "points": POINTS,
            **recipe._asdict(),
        },
        rows=rows(cells, recipe),
        details={"runs": as_record(cells)},
    )


def cells_of(spec: str, recipe: Recipe, drawn: Mapping[str, Sequence[Problem]]) -> Cells:
    """The runs of one activation on every problem: trained together, told apart here."""
    activation = activations.get(spec)
    problems = [problem for of_seeds in drawn.values() for problem in of_seeds]
    seeds = [seed for of_seeds in drawn.values() for seed in range(len(of_seeds))]
    trained = training.train(activation, recipe, problems, seeds)
    test = training.stacked([problem.test for problem in problems])
    accuracies = training.accuracy(activation, trained.params, test)
    epochs = np.where(trained.converged == 0, math.inf, trained.converged)
    cells, start = {}, 0
    for name, of_seeds in drawn.items():
        part = slice(start, start + len(of_seeds))
        shown = median_run(epochs[part])
        cells[name, spec] = Cell(
            converged=epochs[part],
            accuracies=accuracies[part],
            losses=losses_of(trained.losses[part]),
            shown=shown,
            params=jax.tree.map(lambda leaf, run=start + shown: leaf[run].tolist(), trained.params),
        )
        start = part.stop
    return cells


def median_run(converged: Sequence[float] | np.ndarray) -> int:
    """The position of the run in the middle; the lower of two, misses after all others."""
    order = np.argsort(converged, kind="stable")
    return int(order[(len(order) - 1) // 2])


def recipe_of(options: Options) -> Recipe:
    """The training that the options describe.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    try:
        hidden = tuple(int(word) for word in options.hidden.split(","))
    except ValueError:
        hidden = ()
    if not hidden or min(hidden) < 1:
        raise ConfigError(f"--hidden={options.hidden} must be whole numbers from 1, by commas")
    for name in ("epochs", "hold"):
        if getattr(options, name) < 1:
            raise ConfigError(f"--{name}={getattr(options, name)} must be a whole number from 1")
    for name in ("learning_rate", "target_loss"):
        value = getattr(options, name)
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(f"--{name}={value} must be a number above 0")
    if not 1 <= options.batch_size <= POINTS // 2:
        raise ConfigError(
            f"--batch_size={options.batch_size} must be a whole number from 1 to {POINTS // 2}, "
            "the points to train on"
        )
    return Recipe(
        hidden=hidden,
        learning_rate=options.learning_rate,
        batch_size=options.batch_size,
        epochs=options.epochs,
        target_loss=options.target_loss,
        hold=options.hold,
    )


def choose_problems(text: str) -> list[str]:
    """Names of problems, separated by commas.

    Raises:
      ConfigError: a name is unknown or stands twice, or there is none.
    """
    names = [word.strip() for word in text.split(",") if word.strip()]
    for name in names:
        if name not in PROBLEMS:
            known = ", ".join(PROBLEMS)
            raise ConfigError(
                f"--problems={text}: {name!r} is unknown{did_you_mean(name, PROBLEMS)} "
                f"(one or more of {known})"
            )
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"--problems={text} must name one problem or more, each once")
    return names
