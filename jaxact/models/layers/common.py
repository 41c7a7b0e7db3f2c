"""Convolution, dense layer and dropout as every network has them; the arithmetic of a network."""

import contextlib
import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array, lax
from jax.typing import DTypeLike

from jaxact.errors import ConfigError
from jaxact.models.convolution import lowering
from jaxact.models.layers.initializers import bias_initializer, kernel_initializer

BATCH_NORM_MOMENTUM = 0.9  # of the running statistics: new = 0.9 old + 0.1 of the batch
BATCH_NORM_EPSILON = 1e-5


class Arithmetic(NamedTuple):
    """The arithmetic of a model: the dtype between layers, and the precision of matrix products."""

    dtype: DTypeLike
    precision: lax.Precision


# Parameters and BatchNorm's statistics are float32, but in "float64". "tf32" is of NVIDIA
# GPUs (10 bits of mantissa, products summed in float32); elsewhere it is float32.
PRECISIONS = {
    "float32": Arithmetic(jnp.float32, lax.Precision.HIGHEST),
    "tf32": Arithmetic(jnp.float32, lax.Precision.DEFAULT),
    "bfloat16": Arithmetic(jnp.bfloat16, lax.Precision.DEFAULT),
    "float64": Arithmetic(jnp.float64, lax.Precision.HIGHEST),
}


def check_precision(precision: str) -> None:
    """Refuses float64 where JAX has 32 bits alone.

    Raises:
      ConfigError: JAX_ENABLE_X64 is not set.
    """
    has_64_bits = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    if precision == "float64" and not has_64_bits:
        raise ConfigError(
            "precision=float64 needs JAX_ENABLE_X64=1 in the environment, without which JAX "
            "computes in 32 bits: set it, or choose precision=float32"
        )


def wide_dtype(precision: str) -> Any:
    """The dtype of parameters, BatchNorm's statistics, logits and losses: at least float32."""
    return jnp.promote_types(PRECISIONS[precision].dtype, jnp.float32)


def widened(variables: Mapping[str, Any], precision: str) -> dict[str, Any]:
    """Initial variables in the dtype in which a precision keeps them.

    They are drawn in float32 and then converted: float64 begins where float32 does.
    """
    if precision != "float64":
        return {**variables}

    def convert(leaf: Array) -> Array:
        is_real = jnp.issubdtype(leaf.dtype, jnp.floating)
        return leaf.astype(jnp.float64) if is_real else leaf

    return jax.tree.map(convert, {**variables})


def convolution(
    x: Array,
    features: int,
    size: int,
    padding: str | int,
    kernel_init: str,
    precision: str,
    bias_init: float | None = None,
    stride: int = 1,
    groups: int = 1,
    pools: bool = False,
    has_bias: bool = True,
) -> Array:
    """A convolution, a layer of the module in whose `__call__` it is called.

    Args:
      has_bias: whether a number is added to each channel.
      pools: whether `max_pool` follows, as one with it; the other arguments: see `ConvNet`.
    """
    return nn.Conv(
        features,
        (size, size),
        strides=stride,
        padding=padding,
        feature_group_count=groups,
        use_bias=has_bias,
        **PRECISIONS[precision]._asdict(),
        kernel_init=kernel_initializer(kernel_init),
        bias_init=bias_initializer(kernel_init, size * size * x.shape[-1] // groups, bias_init),
        conv_general_dilated=functools.partial(lowering.conv_general_dilated, pools=pools),
    )(x)


def linear(
    x: Array, features: int, kernel_init: str, precision: str, bias_init: float | None = None
) -> Array:
    """A dense layer, `x W + b`, likewise."""
    return nn.Dense(
        features,
        **PRECISIONS[precision]._asdict(),
        kernel_init=kernel_initializer(kernel_init),
        bias_init=bias_initializer(kernel_init, x.shape[-1], bias_init),
    )(x)


# The axes of NHWC along which numbers are dropped together, by the form of dropout.
DROPOUTS: dict[str, tuple[int, ...]] = {"channels": (1, 2), "elements": ()}


def dropout(x: Array, rate: float, form: str, active: bool) -> Array:
    """Zeroes with probability `rate`, scales what is left by 1/(1 - rate); NHWC.

    Args:
      form: "channels": whole channels of an image, Dropout2d; "elements": each number for itself.
      active: if not, `x` is returned.

    Source: Srivastava et al. 2014 (JMLR 15, 1929-1958); whole channels: Tompson et al. 2015
    (arXiv:1411.4280), section 3.2, "SpatialDropout".
    """
    return nn.Dropout(rate, broadcast_dims=DROPOUTS[form], deterministic=not active)(x)


@contextlib.contextmanager
def always_dropping() -> Iterator[None]:
    """A block in which `nn.Dropout` drops whatever it is told; no other layer is changed."""

    def intercept(call: Any, arguments: Any, options: Mapping[str, Any], context: Any) -> Any:
        layer = context.module
        is_dropout = isinstance(layer, nn.Dropout) and context.method_name == "__call__"
        if not is_dropout or layer.deterministic is False:
            return call(*arguments, **options)
        active = nn.Dropout(layer.rate, layer.broadcast_dims, deterministic=False, parent=None)
        inputs = arguments[0] if arguments else options["inputs"]
        return active.apply({}, inputs, rng=layer.make_rng(layer.rng_collection))

    with nn.intercept_methods(intercept):
        yield


def flatten(x: Array) -> Array:
    """`[batch, ...]` to `[batch, n]`."""
    return x.reshape(x.shape[0], math.prod(x.shape[1:]))
