"""Functions of channels n apart: gated linear units, maxout, and CReLU, which makes two of one.

A gated linear unit is the product of values, the first half of the channels, and of a function of
gates, the second half, as in `jax.nn.glu`. A network's layer before it makes both, with the weights
and biases that the formulas below leave out.
"""

import jax.numpy as jnp
from jax import Array

from jaxact.activations.activation import ActivationError
from jaxact.activations.channel_registry import channel_activation
from jaxact.activations.functions.classic import relu, sigmoid
from jaxact.activations.functions.gates.gaussian import gelu
from jaxact.activations.functions.gates.self_gated import swish
from jaxact.activations.registry import Domain

_SHAZEER = "Shazeer 2020, GLU variants improve transformer, arXiv 2002.05202"
_PIECES = Domain(int, 1, 64, "a whole number from 1 to 64")


def _pieces(name: str, x: Array, count: int) -> list[Array]:
    """The parts of x, n channels each; raises ActivationError if it has no such parts."""
    if not x.ndim or x.shape[-1] % count:
        raise ActivationError(
            f"{name} takes {count} channels for each that it gives, so x has a multiple of {count} "
            f"in its last axis, not the shape {x.shape}: widen the layer before it to "
            "activation.input_channels(n)"
        )
    return jnp.split(x, count, -1)


@channel_activation(
    ratio=2, reference="Dauphin et al. 2016, Gated convolutional networks, arXiv 1612.08083"
)
def glu(x: Array) -> Array:
    """Gated linear unit: value sigmoid(gate), with `value, gate = split(x, 2)`.

    Args:
      x: floating-point array `[..., 2 n]`.

    Returns:
      Array `[..., n]` of the dtype of `x`.

    Raises:
      ActivationError: the number of channels is odd.

    Source: Dauphin et al. 2016, arXiv 1612.08083, equation 1.

    >>> print(glu(jnp.array([3.0, -1.0, 0.0, 0.0])))
    [ 1.5 -0.5]
    """
    value, gate = _pieces("glu", x, 2)
    return value * sigmoid(gate)


@channel_activation(ratio=2, reference=_SHAZEER)
def reglu(x: Array) -> Array:
    """Gated linear unit with ReLU: value max(0, gate), with `value, gate = split(x, 2)`.

    Args:
      x: floating-point array `[..., 2 n]`.

    Returns:
      Array `[..., n]` of the dtype of `x`.

    Raises:
      ActivationError: the number of channels is odd.

    Source: Shazeer 2020, arXiv 2002.05202, equation 5.
    """
    value, gate = _pieces("reglu", x, 2)
    return value * relu(gate)


@channel_activation(ratio=2, reference=_SHAZEER)
def geglu(x: Array) -> Array:
    """Gated linear unit with GELU: value gate Phi(gate), with `value, gate = split(x, 2)`.

    Args:
      x: floating-point array `[..., 2 n]`.

    Returns:
      Array `[..., n]` of the dtype of `x`.

    Raises:
      ActivationError: the number of channels is odd.

    Source: Shazeer 2020, arXiv 2002.05202, equation 5.
    """
    value, gate = _pieces("geglu", x, 2)
    return value * gelu(gate)


@channel_activation(ratio=2, reference=_SHAZEER)
def swiglu(x: Array, beta: float = 1.0) -> Array:
    """Gated linear unit with swish: value gate sigmoid(beta gate), `value, gate = split(x, 2)`.

    Args:
      x: floating-point array `[..., 2 n]`.
      beta: number.

    Returns:
      Array `[..., n]` of the dtype of `x`.

    Raises:
      ActivationError: the number of channels is odd.

    Source: Shazeer 2020, arXiv 2002.05202, equation 5.
    """
    value, gate = _pieces("swiglu", x, 2)
    return value * swish(gate, beta)


@channel_activation(
    ratio=lambda pieces: pieces,
    domains={"pieces": _PIECES},
    reference="Goodfellow et al. 2013, Maxout networks, arXiv 1302.4389",
)
def maxout(x: Array, pieces: int = 2) -> Array:
    """Maxout: the largest of `pieces` channels that are n apart.

    After a layer of `pieces n` units it is the largest of affine functions, max_j (x W_j + b_j): a
    convex function that is learned.

    Args:
      x: floating-point array `[..., pieces n]`.
      pieces: affine functions of each unit; 1 leaves x as it is.

    Returns:
      Array `[..., n]` of the dtype of `x`. The gradient goes to the largest piece, and in equal
      parts to pieces that are alike.

    Raises:
      ActivationError: `pieces` does not divide the number of channels.

    Source: Goodfellow et al. 2013, arXiv 1302.4389, section 3.
    """
    return jnp.max(jnp.stack(_pieces("maxout", x, pieces)), 0)


@channel_activation(
    ratio="1/2",
    reference="Shang et al. 2016, Concatenated rectified linear units, arXiv 1603.05201",
)
def crelu(x: Array) -> Array:
    """Concatenated ReLU: max(0, x) and max(0, -x), one after the other.

    Args:
      x: floating-point array `[..., n]`.

    Returns:
      Array `[..., 2 n]` of the dtype of `x`, with derivative 0 at 0.

    Source: Shang et al. 2016, arXiv 1603.05201, definition 2.1.
    """
    (x,) = _pieces("crelu", x, 1)
    return jnp.concatenate([relu(x), relu(-x)], -1)
