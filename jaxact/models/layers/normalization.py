"""Local response normalisation: neighbouring channels compete for large outputs."""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from jaxact.activations.numerics import computing_dtype

# Krizhevsky et al. 2012, section 3.3: chosen on a validation set.
LRN_K, LRN_SIZE, LRN_ALPHA, LRN_BETA = 2.0, 5, 1e-4, 0.75


def local_response_norm(
    x: Array,
    k: float = LRN_K,
    size: int = LRN_SIZE,
    alpha: float = LRN_ALPHA,
    beta: float = LRN_BETA,
) -> Array:
    """Divides each output by a measure of those of the channels around it, at the same place.

    `b_i = a_i / (k + alpha sum_j a_j^2)^beta`, j from max(0, i - size // 2) to
    min(channels - 1, i + size // 2).

    As in the paper, alpha multiplies the sum. Caffe and PyTorch (`LocalResponseNorm`) divide it by
    the size: their alpha is `size` times this one. Computed in float32 at least, for in a narrower
    dtype k + alpha x^2 would often be k.

    Source: Krizhevsky et al. 2012 (AlexNet), section 3.3.

    Args:
      x: `[..., channels]`.
      k, alpha, beta: as in the formula.
      size: channels in a sum, n in the paper; odd.

    Returns:
      The shape and dtype of `x`.
    """
    wide = x.astype(computing_dtype(x))
    half = size // 2
    around = [(0, 0)] * (x.ndim - 1) + [(half, half)]
    squares = jnp.pad(wide**2, around)
    total = sum(squares[..., j : j + x.shape[-1]] for j in range(size))
    return (wide * (k + alpha * total) ** -beta).astype(x.dtype)


class LocalResponseNorm(nn.Module):
    """`local_response_norm` with the paper's constants, as a layer."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        return local_response_norm(x)
