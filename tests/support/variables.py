"""Networks for tests that ask for no more: drawn and traced with little compilation."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.models import Network
from jaxact.models.convolution import lowering
from jaxact.training.state import TrainState

# XLA's own convolution: it gives what ours does, and compiles in a fifth of the time on a CPU.
xlas_convolution = functools.partial(lowering.traced_for, "cuda")


def drawn(network: Network, *image: int) -> dict[str, Any]:
    """The variables of a network for images `[height, width, channels]`, as NumPy arrays.

    Kernels keep the variance of what they are applied to; all else is from 0.1 to 0.4.
    """
    rng = np.random.default_rng(0)

    def leaf(shape: jax.ShapeDtypeStruct) -> np.ndarray:
        if len(shape.shape) < 2:  # a bias, a learned slope, what BatchNorm has
            return rng.uniform(0.1, 0.4, shape.shape).astype(shape.dtype)
        fan_in = math.prod(shape.shape[:-1])
        return rng.normal(0, fan_in**-0.5, shape.shape).astype(shape.dtype)

    images = jax.ShapeDtypeStruct((1, *image), jnp.float32)
    return jax.tree.map(leaf, jax.eval_shape(network.initial, jax.random.key(0), images))


def state_of(
    variables: Mapping[str, Any], opt_state: Callable[[Any], Any] = lambda params: (), step: int = 0
) -> TrainState:
    """The state of a training that has come to these variables.

    Args:
      opt_state: of the optimizer, from the parameters.
    """
    params, collections = variables["params"], {k: variables[k] for k in variables if k != "params"}
    return TrainState(jnp.int32(step), params, collections, opt_state(params))
