"""Deep fully connected networks before training: what passes them forward, and back.

The networks of several activations have the same weights and inputs, and pass at once: each weight
matrix is drawn one time.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxact.activations import Activation
from jaxact.models.layers.initializers import bias_initializer, kernel_initializer
from jaxact.training import health

BINS = 40
SLOPE_SHARE = 0.1  # of the largest slope: a function is flat where it has less


class Layer(NamedTuple):
    """The outputs of one layer of a network, over units and inputs.

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


@functools.cache
def histogram_range(activation: Activation) -> tuple[float, float]:
    """The range of histograms: the values of the function at inputs from -3 to 3, and a margin."""
    values = np.asarray(activation(jnp.linspace(-3, 3, 601), **activation.params))
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * max(high - low, 0.1)
    return low - margin, high + margin


@functools.partial(jax.jit, static_argnums=0)
def flat_share(activation: Activation, inputs: Array) -> Array:
    """Share of `inputs` at which |f'| is below SLOPE_SHARE of its largest, see `health`."""
    start = {name: jnp.asarray(value) for name, value in activation.params.items()}
    slopes = jnp.abs(activation.derivative(inputs, **start))
    largest = health.largest_slope(activation, start, inputs.ndim)
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


@functools.partial(jax.jit, static_argnums=0)
def figures_of(
    chosen: tuple[Activation, ...], sums: Array, outputs: Array, gradients: Array
) -> tuple[Array, ...]:
    """Mean, deviation, flat share and gradient of a layer, see `Layer`, each `[activations]`."""
    flat = jnp.stack([flat_share(f, x) for f, x in zip(chosen, sums, strict=True)])
    norms = jnp.sqrt((gradients**2).sum((1, 2)) / gradients.shape[1])
    return outputs.mean((1, 2)), outputs.std((1, 2)), flat, norms


@functools.partial(jax.jit, static_argnums=(0, 1))
def draw_signals(batch: int, width: int, input_key: Array, gradient_key: Array) -> list[Array]:
    """Inputs, and the gradients in the outputs, of length 1; each `[batch, width]`."""
    inputs, gradient = (jax.random.normal(key, (batch, width)) for key in (input_key, gradient_key))
    return [inputs, gradient / jnp.linalg.norm(gradient, axis=-1, keepdims=True)]


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
    signal, gradient = (
        np.broadcast_to(drawn, (len(chosen), batch, width))
        for drawn in draw_signals(batch, width, input_key, gradient_key)
    )
    weights, inputs, sums, outputs = [], [], [], []
    for k in range(depth):
        kernel, bias = draw_layer(initializer, width, jax.random.fold_in(weights_key, k))
        inputs.append(signal)
        total, signal = forward(chosen, signal, kernel, bias)
        weights.append(kernel)
        sums.append(total)
        outputs.append(signal)
    layers = []
    for k in reversed(range(depth)):
        figures = jax.device_get(figures_of(chosen, sums[k], outputs[k], gradient))
        gradient, of_weights = backward(chosen, sums[k], gradient, weights[k], inputs[k])
        values, of_weights = np.asarray(outputs[k]), np.asarray(of_weights)
        layers.append(
            [
                Layer(
                    *(float(figure[i]) for figure in figures),
                    weight_gradient=float(of_weights[i]),
                    counts=counts(values[i], histogram_range(activation)),
                )
                for i, activation in enumerate(chosen)
            ]
        )
    return [list(network) for network in zip(*reversed(layers), strict=True)]


def counts(values: np.ndarray, limits: tuple[float, float]) -> list[int]:
    """The number of values in each bin; what lies beyond the limits is in the outermost."""
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
