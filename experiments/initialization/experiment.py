"""python -m experiments.initialization [--activations=SPEC,...] [--width=4096] [--depth=6]

What initial weights do to a deep network before it has learned anything: standard normal inputs go
through fully connected layers, once for every initialiser of `--config.kernel_init` and every
activation, and a gradient comes back. Mean, deviation, histogram and gradient norm of each layer,
and a verdict by stated thresholds. The lecture's network (6 layers of 4096 units, batch 16) takes
about 40 s on 2 cores.
"""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from experiments.common import outcomes
from experiments.initialization.deep_network import (
    SLOPE_SHARE,
    Layer,
    flat_share,
    histogram_range,
    mean_of_draws,
    pass_through,
)
from jaxact import activations
from jaxact.activations import Activation
from jaxact.command import Option, Options
from jaxact.comparison.options import split_specs
from jaxact.errors import ConfigError
from jaxact.models.layers.initializers import KERNEL_INITIALIZERS

# Verdicts, and their thresholds. Factors are those from one layer to the next, geometric means over
# the layers; so they do not depend on the depth.
SATURATED, VANISHING, EXPLODING, RIGHT = "saturated", "vanishing", "exploding", "just right"
MOST_FLAT = 0.25  # of the inputs, more than of a standard normal input
LOWEST_FACTOR = 2 ** (-1 / 3)  # halved in three layers
HIGHEST_FACTOR = 2 ** (1 / 3)  # doubled in three layers
THRESHOLDS = (
    f"saturated: |f'| is below {SLOPE_SHARE:.0%} of its largest value for {100 * MOST_FLAT:.0f} "
    "points more of the inputs of activations than for standard normal ones; vanishing (exploding):"
    " from layer to layer the deviation of the outputs, or the gradient on its way back, falls "
    "(grows) faster than by half (double) in three layers; just right: none of these"
)

COMMAND = outcomes.command(
    "initialization",
    "Shows how initial weights decide what the layers of a deep network pass on.",
    {
        "activations": Option("tanh,relu", "specs"),
        "width": Option(4096, "units"),
        "depth": Option(6, "layers"),
        "batch": Option(16, "inputs"),
        "seeds": Option(1, "draws"),
    },
    "--activations=tanh,relu,selu,sigmoid",
    "--width=1024 --depth=20 --seeds=3",
)
LIMITS = {"width": (1, 2**14), "depth": (2, 100), "batch": (1, 4096), "seeds": (1, 100)}
MOST_BYTES = 2**32  # of all weights of a network: they are kept for the way back


def factor(first: float, last: float, steps: int) -> float:
    """The geometric mean of the factor from layer to layer; 0 where nothing is left."""
    return (last / first) ** (1 / steps) if first > 0 else 0.0


@functools.cache
def flat_at_normal_inputs(activation: Activation) -> float:
    """The `flat_share` of standard normal inputs."""
    return float(flat_share(activation, jax.random.normal(jax.random.key(0), (100_000,))))


def verdict(activation: Activation, layers: Sequence[Layer]) -> str:
    """SATURATED, VANISHING, EXPLODING or RIGHT, by THRESHOLDS."""
    if layers[-1].deviation == 0:
        return VANISHING
    if max(layer.flat for layer in layers) - flat_at_normal_inputs(activation) > MOST_FLAT:
        return SATURATED
    both = np.array(factors(layers))
    if (both < LOWEST_FACTOR).any():
        return VANISHING
    return RIGHT if (both <= HIGHEST_FACTOR).all() else EXPLODING  # NaN: it has overflowed


def factors(layers: Sequence[Layer]) -> tuple[float, float]:
    """The factors of the outputs' deviation from layer to layer, and of the gradient's back."""
    steps = len(layers) - 1
    return (
        factor(layers[0].deviation, layers[-1].deviation, steps),
        factor(layers[-1].gradient, layers[0].gradient, steps),
    )


