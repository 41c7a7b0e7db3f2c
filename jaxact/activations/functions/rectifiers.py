"""ReLU with a threshold, a bound, a smooth corner or random slopes, and the derivatives."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import ActivationError, Kink, kink_at_zero
from jaxact.activations.functions.classic import leaky_relu, leaky_relu_derivative
from jaxact.activations.numerics import computing_dtype, elementwise, floating, nan_like, scaled
from jaxact.activations.registry import POSITIVE, activation, register


@elementwise()
def threshold_derivative(x: Array, threshold: ArrayLike = 1.0, value: ArrayLike = 0.0) -> Array:
    """Derivative of `threshold`: 1 if x > threshold else 0, also where the function jumps."""
    del value
    return nan_like(x, jnp.where(x > threshold, jnp.ones_like(x), 0))


@activation(
    threshold_derivative,
    kinks=lambda threshold, value: (Kink(threshold, 0.0),),
    monotonic=lambda threshold, value: value <= threshold,
    reference="Konda, Memisevic and Krueger 2015, Zero-bias autoencoders, arXiv 1402.3337 (TRec)",
)
def threshold(x: Array, threshold: ArrayLike = 1.0, value: ArrayLike = 0.0) -> Array:
    """Threshold: x if x > threshold else value; by default the thresholded ReLU of its source.

    Args:
      x: floating-point array of any shape.
      threshold: number, or array that broadcasts against the trailing axes of `x`. No gradient
        reaches it.
      value: likewise, what stands in for inputs up to the threshold.

    Returns:
      Array of the shape and dtype of `x`, with derivative 0 at the threshold.

    Source: Konda, Memisevic and Krueger 2015, arXiv 1402.3337; with a value, PyTorch.
    """
    return nan_like(x, jnp.where(x > threshold, x, value))


def _clipped_leaky_kinks(negative_slope: float, threshold: float, high: float) -> tuple[Kink, ...]:
    """The threshold and the bound above it, but for a threshold where nothing bends."""
    if high <= threshold:
        raise ActivationError(
            f"clipped_leaky_relu: high must be above threshold, not {high} and {threshold}"
        )
    is_smooth = threshold == 0 and negative_slope == 1
    lower = () if is_smooth else (Kink(threshold, negative_slope),)
    return (*lower, Kink(high, 0.0))


def _clipped_leaky_monotonic(negative_slope: float, threshold: float, high: float) -> bool:
    return negative_slope >= 0 and threshold >= 0


@elementwise()
def clipped_leaky_relu_derivative(
    x: Array, negative_slope: ArrayLike = 0.01, threshold: ArrayLike = 0.0, high: ArrayLike = 6.0
) -> Array:
    """Derivative of `clipped_leaky_relu`: negative_slope up to the threshold, 1 to high, then 0."""
    above = jnp.where(x < high, jnp.ones_like(x), 0)
    return nan_like(x, jnp.where(x > threshold, above, negative_slope))


@activation(
    clipped_leaky_relu_derivative,
    kinks=_clipped_leaky_kinks,
    monotonic=_clipped_leaky_monotonic,
    reference="keras.activations.relu with its three parameters (Chollet et al., keras.io)",
)
def clipped_leaky_relu(
    x: Array, negative_slope: ArrayLike = 0.01, threshold: ArrayLike = 0.0, high: ArrayLike = 6.0
) -> Array:
    """Leaky ReLU with a bound: min(x, high) if x > threshold else negative_slope (x - threshold).

    Args:
      x: floating-point array of any shape.
      negative_slope: number, or array that broadcasts against the trailing axes of `x`.
      threshold: likewise; where it is not 0 the function jumps there, from 0 to it.
      high: likewise, above the threshold: the largest value.

    Returns:
      Array of the shape and dtype of `x`, with derivative negative_slope at the threshold, 0 at
      high.

    Source: Keras, keras.activations.relu.
    """
    leaky = scaled(jnp.minimum(x - threshold, 0), negative_slope)
    return jnp.where(x > threshold, jnp.minimum(x, high), leaky)


def _rise(x: Array, beta: ArrayLike) -> Array:
    """0 up to -beta, 1 from beta on, a line between."""
    width = 2 * jnp.asarray(beta)
    return jnp.clip(x + beta, 0, width) / width


@elementwise()
def smelu_derivative(x: Array, beta: ArrayLike = 2.0) -> Array:
    """Derivative of `smelu`: 0 if x <= -beta, 1 if x >= beta, else (x + beta) / (2 beta)."""
    return _rise(x, beta)


@activation(
    smelu_derivative,
    domains={"beta": POSITIVE},
    monotonic=True,
    reference="Shamir and Lin 2022, Reproducibility and smooth activations, arXiv 2202.06499",
)
def smelu(x: Array, beta: ArrayLike = 2.0) -> Array:
    """Smooth ReLU: 0 if x <= -beta, x if x >= beta, else (x + beta)**2 / (4 beta).

    Args:
      x: floating-point array of any shape.
      beta: half of the width of the bend, a positive number, or array that broadcasts against the
        trailing axes of `x`. The paper leaves it open; with 1 it is `sparse_plus`.

    Returns:
      Array of the shape and dtype of `x`; its derivative is continuous.

    Source: Shamir and Lin 2022, arXiv 2202.06499.
    """
    rise = _rise(x, beta)
    return jnp.where(x >= beta, x, beta * (rise * rise))


def _drawn_slopes(x: Array, lower: ArrayLike, upper: ArrayLike, key: Array | None) -> Array:
    """A slope for each number from a uniform distribution; without a key the mean, for all."""
    dtype = computing_dtype(x)
    lower, upper = jnp.asarray(lower).astype(dtype), jnp.asarray(upper).astype(dtype)
    share = jnp.asarray(0.5, dtype) if key is None else jax.random.uniform(key, x.shape, dtype)
    return lower + share * (upper - lower)


def _rrelu_kinks(lower: float, upper: float) -> tuple[Kink, ...]:
    if upper < lower:
        raise ActivationError(f"rrelu: upper must be at least lower, not {upper} and {lower}")
    return kink_at_zero((lower + upper) / 2)


def rrelu_derivative(
    x: Array, lower: ArrayLike = 1 / 8, upper: ArrayLike = 1 / 3, key: Array | None = None
) -> Array:
    """Derivative of `rrelu`: 1 if x > 0, else the slope that the same key draws."""
    x = floating("rrelu_derivative", x)
    return leaky_relu_derivative(x, _drawn_slopes(x, lower, upper, key))


def rrelu(
    x: Array, lower: ArrayLike = 1 / 8, upper: ArrayLike = 1 / 3, key: Array | None = None
) -> Array:
    """Randomized leaky ReLU: x if x > 0 else a x, with a drawn for each number.

    Networks draw in training, from the key of the step, as dropout does, and take the mean slope in
    evaluation.

    Args:
      x: floating-point array of any shape.
      lower: number, or array that broadcasts against the trailing axes of `x`.
      upper: likewise: a is uniformly distributed between the two.
      key: of jax.random; None: a is (lower + upper) / 2.

    Returns:
      Array of the shape and dtype of `x`, with derivative a at 0.

    Raises:
      TypeError: `x` is not floating-point.

    Source: Xu et al. 2015, arXiv 1505.00853, section 2.4; the bounds as in PyTorch, where the paper
    writes its slopes 1 / a with a from 3 to 8.
    """
    x = floating("rrelu", x)
    return leaky_relu(x, _drawn_slopes(x, lower, upper, key))


register(
    "rrelu",
    rrelu,
    rrelu_derivative,
    kinks=_rrelu_kinks,
    monotonic=lambda lower, upper: lower + upper >= 0,
    random=True,
    reference="Xu et al. 2015, Rectified activations in convolutional network, arXiv 1505.00853",
)
