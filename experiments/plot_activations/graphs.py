"""The graphs of activation functions and their derivatives, broken where these jump."""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.activations import Activation, ChannelActivation

POINTS = 600
LENGTH = 640  # of arrays, and its multiples: more than the points with those beside kinks
_SIDE = 1e-6  # how far beside a kink, relative to 1 or to its place, a limit is taken
_SAME = 1e-4  # limits that differ by less of the graph's height are one


class Jump(NamedTuple):
    """A jump of a graph: its limits from both sides, and the value taken (nan: not known)."""

    at: float
    left: float
    right: float
    value: float


class Graph(NamedTuple):
    """Points of a graph, y nan where the line is broken, and its jumps."""

    x: np.ndarray
    y: np.ndarray
    jumps: list[Jump]


def has_curve(activation: Activation) -> bool:
    """Tells whether there is something to draw before a network has drawn its parameters.

    Not of functions of channels whose parameters follow from the input's shape.
    """
    return not (isinstance(activation, ChannelActivation) and activation.learned)


def shown_of(activation: Activation) -> str:
    """The inputs at which a function that is not elementwise is drawn; "" of others."""
    if activation.elementwise:
        return ""
    if not isinstance(activation, ChannelActivation):
        return "of (x, 0)"
    pieces = max(int(activation.ratio), 1)
    return f"of ({', '.join(['1'] * (pieces - 1) + ['x'])})" if pieces > 1 else "of x"


def value(activation: Activation, x: np.ndarray) -> np.ndarray:
    """f(x) in float32; of a function that is not elementwise, the first output of `shown_of`.

    That is of f((x, 0)), or of a function of channels of f((1, x)): its last piece is x, the others
    are 1, so that of a gated unit the gate is seen.
    """
    if isinstance(activation, ChannelActivation):
        return _padded(jax.vmap(_first_output(activation)), x)
    return _evaluate(activation, activation, x)


def derivative(activation: Activation, x: np.ndarray) -> np.ndarray:
    """The derivative of what `value` gives."""
    if isinstance(activation, ChannelActivation):
        return _padded(jax.vmap(jax.grad(_first_output(activation))), x)
    return _evaluate(activation, activation.derivative, x)


def _first_output(activation: ChannelActivation) -> Callable[[jax.Array], jax.Array]:
    ones = max(int(activation.ratio), 1) - 1

    def at(x: jax.Array) -> jax.Array:
        return activation(jnp.append(jnp.ones(ones, x.dtype), x))[0]

    return at


def graph(
    activation: Activation,
    function: Callable[[Activation, np.ndarray], np.ndarray],
    low: float,
    high: float,
) -> Graph:
    """The graph of `function`, `value` or `derivative`, from low to high.

    It is broken at the activation's kinks if it jumps there; of an activation that states no kinks,
    at jumps that are found by bisection. Those have no known value.
    """

    def at(x: np.ndarray) -> np.ndarray:
        return function(activation, x)

    stated = [kink.at for kink in activation.kinks if low < kink.at < high]
    places = stated or found_jumps(at, np.linspace(low, high, POINTS + 1))
    xs, ys = _pieces(at, sorted(places), low, high)
    height = float(np.ptp(np.concatenate(ys))) or 1.0
    x, y, jumps = [xs[0]], [ys[0]], []
    for k, place in enumerate(sorted(places)):
        left, right = float(ys[k][-1]), float(ys[k + 1][0])
        taken = float(at(np.array([place]))[0]) if stated else np.nan
        if max(abs(left - right), abs(left - taken) if stated else 0.0) > _SAME * height:
            x.append(np.array([place]))
            y.append(np.array([np.nan]))
            jumps.append(Jump(place, left, right, taken))
        x.append(xs[k + 1])
        y.append(ys[k + 1])
    return Graph(np.concatenate(x), np.concatenate(y), jumps)


def found_jumps(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> list[float]:
    """The jumps of a function between neighbours of x: steps that bisection does not make smaller.

    A jump of less than 2 % of the function's range is not found.
    """
    a, b = x[:-1].copy(), x[1:].copy()
    steps = np.abs(np.diff(function(x)))
    tall = steps > 0.02 * (float(np.ptp(function(x))) or 1.0)
    a, b, steps = a[tall], b[tall], steps[tall]
    if not a.size:
        return []
    for _ in range(16):
        middle = (a + b) / 2
        to_left = np.abs(function(middle) - function(a)) > np.abs(function(b) - function(middle))
        a, b = np.where(to_left, a, middle), np.where(to_left, middle, b)
    is_jump = np.abs(function(b) - function(a)) > 0.5 * steps
    return ((a + b) / 2)[is_jump].tolist()


def _pieces(
    function: Callable[[np.ndarray], np.ndarray], places: Sequence[float], low: float, high: float
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """x and y of the stretches between places, each ending just beside them."""
    edges = [low, *places, high]
    xs = []
    for k, (left, right) in enumerate(itertools.pairwise(edges)):
        start = left + (_SIDE * max(1.0, abs(left)) if k else 0.0)
        end = right - (_SIDE * max(1.0, abs(right)) if k < len(places) else 0.0)
        xs.append(np.linspace(start, end, max(2, round(POINTS * (right - left) / (high - low)))))
    ends = np.cumsum([len(x) for x in xs])
    return xs, np.split(function(np.concatenate(xs)), ends[:-1])


def _evaluate(
    activation: Activation, function: Callable[..., jax.Array], x: np.ndarray
) -> np.ndarray:
    def at(points: jax.Array) -> jax.Array:
        if activation.elementwise:
            return function(points, **activation.params)
        pairs = jnp.stack([points, jnp.zeros_like(points)], -1)
        return jax.vmap(lambda pair: function(pair, **activation.params)[0])(pairs)

    return _padded(at, x)


def _padded(function: Callable[[jax.Array], jax.Array], x: np.ndarray) -> np.ndarray:
    """A function's values; most calls are of one length, so that it is compiled once."""
    points = jnp.asarray(np.resize(x, -(-len(x) // LENGTH) * LENGTH), jnp.float32)
    return np.asarray(function(points), np.float64)[: len(x)]