def row(initializer: str, activation: Activation, layers: Sequence[Layer]) -> dict[str, Any]:
    """A network in figures: of its first and last layer, and factors from one layer to the next."""
    forward_factor, backward_factor = factors(layers)
    depth = len(layers)
    return {
        "initialiser": initializer,
        "activation": activation.spec,
        "verdict": verdict(activation, layers),
        f"mean {depth}": layers[-1].mean,
        "deviation 1": layers[0].deviation,
        f"deviation {depth}": layers[-1].deviation,
        "factor": forward_factor,
        "flat (%)": 100 * max(layer.flat for layer in layers),
        "gradient factor": backward_factor,
        "dL/dW 1": layers[0].weight_gradient,
        f"dL/dW {depth}": layers[-1].weight_gradient,
    }


def answer(rows: Sequence[dict[str, Any]]) -> str:
    """The verdicts in words, one sentence an activation."""
    sentences = []
    for spec in dict.fromkeys(row["activation"] for row in rows):
        of_spec = [row for row in rows if row["activation"] == spec]
        groups = []
        for kind in (RIGHT, VANISHING, SATURATED, EXPLODING):
            names = [row["initialiser"] for row in of_spec if row["verdict"] == kind]
            if names:
                groups.append(f"{kind} with {', '.join(names)}")
        sentences.append(f"{spec}: {'; '.join(groups)}")
    silent = dict.fromkeys(row["initialiser"] for row in rows if row["dL/dW 1"] == 0)
    if silent:
        sentences.append(f"No gradient reaches the first layer's weights with {', '.join(silent)}")
    return ". ".join(sentences) + "."


def check(options: Options) -> tuple[Activation, ...]:
    """The activations of the options; raises ConfigError where one of these is wrong."""
    for name, (low, high) in LIMITS.items():
        value = getattr(options, name)
        if not low <= value <= high:
            raise ConfigError(f"--{name}={value} must be a whole number from {low} to {high}")
    needed = 4 * options.depth * options.width**2
    if needed > MOST_BYTES:
        raise ConfigError(
            f"--depth={options.depth} with --width={options.width} takes {needed / 2**30:.1f} GiB "
            f"of weights; at most {MOST_BYTES / 2**30:.0f} GiB: lower one of them"
        )
    chosen = tuple(activations.get(spec) for spec in split_specs(options.activations))
    for activation in chosen:
        if not activation.elementwise:
            raise ConfigError(
                f"--activations: {activation.spec} is not elementwise, so it has no slope to tell "
                "saturation by; leave it out"
            )
    return chosen


def perform(options: Options) -> outcomes.Outcome:
    """Passes signals through networks with every initialiser.

    Raises:
      ConfigError: an option is wrong.
    """
    chosen = check(options)
    sizes = {"width": options.width, "depth": options.depth, "batch": options.batch}
    networks: dict[str, list[list[Layer]]] = {}
    for initializer in KERNEL_INITIALIZERS:
        draws = [
            pass_through(initializer, chosen, **sizes, seed=seed) for seed in range(options.seeds)
        ]
        networks[initializer] = [mean_of_draws(same) for same in zip(*draws, strict=True)]
    rows = [
        row(initializer, activation, layers)
        for i, activation in enumerate(chosen)
        for initializer, of_all in networks.items()
        for layers in [of_all[i]]
    ]
    shape = f"{options.depth} layers of {options.width} units, batch {options.batch}"
    drawn = {
        activation.spec: {name: of_all[i] for name, of_all in networks.items()}
        for i, activation in enumerate(chosen)
    }
    ranges = {activation.spec: histogram_range(activation) for activation in chosen}
    return outcomes.Outcome(
        title=f"Initial weights: {shape}, standard normal inputs",
        claim="all zeros: nothing learns; N(0, 0.01): activations vanish in depth; too large "
        "weights saturate tanh; Xavier is right for tanh and collapses with ReLU; He is right for "
        "ReLU",
        source="lecture on training neural networks, part 1; Glorot and Bengio 2010; "
        "He et al. 2015, arXiv:1502.01852",
        answer=answer(rows),
        settings={
            **sizes,
            "seeds": options.seeds,
            "activations": [activation.spec for activation in chosen],
            "initializers": list(KERNEL_INITIALIZERS),
            "thresholds": THRESHOLDS,
        },
        rows=rows,
        details={
            "histogram_ranges": ranges,
            "layers": {
                spec: {name: [layer._asdict() for layer in layers] for name, layers in of.items()}
                for spec, of in drawn.items()
            },
        },
    )
