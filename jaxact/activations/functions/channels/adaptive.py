"""Functions whose parameters are the channels' own, or are told by the whole image.

The mean over an image's pixels is a vector of channels, as what a dense layer gives is one already.
Two small dense layers make parameters of it, as in squeeze-and-excitation (Hu et al. 2017, arXiv
1709.01507), whose names their weights have here.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxact.activations.channel_activation import Learned
from jaxact.activations.channel_registry import channel_activation
from jaxact.activations.functions.classic import relu, sigmoid, tanh
from jaxact.activations.functions.gates.self_gated import swish

_MA = "Ma et al. 2020, Activate or not: learning customized activation, arXiv 2009.04759"
META_REDUCTION = 16  # Ma et al. 2020: channels over inner ones, of which there are no fewer
DYNAMIC_REDUCTION = 8  # channels over inner ones, R; code of others has 8 or 4
WINDOW = 3  # Ma et al. 2020, funnel activation: pixels of a side

_zeros, _ones = jax.nn.initializers.zeros, jax.nn.initializers.ones
_normal = jax.nn.initializers.normal(1.0)
_window_normal = jax.nn.initializers.normal(1 / WINDOW)  # the scale is BatchNorm's affair
_dense = jax.nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")  # PyTorch's default

Shape = tuple[int, ...]


def _channels(shape: Shape) -> Shape:
    return shape[-1:]


def _excitation(
    inner: Callable[[int], int], outputs: int
) -> tuple[Learned, Learned, Learned, Learned]:
    """The parameters of two dense layers: channels to `inner` ones, and to `outputs` for each."""
    return (
        Learned("squeeze_kernel", lambda shape: (shape[-1], inner(shape[-1])), _dense),
        Learned("squeeze_bias", lambda shape: (inner(shape[-1]),), _zeros),
        Learned("excite_kernel", lambda shape: (inner(shape[-1]), outputs * shape[-1]), _dense),
        Learned("excite_bias", lambda shape: (outputs * shape[-1],), _zeros),
    )


def _affine(x: Array, kernel: Array, bias: Array) -> Array:
    return jnp.matmul(x, kernel, precision=lax.Precision.HIGHEST) + bias


def _mean_of_pixels(x: Array) -> Array:
    """`[batch, ..., channels]` to as many axes, those between of length 1."""
    return x.mean(tuple(range(1, x.ndim - 1)), keepdims=True)


@channel_activation(
    learned=(
        Learned("p1", _channels, _normal),
        Learned("p2", _channels, _normal),
        Learned("beta", _channels, _ones),
    ),
    reference=_MA,
)
def acon(x: Array, p1: Array, p2: Array, beta: Array) -> Array:
    """ACON-C: (p1 - p2) x sigmoid(beta (p1 - p2) x) + p2 x, a smooth max(p1 x, p2 x).

    With p1 = 1 and p2 = 0 it is swish.

    Args:
      x: floating-point array `[..., channels]`.
      p1, p2: learned slopes far out, `[channels]`; they start as normal numbers.
      beta: learned, `[channels]`: 0 makes a line of it; it starts at 1.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Ma et al. 2020, arXiv 2009.04759, section 3; where parameters start: the authors' code.
    """
    return swish((p1 - p2) * x, beta) + p2 * x


@channel_activation(
    learned=(
        Learned("p1", _channels, _normal),
        Learned("p2", _channels, _normal),
        *_excitation(lambda channels: max(META_REDUCTION, channels // META_REDUCTION), 1),
    ),
    is_pointwise=False,
    reference=_MA,
)
def meta_acon(
    x: Array,
    p1: Array,
    p2: Array,
    squeeze_kernel: Array,
    squeeze_bias: Array,
    excite_kernel: Array,
    excite_bias: Array,
) -> Array:
    """Meta-ACON-C: `acon` whose beta is told by the image, sigmoid(W2 W1 mean(x)).

    Of the two dense layers each has a bias; there is no BatchNorm, as in the paper's formula.

    Args:
      x: floating-point array `[batch, ..., channels]`.
      p1, p2: as for `acon`.
      squeeze_kernel, squeeze_bias: W1, `[channels, inner]`, with inner the sixteenth of the
        channels, but 16 at least.
      excite_kernel, excite_bias: W2, `[inner, channels]`.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Ma et al. 2020, arXiv 2009.04759, section 3; the authors' code.
    """
    inner = _affine(_mean_of_pixels(x), squeeze_kernel, squeeze_bias)
    return swish((p1 - p2) * x, sigmoid(_affine(inner, excite_kernel, excite_bias))) + p2 * x


def _as_it_is(x: Array) -> Array:
    return x


@channel_activation(
    learned=(
        Learned(
            "kernel", lambda shape: (WINDOW,) * (len(shape) > 2) * 2 + shape[-1:], _window_normal
        ),
    ),
    normalizes=True,
    is_pointwise=False,
    reference="Ma et al. 2020, Funnel activation for visual recognition, arXiv 2007.11824",
)
def frelu(x: Array, kernel: Array, normalize: Callable[[Array], Array] = _as_it_is) -> Array:
    """Funnel activation: max(x, T(x)), with T a depthwise 3x3 convolution and BatchNorm.

    Beyond the border there are zeros. What a dense layer gives is an image of one pixel, of which
    the window sees this one.

    Args:
      x: floating-point array `[batch, height, width, channels]` or `[batch, channels]`.
      kernel: `[3, 3, channels]`, or `[channels]` of one pixel.
      normalize: BatchNorm; left out, T is the convolution alone.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Ma et al. 2020, arXiv 2007.11824, section 3.
    """
    return jnp.maximum(x, normalize(_depthwise(x, kernel)))


def _depthwise(x: Array, kernel: Array) -> Array:
    """Sums of shifted images: XLA makes one loop of them, and of its own convolution a slow one."""
    if kernel.ndim == 1:
        return x * kernel
    height, width = x.shape[1:3]
    margin = WINDOW // 2
    padded = jnp.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    places = [(i, j) for i in range(WINDOW) for j in range(WINDOW)]
    return sum(
        (padded[:, i : i + height, j : j + width] * kernel[i, j] for i, j in places),
        start=jnp.zeros_like(x),
    )


@channel_activation(
    learned=_excitation(lambda channels: max(1, channels // DYNAMIC_REDUCTION), 4),
    is_pointwise=False,
    reference="Chen et al. 2020, Dynamic ReLU, arXiv 2003.10027",
)
def dynamic_relu(
    x: Array, squeeze_kernel: Array, squeeze_bias: Array, excite_kernel: Array, excite_bias: Array
) -> Array:
    """DY-ReLU-B with two pieces: max((1 + a1) x + b1 / 2, a2 x + b2 / 2), told by the image.

    `a1, a2, b1, b2 = 2 sigmoid(W2 relu(W1 mean(x))) - 1`, a number each for a channel of an image.
    Where they are 0, it is ReLU.

    Args:
      x: floating-point array `[batch, ..., channels]`.
      squeeze_kernel, squeeze_bias: W1, `[channels, inner]`, with inner an eighth of the channels.
      excite_kernel, excite_bias: W2, `[inner, 4 channels]`: all a1, all a2, all b1, all b2.

    Returns:
      Array of the shape and dtype of `x`.

    Source: Chen et al. 2020, arXiv 2003.10027, section 3, K = 2.
    """
    inner = relu(_affine(_mean_of_pixels(x), squeeze_kernel, squeeze_bias))
    residuals = tanh(_affine(inner, excite_kernel, excite_bias) / 2)
    a1, a2, b1, b2 = jnp.split(residuals, 4, -1)
    return jnp.maximum((1 + a1) * x + b1 / 2, a2 * x + b2 / 2)
