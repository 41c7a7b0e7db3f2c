"""Variables of networks for tests that don't ask how they begin: drawn without a compilation."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.models import ConvNet


def drawn(network: ConvNet, *image: int) -> dict[str, Any]:
    """The variables of a network for images `[height, width, channels]`, as NumPy arrays.

    Kernels keep the variance of what they are applied to; all else is from 0.1 to 0.4.
    """
    rng = np.random.default_rng(0)

    def leaf(shape: jax.ShapeDtypeStruct) -> np.ndarray:
        if len(shape.shape) < 2:  # a bias, a learned slope, what BatchNorm has
            return rng.uniform(0.1, 0.4, shape.shape).astype(shape.dtype)
        fan_in = math.prod(shape.shape[:-1])
        return rng.normal(0, fan_in**-0.5, shape.shape).astype(shape.dtype)

    init = functools.partial(network.init, train=False)
    images = jax.ShapeDtypeStruct((1, *image), jnp.float32)
    return jax.tree.map(leaf, dict(jax.eval_shape(init, jax.random.key(0), images)))
