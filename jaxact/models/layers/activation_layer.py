"""The place of an activation function in a network."""

import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import Array

from jaxact.activations import Activation, own


class ActivationLayer(nn.Module):
    """The place of an activation function; holds its learnable parameters, if it has any.

    Attributes:
      activation: the function.
      sharing: one parameter for the whole "layer", as in the paper's framework, or one for each
        "channel" (the last axis, of `x` and of the parameter).
    """

    activation: Activation
    sharing: str = "layer"

    @nn.compact
    def __call__(self, x: Array) -> Array:
        channels = (x.shape[-1],) if self.sharing == "channel" else ()
        learned = {}
        for name, value in self.activation.params.items():
            start = np.asarray(value, np.float32)
            repeated = np.broadcast_to(
                start.reshape(start.shape + (1,) * len(channels)), start.shape + channels
            )
            learned[name] = self.param(name, lambda key, array=repeated: jnp.asarray(array))
        if own.is_own(self.activation):
            return own.call(self.activation, x, **learned)
        return self.activation(x, **learned)
