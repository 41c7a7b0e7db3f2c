"""python -m experiments.initialization [--activations=SPEC,...] [--width=4096] [--depth=6]

What initial weights do to a deep network before it has learned anything: standard normal inputs go
through fully connected layers, once for every initialiser of `jaxact.models.initializers` and every
activation, and a gradient comes back. Mean, deviation, histogram and gradient norm of each layer,
and a verdict by stated thresholds. The lecture's network (6 layers of 4096 units, batch 16) takes
about 40 s on 2 cores.
"""

if __name__ == "__main__":  # before the slow imports: it may start the process again
    from jaxact import huge_pages

    huge_pages.restart()

import argparse
import functools
import math
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from experiments import initialization_figures, lab
from experiments.options import split_specs
from jaxact import activations
from jaxact.activations import Activation
from jaxact.errors import ConfigError
from jaxact.models.initializers import KERNEL_INITIALIZERS, bias_initializer, kernel_initializer

BINS = 40
SLOPE_SHARE = 0.1  # of the largest slope: a function is flat where it has less
LARGEST_SLOPE_RANGE = 10.0  # the largest slope is looked for at inputs from -10 to 10

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

PARSER = lab.parser(
    "initialization",
    "shows how initial weights decide what the layers of a deep network pass on",
    "--activations=tanh,relu,selu,sigmoid",
    "--width=1024 --depth=20 --seeds=3",
)
PARSER.add_argument("--activations", default="tanh,relu", help="specs (default: %(default)s)")
PARSER.add_argument("--width", type=int, default=4096, help="units (default: %(default)s)")
PARSER.add_argument("--depth", type=int, default=6, help="layers (default: %(default)s)")
PARSER.add_argument("--batch", type=int, default=16, help="inputs (default: %(default)s)")
PARSER.add_argument("--seeds", type=int, default=1, help="draws (default: %(default)s)")
LIMITS = {"width": (1, 2**14), "depth": (2, 100), "batch": (1, 4096), "seeds": (1, 100)}
MOST_BYTES = 2**32  # of all weights of a network: they are kept for the way back


class Layer(NamedTuple):
    """What one layer of a network gives, over units and inputs.

    Attributes:
      mean, deviation: of its outputs, f(x W + b).
      flat: share of the activation's inputs at which |f'| is below SLOPE_SHARE of its largest.
      gradient: sqrt(mean_i |dL_i / dy_i|^2), y_i its outputs for input i; 1 at the last layer.
      weight_gradient: |dL / dW|, Frobenius.
      counts: of its outputs, in BINS equal bins over `histogram_range`; the outermost hold what
        lies beyond.
    """

    mean: float
    deviation: float
    flat: float
    gradient: float
    weight_gradient: float
    counts: list[int]


def histogram_range(activation: Activation) -> tuple[float, float]:
    """What histograms show: the values of the function at inputs from -3 to 3, and a margin."""
    values = np.asarray(activation(jnp.linspace(-3, 3, 601), **activation.params))
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * max(high - low, 0.1)
    return low - margin, high + margin


@functools.partial(jax.jit, static_argnums=0)
def flat_share(activation: Activation, inputs: Array) -> Array:
    """Share of `inputs` at which |f'| is below SLOPE_SHARE of its largest value."""
    slopes = jnp.abs(activation.derivative(inputs, **activation.params))
    points = jnp.linspace(-LARGEST_SLOPE_RANGE, LARGEST_SLOPE_RANGE, 2001, dtype=jnp.float32)
    largest = jnp.abs(activation.derivative(points, **activation.params)).max()
    return (slopes < SLOPE_SHARE * largest).mean(dtype=jnp.float32)


@functools.partial(jax.jit, static_argnums=(0, 1))
def draw_layer(initializer: str, width: int, key: Array) -> tuple[Array, Array]:
    """Weights `[width, width]` and biases `[width]`; every initialiser gets the same randomness."""
    kernel_key, bias_key = jax.random.split(key)
    kernel = kernel_initializer(initializer)(kernel_key, (width, width))
    return kernel, bias_initializer(initializer, width)(bias_key, (width,))


@functools.partial(jax.jit, static_argnums=0)
def forward(
    chosen: tuple[Activation, ...], inputs: Array, kernel: Array, bias: Array
) -> tuple[Array, Array]:
    """One layer of the networks of all activations at once, `[activations, batch, width]`.

    Returns:
      x W + b, and the activations of it.
    """
    count, batch, width = inputs.shape
    sums = (inputs.reshape(count * batch, width) @ kernel + bias).reshape(inputs.shape)
    outputs = [f(x, **f.params) for f, x in zip(chosen, sums, strict=True)]
    return sums, jnp.stack(outputs)


@functools.partial(jax.jit, static_argnums=0)
def backward(
    chosen: tuple[Activation, ...], sums: Array, gradients: Array, kernel: Array, inputs: Array
) -> tuple[Array, Array]:
    """From the gradients in a layer's outputs to those in its inputs, and to |dL / dW|.

    Args:
      sums, inputs: of `forward`.
      gradients: `[activations, batch, width]`, of each input's own loss; L is their mean.

    Returns:
      `[activations, batch, width]`, and `[activations]`.
    """
    count, batch, width = gradients.shape
    pairs = zip(chosen, sums, gradients, strict=True)
    of_sums = jnp.stack([jax.vjp(lambda v, f=f: f(v, **f.params), x)[1](g)[0] for f, x, g in pairs])

    def gram(rows: Array) -> Array:
        return jnp.einsum("abn,acn->abc", rows, rows)

    # |X^T G|^2 = sum of X X^T times G G^T: products of batch x batch instead of width x width.
    squares = (gram(inputs) * gram(of_sums)).sum((1, 2)) / batch**2
    of_inputs = of_sums.reshape(count * batch, width) @ kernel.T
    return of_inputs.reshape(gradients.shape), jnp.sqrt(jnp.maximum(squares, 0))


