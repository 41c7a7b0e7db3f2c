"""Mixing each example with another of its batch: images and labels by the same weight."""

import jax
import jax.numpy as jnp
from jax import Array

from jaxact.data.transforms.geometry import to_uint8


def mixup(key: Array, images: Array, labels: Array, amount: float = 0.2) -> tuple[Array, Array]:
    """`w x_i + (1 - w) x_j` of images and of labels, where j is i's place in a random order.

    Args:
      key: of the weights, one an example, and of the order.
      images: uint8 `[batch, height, width, channels]`.
      labels: `[batch, classes]`, the probability of each class; those of an example sum to one.
      amount: alpha of the weights' distribution Beta(alpha, alpha); towards 0 hardly anything is
        mixed, and at 0 nothing.

    Returns:
      Images, uint8, rounded to whole grey levels; labels, which still sum to one.

    Source: Zhang et al., mixup: beyond empirical risk minimization, 2018, equation 1.
    """
    if amount == 0:
        return images, labels
    weight_key, order_key = jax.random.split(key)
    # The share of one of two Gamma(alpha) draws is Beta(alpha, alpha), and compiles twice as fast.
    gammas = jax.random.loggamma(weight_key, amount, (2, len(images)))
    weights = jax.nn.sigmoid(gammas[0] - gammas[1])
    order = jax.random.permutation(order_key, len(images))

    def mix(values: Array) -> Array:
        weight = weights.reshape(-1, *[1] * (values.ndim - 1))
        return weight * values + (1 - weight) * values[order]

    return to_uint8(mix(images.astype(jnp.float32))), mix(labels)
