"""Draws activation functions and their derivatives: `python -m experiments.plot_activations`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.plot_activations import graphs, plots
from jaxact import activations
from jaxact.activations import Activation
from jaxact.command import Command, Option, Options
from jaxact.comparison.options import split_specs
from jaxact.comparison.study import folder_name
from jaxact.errors import ConfigError
from jaxact.presentation import drawing
from jaxact.runs.process import devices

# What the paper draws (figures 1 to 5), and its baseline.
PAPER = ("relu", "leaky_relu", "prelu", "elu", "selu", "tanh")
SETS = ("paper", "tutorial", "each", "sheet")
COMMAND = Command(
    "python -m experiments.plot_activations",
    """\
Draws activation functions beside their derivatives, as PNG and SVG: the paper's figures, sigmoid
over ReLU and ReLU beside Leaky ReLU, every registered function, and a sheet of them all.""",
    {
        "out": Option("runs/activations", "folder of the figures", Path),
        "specs": Option(None, "draw only these, each and on a sheet: SPEC,SPEC,...", str),
        "sets": Option(None, f"of {', '.join(SETS)}; all, if not given; with --specs two", str),
    },
    examples=(
        "",
        "--sets=paper,sheet --out=docs/figures",
        "--specs='swish(beta=1.5),my_module:my_function'",
    ),
)


def choose(text: str) -> list[Activation]:
    """The activations that specs name, separated by commas outside brackets.

    Raises:
      ConfigError: a spec is wrong, stands twice or cannot be evaluated, or there is none.
    """
    chosen = [activations.get(spec) for spec in split_specs(text, "specs")]
    for activation in chosen:
        if not graphs.has_curve(activation):
            raise ConfigError(
                f"--specs={text}: {activation.spec} draws its parameters for the channels that it "
                "sees, so it has no curve before; leave it out"
            )
        try:
            graphs.derivative(activation, graphs.value(activation, np.zeros(2)))
        except Exception as error:  # a user's function may raise anything
            reason = " ".join(str(error).split())[:200]
            raise ConfigError(
                f"--specs={text}: {activation.spec} fails on an array of numbers "
                f"({type(error).__name__}: {reason}); see python -m jaxact.check"
            ) from error
    return chosen


def registered() -> list[str]:
    """The names of all registered functions that have a curve, those of channels last."""
    names = (*activations.names(), *activations.channel_names())
    return [name for name in names if graphs.has_curve(activations.get(name))]


def without_curve() -> list[str]:
    """The names of the others."""
    return [name for name in activations.channel_names() if name not in registered()]


def choose_sets(text: str) -> list[str]:
    """Raises ConfigError for a name that is none of SETS."""
    names = [word.strip() for word in text.split(",") if word.strip()]
    if not names or not set(names) <= set(SETS):
        raise ConfigError(f"--sets={text} must be of {', '.join(SETS)}, separated by commas")
    return names


def figures(sets: Sequence[str], chosen: Sequence[Activation]) -> Iterator[tuple[str, Figure]]:
    """Names of files, and figures; `each` and `sheet` show `chosen`."""
    if "paper" in sets:
        for name in PAPER:
            is_log = name == "leaky_relu"
            activation = activations.get(name)
            figure = plots.function_and_derivative(activation, log_derivative=is_log)
            yield f"paper_{name}", figure
    if "tutorial" in sets:
        yield "sigmoid_over_relu", plots.sigmoid_over_relu()
        yield "relu_beside_leaky_relu", plots.relu_beside_leaky_relu()
    if "each" in sets:
        for activation in chosen:
            figure = plots.function_and_derivative(activation)
            yield f"activation_{folder_name(activation.spec)}", figure
    if "sheet" in sets:
        known = [activations.get(name) for name in registered()]
        is_all = {*known} == {*chosen}
        yield "activations", plots.contact_sheet(chosen, without_curve() if is_all else ())


def draw(sets: Sequence[str], chosen: Sequence[Activation], folder: Path) -> list[Path]:
    """Writes the figures and returns the files.

    Raises:
      ConfigError: the folder cannot be written.
    """
    paths = []
    for name, figure in figures(sets, chosen):
        try:
            paths += drawing.save(figure, folder, name)
        except OSError as error:
            raise ConfigError(
                f"--out={folder} cannot be written ({error.strerror}); choose another"
            ) from error
    return paths


def perform(options: Options) -> None:
    """Draws what the options name."""
    devices.start()  # or each function would seem to fail
    sets = choose_sets(options.sets or ("each,sheet" if options.specs else ",".join(SETS)))
    specs = options.specs if options.specs is not None else ",".join(registered())
    paths = draw(sets, choose(specs), Path(options.out))
    print(f"{len(paths)} files in {options.out}")
