"""The time that an activation takes, beside ReLU's."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxact.activations import Activation, get
from jaxact.statistics import Estimate, quartiles
from jaxact.timing.calls import interleaved

# Numbers of the array: 4 MiB on a CPU; on a GPU so many that the dispatch is the lesser part.
ELEMENTS = {"cpu": 2**20, "gpu": 2**27}
PASSES = ("forward", "forward and gradient")
_ROW = 128  # what is not elementwise needs rows
_ROUNDS, _FEWEST_ROUNDS = 41, 5
_MOST_SECONDS = 1.0  # of the rounds; slow functions have fewer


class Cost(NamedTuple):
    """The time of one pass over an array of float32 numbers.

    Attributes:
      elements: the numbers.
      ms: median, lower and upper quartile.
      ratio: to ReLU's, round by round; likewise.
    """

    elements: int
    ms: Estimate
    ratio: Estimate


def costs(activation: Activation) -> dict[str, Cost]:
    """Measures an activation and ReLU in turn, at N(0, 1) inputs.

    Each pass is a program of its own. Its results are written over the last ones: fresh memory for
    every call would be most of the time.

    Args:
      activation: at its initial parameters.

    Returns:
      By the names of `PASSES`; the gradient is that in the input.
    """
    elements = ELEMENTS.get(jax.default_backend(), ELEMENTS["gpu"])
    shape = (elements // _ROW, _ROW)
    x, cotangent = (
        jax.random.normal(key, shape, "float32") for key in jax.random.split(jax.random.key(0))
    )
    calls = {
        f"{whose} {name}": call
        for whose, function in (("own", activation), ("ReLU's", get("relu")))
        for name, call in zip(PASSES, _passes(function, x, cotangent), strict=True)
    }
    tried = interleaved(calls, samples=1, warmups=1)
    seconds = sum(float(times[0]) for times in tried.values()) / 1000
    rounds = int(np.clip(_MOST_SECONDS / seconds, _FEWEST_ROUNDS, _ROUNDS))
    times = interleaved(calls, rounds, warmups=1)
    return {
        name: Cost(
            elements,
            quartiles(times[f"own {name}"]),
            quartiles(times[f"own {name}"] / times[f"ReLU's {name}"]),
        )
        for name in PASSES
    }


def _passes(
    function: Callable[..., Array], x: Array, cotangent: Array
) -> list[Callable[[int], None]]:
    """The calls of `PASSES`."""

    def both(x: Array, cotangent: Array) -> tuple[Array, Array]:
        y, pull_back = jax.vjp(function, x)
        return y, pull_back(cotangent)[0]

    return [_call(function, x), _call(both, x, cotangent)]


def _call(function: Callable[..., Any], *arguments: Array) -> Callable[[int], None]:
    """A call of the compiled function that waits for its results."""
    compiled = jax.jit(lambda spare, *rest: function(*rest), donate_argnums=0, keep_unused=True)
    shapes = jax.eval_shape(function, *arguments)
    spare = jax.tree.map(lambda y: jnp.zeros(y.shape, y.dtype), shapes)

    def call(index: int) -> None:
        nonlocal spare
        del index  # each round is like the others
        spare = jax.block_until_ready(compiled(spare, *arguments))

    return call