def pass_through(
    initializer: str,
    chosen: tuple[Activation, ...],
    *,
    width: int,
    depth: int,
    batch: int,
    seed: int,
) -> list[list[Layer]]:
    """The layers of one network for each activation, all with the same weights and inputs.

    The loss of an input is `<g, y> / |g|`, y the last layer's outputs and g a standard normal draw:
    a gradient of length 1 that knows nothing of the network.
    """
    input_key, gradient_key, weights_key = jax.random.split(jax.random.key(seed), 3)
    shape = (len(chosen), batch, width)
    signal = jnp.broadcast_to(jax.random.normal(input_key, shape[1:]), shape)
    weights, inputs, sums, outputs = [], [], [], []
    for k in range(depth):
        kernel, bias = draw_layer(initializer, width, jax.random.fold_in(weights_key, k))
        inputs.append(signal)
        total, signal = forward(chosen, signal, kernel, bias)
        weights.append(kernel)
        sums.append(total)
        outputs.append(signal)
    gradient = jax.random.normal(gradient_key, shape[1:])
    gradient = jnp.broadcast_to(gradient / jnp.linalg.norm(gradient, axis=-1, keepdims=True), shape)
    layers = []
    for k in reversed(range(depth)):
        norms = np.asarray(jnp.sqrt((gradient**2).sum((1, 2)) / batch))
        gradient, of_weights = backward(chosen, sums[k], gradient, weights[k], inputs[k])
        layers.append(
            [
                Layer(
                    mean=float(outputs[k][i].mean()),
                    deviation=float(outputs[k][i].std()),
                    flat=float(flat_share(activation, sums[k][i])),
                    gradient=float(norms[i]),
                    weight_gradient=float(of_weights[i]),
                    counts=counts(np.asarray(outputs[k][i]), histogram_range(activation)),
                )
                for i, activation in enumerate(chosen)
            ]
        )
    return [list(network) for network in zip(*reversed(layers), strict=True)]


def counts(values: np.ndarray, limits: tuple[float, float]) -> list[int]:
    """How many values lie in each bin; what lies beyond the limits is in the outermost."""
    return np.histogram(np.clip(values, *limits), bins=BINS, range=limits)[0].tolist()


def mean_of_draws(draws: Sequence[Sequence[Layer]]) -> list[Layer]:
    """Each layer's figures as means over draws, histograms added up."""
    return [
        Layer(
            *(float(np.mean([getattr(one, name) for one in same])) for name in Layer._fields[:-1]),
            counts=np.sum([one.counts for one in same], 0).tolist(),
        )
        for same in zip(*draws, strict=True)
    ]


def factor(first: float, last: float, steps: int) -> float:
    """The geometric mean of the factor from layer to layer; 0 where nothing is left."""
    return (last / first) ** (1 / steps) if first > 0 else 0.0


def verdict(activation: Activation, layers: Sequence[Layer]) -> str:
    """SATURATED, VANISHING, EXPLODING or RIGHT, by THRESHOLDS."""
    if layers[-1].deviation == 0:
        return VANISHING
    normal = jax.random.normal(jax.random.key(0), (100_000,))
    flat = max(layer.flat for layer in layers) - float(flat_share(activation, normal))
    if flat > MOST_FLAT:
        return SATURATED
    both = np.array(factors(layers))
    if (both < LOWEST_FACTOR).any():
        return VANISHING
    return RIGHT if (both <= HIGHEST_FACTOR).all() else EXPLODING  # NaN: it has overflowed


def factors(layers: Sequence[Layer]) -> tuple[float, float]:
    """Of the outputs' deviation from layer to layer, and of the gradient on its way back."""
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
        f"mean {depth}": or_none(layers[-1].mean),
        "deviation 1": or_none(layers[0].deviation),
        f"deviation {depth}": or_none(layers[-1].deviation),
        "factor": or_none(forward_factor),
        "flat (%)": or_none(100 * max(layer.flat for layer in layers)),
        "gradient factor": or_none(backward_factor),
        "dL/dW 1": or_none(layers[0].weight_gradient),
        f"dL/dW {depth}": or_none(layers[-1].weight_gradient),
    }


def or_none(value: Any) -> Any:
    """JSON has no infinity and no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_json(layer: Layer) -> dict[str, Any]:
    return {name: or_none(value) for name, value in layer._asdict().items()}


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


def check(options: argparse.Namespace) -> tuple[Activation, ...]:
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


def perform(options: argparse.Namespace) -> lab.Outcome:
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
    verdicts = {(row["activation"], row["initialiser"]): row["verdict"] for row in rows}
    ranges = {activation.spec: histogram_range(activation) for activation in chosen}
    return lab.Outcome(
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
        figures={
            "histograms": initialization_figures.histograms(drawn, ranges, verdicts, shape),
            "layers": initialization_figures.by_layer(drawn, shape),
        },
        details={
            "histogram_ranges": ranges,
            "layers": {
                spec: {name: [as_json(layer) for layer in layers] for name, layers in of.items()}
                for spec, of in drawn.items()
            },
        },
    )


if __name__ == "__main__":
    sys.exit(lab.run(PARSER, perform))
